"""Frames of one length become windows of another without losing a sample."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.media.frame import frame_samples
from softagent.media.window import WindowChunker


@pytest.mark.parametrize(("rate_hz", "window_samples"), [(8000, 256), (16000, 512)])
def test_eight_frames_of_20_ms_are_five_windows_of_32_ms(rate_hz, window_samples):
    """Both are 160 ms, so nothing is left over and the next eight behave the same."""
    chunker = WindowChunker(window_samples)
    frame = np.zeros(frame_samples(rate_hz), np.int16)

    counts = [len(chunker.push(frame)) for _ in range(16)]

    assert counts == [0, 1, 0, 1, 1, 0, 1, 1] * 2


@given(pieces=st.lists(st.integers(0, 700), max_size=30), window_samples=st.integers(1, 600))
def test_windows_are_the_sound_in_order(pieces, window_samples):
    """However the sound is cut, the windows laid end to end are its beginning, and the rest is short."""
    sound = np.arange(sum(pieces)).astype(np.int16)
    chunker = WindowChunker(window_samples)

    windows = []
    start = 0
    for length in pieces:
        windows += chunker.push(sound[start : start + length])
        start += length

    assert len(windows) == sound.size // window_samples
    assert all(window.shape == (window_samples,) for window in windows)
    assert all(window.dtype == np.int16 for window in windows)
    joined = np.concatenate([*windows, np.empty(0, np.int16)])
    np.testing.assert_array_equal(joined, sound[: joined.size])


def test_windows_survive_the_reuse_of_the_frame_they_came_from():
    """A receive buffer may be overwritten after push."""
    chunker = WindowChunker(4)
    frame = np.array([1, 2, 3, 4, 5], np.int16)

    (window,) = chunker.push(frame)
    frame[:] = 9

    assert window.tolist() == [1, 2, 3, 4]
    assert chunker.push(np.array([6, 7, 8], np.int16))[0].tolist() == [5, 6, 7, 8]


@pytest.mark.parametrize("window_samples", [0, -1])
def test_a_window_needs_a_length(window_samples):
    with pytest.raises(ValueError, match="must be at least 1"):
        WindowChunker(window_samples)
