"""Sound for packets that never came: the last pitch periods again, fading away.

After ITU-T G.711 Appendix I, at any rate and without its delay of 3.75 ms: what was heard has
been played already, so the seam is smoothed on the made-up side. aiortp 0.8.0 repeats a whole
frame with a Python loop over the samples; a lossy call can't pay for that.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from softagent.media.frame import Samples

FADE_MS = 60
"""Silence after so much made-up sound (Appendix I)."""
FULL_MS = 10
"""Full loudness up to here."""
SHORTEST_PERIOD_MS = 5
LONGEST_PERIOD_MS = 15
"""Pitch from 200 Hz down to 66 Hz; a higher voice repeats several periods."""
MATCH_MS = 10
"""Sound that is compared to find the pitch."""
STAGES_MS = (0, 10, 20, FADE_MS)
"""One period is repeated, from 10 ms on two, from 20 ms on three: fewer would buzz."""
SEAM = 4
"""A seam is as long as this part of a period."""
RETURN_MS = 5
"""How slowly made-up sound, or silence after it, gives way to real one."""
HISTORY_MS = 4 * LONGEST_PERIOD_MS
"""Three periods and what leads to them."""

Wave = npt.NDArray[np.float32]


class Concealer:
    """Makes up what should follow the sound so far. One stream, one thread."""

    def __init__(self, rate_hz: int) -> None:
        self._per_ms = rate_hz // 1000
        self._history = np.zeros(HISTORY_MS * self._per_ms, dtype=np.int16)
        self._made_up = np.zeros(0, dtype=np.float32)
        """What would follow the last real sound: shape (FADE_MS,), made at the first loss."""
        self._concealed = 0
        """Samples of it given out since real sound was heard."""
        fade = np.linspace(1, 0, (FADE_MS - FULL_MS) * self._per_ms, dtype=np.float32)
        self._fade = np.concatenate((np.ones(FULL_MS * self._per_ms, dtype=np.float32), fade))

    def heard(self, samples: Samples) -> Samples:
        """Take real sound, shape (n,), and give it as it should be heard: after a loss its
        beginning is blended with the made-up sound that it takes over from."""
        if self._concealed:
            samples = self._blended(samples)
            self._concealed = 0
        self._remember(samples)
        return samples

    def conceal(self, count: int) -> Samples:
        """Make `count` samples that follow the last ones without a break."""
        if not self._concealed:
            self._made_up = self._continuation()
        sound = self._next(count).astype(np.int16)
        self._concealed += count
        self._remember(sound)
        return sound

    def pause(self) -> None:
        """The sender has fallen silent by itself: what comes next takes over from nothing."""
        self._concealed = 0
        self._history = np.zeros_like(self._history)

    def _remember(self, samples: Samples) -> None:
        size = len(self._history)
        if len(samples) < size:
            samples = np.concatenate((self._history[len(samples) :], samples))
        self._history = samples[len(samples) - size :]

    def _next(self, count: int) -> Wave:
        """The next `count` samples of the made-up sound, silence after its end."""
        piece = np.zeros(count, dtype=np.float32)
        rest = self._made_up[self._concealed : self._concealed + count]
        piece[: len(rest)] = rest
        return piece

    def _blended(self, samples: Samples) -> Samples:
        count = min(RETURN_MS * self._per_ms, len(samples))
        gain = np.arange(1, count + 1, dtype=np.float32) / (count + 1)
        blended = samples.copy()
        blended[:count] = samples[:count] * gain + self._next(count) * (1 - gain)
        return blended

    def _continuation(self) -> Wave:
        """The history's last periods again and again, fading to silence within FADE_MS."""
        history = self._history.astype(np.float32)
        period = self._period(history)
        seam = max(period // SEAM, 1)
        fade_in = np.arange(seam, dtype=np.float32) / seam
        sound = np.empty(FADE_MS * self._per_ms, dtype=np.float32)
        for periods, (begin_ms, end_ms) in enumerate(itertools.pairwise(STAGES_MS), start=1):
            begin, end = begin_ms * self._per_ms, end_ms * self._per_ms
            stage = _repeated(history, periods * period, begin, min(end + seam, len(sound)) - begin)
            if begin:
                stage[:seam] = stage[:seam] * fade_in + sound[begin : begin + seam] * (1 - fade_in)
            sound[begin : begin + len(stage)] = stage
        sound[:seam] += (history[-1] - history[-1 - period]) * (1 - fade_in)
        sound *= self._fade
        return np.clip(sound, -32768, 32767)

    def _period(self, history: Wave) -> int:
        """The lag at which the history resembles its own end most (normalised correlation)."""
        shortest, longest = SHORTEST_PERIOD_MS * self._per_ms, LONGEST_PERIOD_MS * self._per_ms
        size = MATCH_MS * self._per_ms
        end = history[-size:]
        searched = history[-size - longest : -shortest]
        match = np.correlate(searched, end, "valid")
        energy = np.concatenate(([0.0], np.cumsum(searched.astype(np.float64) ** 2)))
        power = energy[size:] - energy[:-size]
        likeness = match / np.sqrt(power + 1.0)
        return longest - int(np.argmax(likeness))


def _repeated(history: Wave, length: int, begin: int, count: int) -> Wave:
    """The last `length` samples over and over, from position `begin` on, end and beginning joined."""
    seam = max(min(length // SEAM, len(history) - length), 1)
    gain = np.arange(1, seam + 1, dtype=np.float32) / seam
    cycle = history[-length:].copy()
    cycle[-seam:] += (history[-length - seam : -length] - cycle[-seam:]) * gain
    begin %= length
    repeated: Wave = np.tile(cycle, (begin + count) // length + 1)[begin : begin + count]
    return repeated
