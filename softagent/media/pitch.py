"""Which pure tones a frame of sound consists of, if it is nothing else: one or two of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from softagent.media.frame import Samples, frame_samples

BAND_HZ = (150.0, 4000.0)
"""What a telephone carries: what is outside counts for nothing."""
LOBE_HZ = 60.0
"""How far a tone's energy reaches to either side in a Hann window of 40 ms."""
BIN_HZ = 8.0
PURITY = 0.88
"""Share of the energy that tones must have: above 10 dB over the noise."""
WEAKER = 0.1
"""The second tone of a pair has at least this share of the first one's power (10 dB)."""
QUIET_DBFS = -55.0
"""Softer sound isn't looked at."""
FULL_SCALE = 32768.0


@dataclass(frozen=True, slots=True)
class Sounding:
    """What 20 ms of sound are made of."""

    level_dbfs: float
    pitches: tuple[float, ...] = ()
    """Frequencies in Hz, lowest first; empty for speech, noise, music and silence."""

    @property
    def is_quiet(self) -> bool:
        return self.level_dbfs < QUIET_DBFS


class PitchFinder:
    """Looks at each frame together with the one before. One call, one thread; pure."""

    def __init__(self, rate_hz: int) -> None:
        size = 2 * frame_samples(rate_hz)
        self._size = size
        self._padded = 1 << (int(rate_hz / BIN_HZ) - 1).bit_length()
        self._window = np.hanning(size).astype(np.float32)
        self._bin_hz = rate_hz / self._padded
        first, last = (int(edge / self._bin_hz) for edge in BAND_HZ)
        self._band = slice(first, last)
        self._first = first
        self._lobe = round(LOBE_HZ / self._bin_hz)
        self._sound = np.zeros(size, np.float32)

    def push(self, samples: Samples) -> Sounding:
        """Take the next frame, shape (n,) at the call's rate."""
        fresh = samples.astype(np.float32) / FULL_SCALE
        self._sound = np.concatenate((self._sound[len(fresh) :], fresh))
        power = float(np.dot(fresh, fresh)) / len(fresh)
        level = 10 * float(np.log10(power + 1e-12))
        if level < QUIET_DBFS:
            return Sounding(level)
        spectrum = np.abs(np.fft.rfft(self._sound * self._window, self._padded)[self._band]) ** 2
        return Sounding(level, self._pitches(spectrum))

    def _pitches(self, spectrum: npt.NDArray[np.float32]) -> tuple[float, ...]:
        needed = PURITY * float(spectrum.sum())
        highest = int(spectrum.argmax())
        around = self._around(highest)
        energy = float(spectrum[around].sum())
        if energy >= needed:
            return (self._frequency(spectrum, highest),)
        rest = spectrum.copy()
        rest[around] = 0
        second = int(rest.argmax())
        energy += float(rest[self._around(second)].sum())
        if energy < needed or spectrum[second] < WEAKER * spectrum[highest]:
            return ()
        return tuple(sorted(self._frequency(spectrum, peak) for peak in (highest, second)))

    def _around(self, peak: int) -> slice:
        return slice(max(0, peak - self._lobe), peak + self._lobe + 1)

    def _frequency(self, spectrum: npt.NDArray[np.float32], peak: int) -> float:
        """Between the bins: the top of the parabola through the peak and its neighbours."""
        offset = 0.0
        if 0 < peak < len(spectrum) - 1:
            left, top, right = (float(x) for x in np.log(spectrum[peak - 1 : peak + 2] + 1e-20))
            curve = left - 2 * top + right
            offset = 0.5 * (left - right) / curve if curve else 0.0
        return (self._first + peak + offset) * self._bin_hz
