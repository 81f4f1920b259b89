"""Rates change, the sound doesn't."""

import numpy as np
import pytest

from softagent.media.resample import Resampler, resample


def sine(rate_hz, seconds=0.5):
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(rate_hz * seconds) / rate_hz)).astype(
        np.int16
    )


@pytest.mark.parametrize(("from_hz", "to_hz"), [(8000, 16000), (24000, 8000), (22050, 8000)])
def test_a_sine_stays_a_sine(from_hz, to_hz):
    converted = resample(sine(from_hz), from_hz=from_hz, to_hz=to_hz)
    assert converted.dtype == np.int16
    assert len(converted) == to_hz // 2
    middle = slice(to_hz // 10, -to_hz // 10)
    assert np.abs(converted.astype(int) - sine(to_hz))[middle].max() < 10


def test_a_stream_gives_as_much_as_the_whole():
    resampler = Resampler(24000, 8000)
    sound = sine(24000)
    pieces = [resampler.process(sound[i : i + 1000]) for i in range(0, len(sound), 1000)]
    pieces.append(resampler.process(sound[:0], last=True))
    assert abs(len(np.concatenate(pieces)) - 4000) <= 1


def test_equal_rates_change_nothing():
    sound = sine(8000)
    assert resample(sound, from_hz=8000, to_hz=8000) is sound
    assert Resampler(8000, 8000).process(sound) is sound


def test_no_sound_stays_no_sound():
    assert len(resample(sine(8000, seconds=0), from_hz=8000, to_hz=16000)) == 0
