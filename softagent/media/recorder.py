"""A call as a stereo WAV: caller left, agent right.

call thread -> write(caller, agent) -> file, playable up to the last second at any time
"""

from __future__ import annotations

import contextlib
import errno
import os
import wave
from pathlib import Path

import numpy as np

from softagent.errors import DiskFull
from softagent.media.frame import TICKS_PER_SECOND, Samples

BUFFER_BYTES = 1 << 16
"""More than a second of stereo at 16 kHz: the disk is touched once a second."""


class StereoRecorder:
    """Writes one call. One thread; nothing but the current second is kept in memory.

    Once a second the header is brought up to date, so that a recording whose process
    was killed is a valid file.
    """

    def __init__(self, path: Path, rate_hz: int) -> None:
        """Create `path`, for its owner only, and its folder; DiskFull, or OSError when it can't be written."""
        self._path = path
        self._frames = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        # It stays open until `_release`.
        self._file = open(path, "wb", buffering=BUFFER_BYTES, opener=_private)  # noqa: SIM115
        self._wave = wave.Wave_write(self._file)
        self._wave.setnchannels(2)
        self._wave.setsampwidth(2)
        self._wave.setframerate(rate_hz)
        self._flush()

    def write(self, caller: Samples, agent: Samples) -> None:
        """Add one frame of each side, both of shape (n,).

        DiskFull, or another OSError, ends the recording: what follows is not written.
        """
        if self._file.closed:
            return
        self._wave.writeframesraw(np.column_stack((caller, agent)).astype("<i2").tobytes())
        self._frames += 1
        if self._frames % TICKS_PER_SECOND == 0:
            self._flush()

    def close(self) -> None:
        """Write what is left; may be called again."""
        if not self._file.closed:
            self._flush()
            self._release()

    def _flush(self) -> None:
        """Write the buffer and bring the header up to date."""
        try:
            self._wave.writeframes(b"")
            self._file.flush()
        except OSError as error:
            self._release()
            if error.errno != errno.ENOSPC:
                raise
            raise DiskFull(f"{self._path}: no room left for the recording; free some") from error

    def _release(self) -> None:
        """Close the file; what can't be written now never can."""
        with contextlib.suppress(OSError):
            self._wave.close()
        with contextlib.suppress(OSError):
            self._file.close()


def _private(path: str, flags: int) -> int:
    """Readable by its owner only: it holds what was said."""
    return os.open(path, flags, 0o600)
