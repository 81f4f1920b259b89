"""Comparing what was heard with what was said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from softagent.lab.sound import load_channels
from softagent.media.frame import Samples

WINDOW_MS = 400
QUIET_RMS = 200.0
"""Windows below it hold too little to be recognised."""
SPEECH = Path(__file__).parent / "data" / "speech"


def load(path: Path) -> Samples:
    """The first channel of a WAV file, shape (n,)."""
    return load_channels(path)[0][0]


def likeness(said: Samples, heard: Samples, rate_hz: int) -> float:
    """How much of `said` is in `heard`, from 0 to 1: the median of its windows' best correlations.

    Windows are looked for one by one, so a delay that changes under way does no harm; gaps,
    noise, a wrong law or a wrong rate do.
    """
    return float(np.median(matches(said, heard, rate_hz)))


def matches(said: Samples, heard: Samples, rate_hz: int) -> npt.NDArray[np.float64]:
    """The best correlation with any stretch of `heard` of each window of `said` that isn't quiet, shape (k,)."""
    size = rate_hz * WINDOW_MS // 1000
    windows = said[: len(said) // size * size].reshape(-1, size).astype(np.float64)
    loud = windows[np.sqrt((windows**2).mean(axis=1)) > QUIET_RMS]
    assert len(loud), "nothing was said that could be recognised"
    if len(heard) < size:
        return np.zeros(len(loud))
    return np.array([_best_match(window, heard) for window in loud])


def rms(sound: Samples) -> float:
    """Root mean square, of 32767; 0 for no sound at all."""
    return float(np.sqrt((sound.astype(np.float64) ** 2).mean())) if len(sound) else 0.0


def treble(sound: Samples, rate_hz: int) -> float:
    """Share of the energy above 4 kHz, where a narrowband telephone has nothing."""
    powers = np.abs(np.fft.rfft(sound.astype(np.float64))) ** 2
    return float(powers[len(powers) * 8000 // rate_hz :].sum() / powers.sum())


def _best_match(window: Samples, heard: Samples) -> float:
    """The highest normalised correlation of `window` with any stretch of `heard`."""
    sound = heard.astype(np.float64)
    length = 1 << int(np.ceil(np.log2(len(sound) + len(window))))
    products = np.fft.irfft(
        np.fft.rfft(sound, length) * np.conj(np.fft.rfft(window, length)), length
    )[: len(sound) - len(window) + 1]
    squares = np.concatenate(([0.0], np.cumsum(sound**2)))
    energies = squares[len(window) :] - squares[: -len(window)]
    scale = np.sqrt(np.maximum(energies, 1.0) * (window**2).sum())
    return float((np.abs(products) / scale).max())
