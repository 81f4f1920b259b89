"""Whether the agent's own voice comes back with the caller's sound, and how late. Pure.

Tick.agent, Tick.caller -> EchoGauge.push -> Likeness(delay, strength), now and then

The caller's last 200 ms are looked for in what the agent said in the last 700 ms: a generalised
cross-correlation (Knapp & Carter 1976) of sounds whose spectra have been flattened, because
voices are periodic and two of them would be alike at many delays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from softagent.media.frame import TICKS_PER_SECOND, Samples

GAUGE_HZ = 8000
"""Echo is looked for below 4 kHz at any rate of the call."""
WINDOW = GAUGE_HZ * 200 // 1000
LONGEST_DELAY_MS = 500
LONGEST_DELAY = GAUGE_HZ * LONGEST_DELAY_MS // 1000
SPAN = WINDOW + LONGEST_DELAY
FLATNESS = 0.35
"""Exponent of the flattening: 0.5 for a white spectrum, which would be mostly the line's noise."""
SMOOTHING_BINS = 20
"""Spectra are averaged over so many neighbours each way (28 Hz): voices lose their harmonics."""
QUIETEST_RMS = 30.0
"""Below it (-61 dB of full scale) nobody hears anything."""
LOUD_RMS = 10 * QUIETEST_RMS
"""What would come back as something, at -20 dB."""
SPREAD_MS = 10
LEAST_SPREAD = 2.5
"""The window's energy must fill so many pieces of 10 ms: one click is like any other."""
LEAST_SHARE = 0.1
"""The agent's sound at the delay in question must have this share of its mean energy."""

Wave = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What the caller's last 200 ms have in common with what the agent said before."""

    delay_ms: float
    """Of the agent's sound that is most like it."""
    strength: float
    """Correlation at that delay, 0 to 1. Voices that are no echo hardly ever reach 0.25, an echo
    alone is mostly above 0.4."""


class EchoGauge:
    """One call's. Call thread only; about 0.5 ms for a look, which is taken in some ticks."""

    def __init__(self, *, rate_hz: int) -> None:
        """Raises ValueError for a rate that isn't a multiple of 8000 Hz."""
        if rate_hz % GAUGE_HZ:
            raise ValueError(f"{rate_hz} Hz: expected a multiple of {GAUGE_HZ}")
        self._agent = _Past(SPAN, rate_hz)
        self._caller = _Past(WINDOW, rate_hz)
        self._agent_ticks = 0
        """Ticks until the agent's last sound has left the span."""

    @property
    def hears_nothing_back(self) -> bool:
        """Whether the agent has been speaking and the caller's side is silent."""
        return self._agent.rms > LOUD_RMS and self._caller.rms <= QUIETEST_RMS

    @property
    def can_look(self) -> bool:
        """Whether there is any sound on both sides to compare."""
        return self._agent_ticks > 0 and self._caller.rms > QUIETEST_RMS

    def push(self, *, caller: Samples, agent: Samples) -> None:
        """Take the two frames of a tick, shape (n,) each."""
        self._agent.push(agent)
        self._caller.push(caller)
        if np.abs(agent).max(initial=0) > QUIETEST_RMS:
            self._agent_ticks = SPAN * TICKS_PER_SECOND // GAUGE_HZ
        elif self._agent_ticks:
            self._agent_ticks -= 1

    def look(self) -> Likeness | None:
        """Compare; None when the caller's window holds too little to tell."""
        if not self.can_look or _spread(self._caller.sound) < LEAST_SPREAD:
            return None
        strengths = _correlations(self._caller.sound, self._agent.sound)
        delay = int(np.argmax(strengths))
        return Likeness(delay * 1000 / GAUGE_HZ, min(1.0, float(strengths[delay])))


class _Past:
    """The last sound of one side, at GAUGE_HZ."""

    def __init__(self, size: int, rate_hz: int) -> None:
        self.sound: Wave = np.zeros(size, dtype=np.float32)
        self._step = rate_hz // GAUGE_HZ
        self._filter = _half_band(self._step)
        self._tail: Wave = np.zeros(len(self._filter) - 1, dtype=np.float32)

    @property
    def rms(self) -> float:
        """Root mean square, of 32767."""
        return float(np.sqrt(np.mean(np.square(self.sound))))

    def push(self, samples: Samples) -> None:
        """Add sound at the call's rate."""
        new = samples.astype(np.float32)
        if self._step > 1:
            joined = np.concatenate((self._tail, new))
            self._tail = joined[len(new) :]
            new = np.convolve(joined, self._filter, mode="valid")[:: self._step]
        count = len(new)
        self.sound[:-count] = self.sound[count:]
        self.sound[-count:] = new


def _half_band(step: int) -> Wave:
    """A low-pass filter for keeping every `step`th sample: a windowed sinc, shape (8 step + 1,)."""
    if step == 1:
        return np.ones(1, dtype=np.float32)
    taps = np.sinc(np.arange(-4 * step, 4 * step + 1) / step) * np.hamming(8 * step + 1)
    kept: Wave = (taps / taps.sum()).astype(np.float32)
    return kept


def _spread(sound: Wave) -> float:
    """Over how many pieces of 10 ms the energy of `sound` is spread, 1 to 20."""
    energies = np.square(sound).reshape(-1, GAUGE_HZ * SPREAD_MS // 1000).sum(axis=1)
    return float(energies.sum() ** 2 / (np.square(energies).sum() + 1.0))


def _correlations(caller: Wave, agent: Wave) -> Wave:
    """How like the agent's sound is to the caller's at each delay, shape (LONGEST_DELAY + 1,)."""
    caller_bins, agent_bins = np.fft.rfft(caller, SPAN), np.fft.rfft(agent, SPAN)
    flattening = (_smoothed(caller_bins) * _smoothed(agent_bins)) ** (-FLATNESS / 2)
    caller_bins *= flattening
    agent_bins *= flattening
    products = np.fft.irfft(np.conj(caller_bins) * agent_bins, SPAN)[: LONGEST_DELAY + 1]
    squares = np.concatenate(([0.0], np.cumsum(np.square(np.fft.irfft(agent_bins, SPAN)))))
    energies = np.maximum(squares[WINDOW:] - squares[:-WINDOW], squares[-1] * LEAST_SHARE)
    caller_energy = float(2 * _powers(caller_bins).sum()) / SPAN  # Parseval's theorem
    strengths = np.abs(products) / np.sqrt(energies * caller_energy + 1e-12)
    backwards: Wave = strengths[::-1].astype(np.float32)
    return backwards


def _smoothed(bins: npt.NDArray[np.complexfloating]) -> npt.NDArray[np.floating]:
    """The power of each bin, averaged with its neighbours; never 0."""
    powers = _powers(bins)
    width = SMOOTHING_BINS
    mirrored = np.concatenate((powers[width:0:-1], powers, powers[-2 : -2 - width : -1]))
    sums = np.concatenate(([0.0], np.cumsum(mirrored)))
    smoothed = (sums[2 * width + 1 :] - sums[: -2 * width - 1]) / (2 * width + 1)
    return np.asarray(smoothed + powers.mean() * 1e-3 + 1e-6)


def _powers(bins: npt.NDArray[np.complexfloating]) -> npt.NDArray[np.floating]:
    return np.asarray(np.square(bins.real) + np.square(bins.imag))
