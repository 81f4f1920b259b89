"""Sound for what isn't there: made up where it was lost, quiet where the sender meant to be silent.

                  .-> Concealer     a packet is missing
JitterBuffer.pop -+
                  '-> ComfortNoise  the sender pauses
"""

from __future__ import annotations

import numpy as np

from softagent.media.comfort import ComfortNoise
from softagent.media.conceal import Concealer
from softagent.media.frame import Samples

SPLICE_MS = 5
"""How slowly a frame that is left out gives way to the next one."""


class Filler:
    """Whatever is heard beside the caller's own sound, and the seams to it. One stream, one thread."""

    def __init__(self, rate_hz: int) -> None:
        self._concealer = Concealer(rate_hz)
        self._comfort = ComfortNoise(rate_hz)
        self._splice_samples = rate_hz * SPLICE_MS // 1000

    def restart(self) -> None:
        """Another source begins: the noise of the one before is not its own."""
        self._comfort.stop()

    def tell(self, payload: bytes) -> None:
        """Take the payload of comfort noise: so loud are pauses from now on."""
        self._comfort.tell(payload)

    def heard(self, samples: Samples) -> Samples:
        """Take the caller's sound, shape (n,); give it with a smooth beginning after a loss."""
        return self._concealer.heard(samples) if len(samples) else samples

    def conceal(self, count: int) -> Samples:
        """Make up `count` samples that were lost, or are waited for."""
        return self._concealer.conceal(count)

    def pause(self, count: int) -> Samples:
        """Make `count` samples of a pause: what comes next begins as it is."""
        self._concealer.pause()
        return self._comfort.noise(count)

    def splice(self, frame: Samples, following: Samples) -> Samples:
        """Give `following` in place of `frame`, from which it takes over; both of shape (n,)."""
        spliced, count = following.copy(), self._splice_samples
        gain = np.arange(1, count + 1, dtype=np.float32) / (count + 1)
        spliced[:count] = frame[:count] * (1 - gain) + following[:count] * gain
        return spliced
