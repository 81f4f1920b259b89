"""An echo whose delay is known is taken out; what the caller says over it is not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
from echo_voices import CALLERS, agent_voice, caller_voice, echo_line

from softagent.lab.echo_line import frames
from softagent.media.echo_canceller import EchoCanceller, Gate

SECONDS = 6
SETTLED = 50
"""Ticks after which the filter must have learnt."""


def level_db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1.0))


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("delay_ms", [20, 150, 400])
@pytest.mark.parametrize("echo_db", [-6, -20])
def test_within_a_second_hardly_any_echo_is_left(
    rate_hz: int, delay_ms: int, echo_db: float
) -> None:
    line = echo_line(rate_hz, level_db=echo_db, delay_ms=delay_ms)
    canceller = EchoCanceller(rate_hz=rate_hz, delay_ms=delay_ms + 4)
    heard, left = [], []
    for sent in frames(agent_voice(rate_hz)[: SECONDS * rate_hz], rate_hz):
        heard.append(line.tick(sent))
        left.append(canceller.cancel(caller=heard[-1], agent=sent))
    before, after = np.concatenate(heard[SETTLED:]), np.concatenate(left[SETTLED:])
    assert level_db(before) - level_db(after) > 15


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("echo_db", [-6, -12, -20])
def test_a_caller_who_speaks_over_the_echo_passes(rate_hz: int, echo_db: float) -> None:
    """Of what is loud enough to be understood, hardly any tick is swallowed."""
    differences = [
        difference for name in CALLERS[::2] for difference in changes_db(rate_hz, echo_db, name)
    ]
    assert len(differences) > 250
    assert np.median(differences) > -1
    assert np.mean(np.array(differences) < -10) < 0.06


def changes_db(rate_hz: int, echo_db: float, name: str) -> Iterator[float]:
    """By how much each loud tick of a caller who speaks over the agent is louder than it was."""
    line = echo_line(rate_hz, level_db=echo_db, delay_ms=100)
    canceller = EchoCanceller(rate_hz=rate_hz, delay_ms=104)
    agent = frames(agent_voice(rate_hz), rate_hz)
    for sent in islice(agent, 3 * SETTLED):
        canceller.cancel(caller=line.tick(sent), agent=sent)
    for words, sent in zip(frames(caller_voice(name, rate_hz), rate_hz), agent, strict=False):
        passed = canceller.cancel(caller=line.tick(sent, words), agent=sent)
        if level_db(words) > 55:
            yield level_db(passed) - level_db(words)


def test_where_the_agent_is_silent_every_sample_passes_unchanged() -> None:
    canceller = EchoCanceller(rate_hz=8000, delay_ms=100)
    silence = np.zeros(160, dtype=np.int16)
    for words in frames(caller_voice("which-folder", 8000), 8000):
        assert (canceller.cancel(caller=words, agent=silence) == words).all()


def test_it_knows_which_delays_it_takes_out() -> None:
    canceller = EchoCanceller(rate_hz=8000, delay_ms=100)
    assert canceller.takes_out(100)
    assert canceller.takes_out(96)
    assert not canceller.takes_out(140)
    assert not canceller.takes_out(60)


def test_a_shut_gate_leaves_the_lines_noise() -> None:
    """Silero takes a step from noise to digital silence for a voice."""
    gate = Gate(8000)
    random = np.random.default_rng(1)
    for _ in range(50):
        gate.open(random.normal(0, 20, 160).astype(np.float32))
    echo = random.normal(0, 2000, 160).astype(np.float32)
    for _ in range(5):
        shut = gate.pass_on(heard=echo, left=echo * np.float32(0.05), echo=echo)
    assert 5 < np.sqrt(np.mean(np.square(shut, dtype=float))) < 30


def test_the_gate_opens_at_once_for_more_than_a_rest_of_echo() -> None:
    gate = Gate(8000)
    random = np.random.default_rng(1)
    echo = random.normal(0, 2000, 160).astype(np.float32)
    for _ in range(50):
        gate.pass_on(heard=echo, left=echo * np.float32(0.1), echo=echo)
    voice = random.normal(0, 2000, 160).astype(np.float32)
    opened = gate.pass_on(heard=echo + voice, left=voice, echo=echo)
    assert level_db(opened[40:]) > level_db(voice[40:]) - 1
