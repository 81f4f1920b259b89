"""Cuts the call's 20 ms frames into the windows that voice activity wants.

Tick.caller (160 or 320 samples) -> WindowChunker -> 256 or 512 samples -> VoiceActivity
"""

from __future__ import annotations

import numpy as np

from softagent.media.frame import Samples


class WindowChunker:
    """Sound of any length in, windows of one length out; what is left over waits for more.

    No sample is lost, doubled or reordered. One object per call, used by one thread.
    """

    def __init__(self, window_samples: int) -> None:
        if window_samples <= 0:
            raise ValueError(f"window of {window_samples} samples: must be at least 1")
        self.window_samples = window_samples
        self._rest: Samples = np.empty(0, np.int16)

    def push(self, samples: Samples) -> list[Samples]:
        """Add `samples`, shape (n,), and return every window that is now full, oldest first."""
        joined = np.concatenate((self._rest, samples))
        whole = joined.size // self.window_samples * self.window_samples
        self._rest = joined[whole:]
        return list(joined[:whole].reshape(-1, self.window_samples))
