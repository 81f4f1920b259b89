"""Sound from one sampling rate to another: soxr, for the engines that want a rate of their own."""

from __future__ import annotations

import numpy as np
import soxr

from softagent.media.frame import Samples


class Resampler:
    """One running conversion: pieces of any length in, pieces of varying length out. One thread."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = (
            None
            if from_hz == to_hz
            else soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16", quality="HQ")
        )

    def process(self, samples: Samples, *, last: bool = False) -> Samples:
        """Convert more sound, shape (n,); `last` gives out what the filter still holds."""
        if self._stream is None:
            return samples
        converted: Samples = self._stream.resample_chunk(samples, last=last)
        return converted


def resample(samples: Samples, *, from_hz: int, to_hz: int) -> Samples:
    """Convert a whole sound, shape (n,), at once."""
    if from_hz == to_hz or not len(samples):
        return samples
    converted: Samples = soxr.resample(samples, from_hz, to_hz, quality="HQ")
    return np.asarray(converted, dtype=np.int16)
