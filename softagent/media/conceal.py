"""Sound for packets that never came: the last one again, fading away.

aiortp 0.8.0 has the same with a Python loop over the samples; a lossy call can't pay for that.
"""

from __future__ import annotations

import numpy as np

from softagent.media.frame import Samples

FADE_MS = 60
"""From full sound to silence (G.711 Appendix I ends at 60 ms too)."""
HISTORY_MS = 20


class Concealer:
    """Repeats what was heard last, quieter and quieter. One stream, one thread."""

    def __init__(self, rate_hz: int) -> None:
        self._fade_samples = rate_hz * FADE_MS // 1000
        self._history_samples = rate_hz * HISTORY_MS // 1000
        self._history = np.zeros(self._history_samples, dtype=np.int16)
        self._concealed = self._fade_samples

    def heard(self, samples: Samples) -> None:
        """Remember real sound, shape (n,)."""
        if len(samples) < self._history_samples:
            samples = np.concatenate((self._history, samples))
        self._history = samples[len(samples) - self._history_samples :]
        self._concealed = 0

    def conceal(self, count: int) -> Samples:
        """Make `count` samples that follow the last real ones without a break in loudness."""
        position = np.arange(self._concealed, self._concealed + count)
        self._concealed = min(self._concealed + count, self._fade_samples)
        gain = np.maximum(1 - position / self._fade_samples, 0)
        concealed: Samples = (self._history[position % self._history_samples] * gain).astype(
            np.int16
        )
        return concealed
