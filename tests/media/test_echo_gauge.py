"""The agent's voice is found in what comes back, and in nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from echo_voices import CALLERS, agent_voice, caller_voice, echo_line

from softagent.lab.echo_line import EchoLine, frames
from softagent.media.echo_gauge import EchoGauge, Likeness
from softagent.media.frame import Samples

SECONDS = 6


def looks(
    rate_hz: int, line: EchoLine, agent: Samples, caller: Samples | None = None
) -> Iterator[Likeness]:
    """What is seen every other tick while `agent` speaks over `caller`."""
    gauge = EchoGauge(rate_hz=rate_hz)
    said = [None] * len(agent) if caller is None else list(frames(caller, rate_hz))
    for index, (sent, words) in enumerate(zip(frames(agent, rate_hz), said, strict=False)):
        gauge.push(caller=line.tick(sent, words), agent=sent)
        if index % 2 == 0 and (likeness := gauge.look()) is not None:
            yield likeness


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("delay_ms", [20, 150, 400])
@pytest.mark.parametrize("level_db", [-6, -20])
def test_an_echo_is_found_at_its_delay(rate_hz: int, delay_ms: int, level_db: float) -> None:
    agent = agent_voice(rate_hz)[: SECONDS * rate_hz]
    seen = list(looks(rate_hz, echo_line(rate_hz, level_db=level_db, delay_ms=delay_ms), agent))
    delays = [likeness.delay_ms for likeness in seen]
    assert len(seen) > SECONDS * 15
    # Codec and band delay it by some milliseconds more.
    assert delay_ms <= np.median(delays) <= delay_ms + 8
    assert np.median([likeness.strength for likeness in seen]) > 0.35


@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_two_voices_that_are_no_echo_have_little_in_common(rate_hz: int) -> None:
    """Though they speak the same language, some of them with the same voice."""
    agent = agent_voice(rate_hz)
    callers = np.concatenate([caller_voice(name, rate_hz) for name in CALLERS])
    seen = list(looks(rate_hz, echo_line(rate_hz, level_db=None), agent, callers))
    strengths = [likeness.strength for likeness in seen]
    assert len(strengths) > 300
    assert np.quantile(strengths, 0.99) < 0.3
    assert np.median(strengths) < 0.15


def test_silence_on_either_side_shows_nothing() -> None:
    voice, silence = agent_voice(8000)[:16000], np.zeros(16000, dtype=np.int16)
    quiet = echo_line(8000, level_db=None, noise_rms=0)
    assert not list(looks(8000, quiet, voice))
    assert not list(looks(8000, quiet, silence, voice))


def test_a_silent_line_is_known_for_one_while_the_agent_speaks() -> None:
    gauge = EchoGauge(rate_hz=8000)
    silence = np.zeros(160, dtype=np.int16)
    assert not gauge.hears_nothing_back
    for sent in frames(agent_voice(8000)[:8000], 8000):
        gauge.push(caller=silence, agent=sent)
    assert gauge.hears_nothing_back


def test_a_click_is_like_nothing() -> None:
    """It would be like any other click."""
    gauge = EchoGauge(rate_hz=8000)
    click = np.zeros(160, dtype=np.int16)
    click[80:84] = 20_000
    gauge.push(caller=click, agent=click)
    assert gauge.can_look
    assert gauge.look() is None


def test_a_rate_that_cannot_be_brought_down_to_8_khz_is_refused() -> None:
    with pytest.raises(ValueError, match="11025 Hz"):
        EchoGauge(rate_hz=11025)
