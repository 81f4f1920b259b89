"""The line returns what it is asked to: so loud, so late, and nothing where it has no echo."""

from __future__ import annotations

import numpy as np
import pytest

from softagent.lab.echo_line import EchoLine, frames
from softagent.media.frame import Samples

SECONDS = 2


def voice(rate_hz: int) -> Samples:
    """Noise in a telephone's band, in bursts."""
    random = np.random.default_rng(3)
    sound = np.convolve(random.normal(0, 3000, SECONDS * rate_hz), [0.5, 0, -0.5], mode="same")
    return (sound * (np.arange(len(sound)) // (rate_hz // 5) % 2)).astype(np.int16)


def heard(rate_hz: int, **kinds: float | None) -> Samples:
    line = EchoLine(rate_hz, voice=voice(rate_hz), noise_rms=0, **kinds)  # type: ignore[arg-type]
    return np.concatenate([line.tick(sent) for sent in frames(voice(rate_hz), rate_hz)])


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("level_db", [-6, -20])
def test_an_echo_is_as_loud_as_asked_for(rate_hz: int, level_db: float) -> None:
    echo, sent = heard(rate_hz, level_db=level_db), voice(rate_hz)
    powers = [np.mean(np.square(sound, dtype=float)) for sound in (echo, sent)]
    assert 10 * np.log10(powers[0] / powers[1]) == pytest.approx(level_db, abs=1)


@pytest.mark.parametrize("delay_ms", [20, 400])
def test_an_echo_is_as_late_as_asked_for(delay_ms: int) -> None:
    echo, sent = heard(8000, level_db=-6, delay_ms=delay_ms), voice(8000)
    late = np.correlate(echo.astype(float), sent.astype(float), mode="full")[len(sent) - 1 :]
    assert delay_ms <= int(np.argmax(np.abs(late))) / 8 <= delay_ms + 10


def test_a_line_without_echo_is_silent() -> None:
    assert np.abs(heard(8000, level_db=None)).max() <= 8  # PCMU's zero
