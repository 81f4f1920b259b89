"""Comfort noise: what a line sounds like while its sender, having nothing to say, sends nothing.

A packet of it (RFC 3389) tells how loud the noise behind the caller is. Something of the sort
is played, so that a recording doesn't seem to be cut and the voice detector hears no sudden
digital silence; never louder than a quiet room, whatever a packet says.
"""

from __future__ import annotations

import numpy as np

from softagent.media.frame import Samples

STATIC_PAYLOAD_TYPE = 13
"""RFC 3551 table 4: some senders use it without saying so in SDP."""
LOUDEST_DBOV = 50
"""-50 dBov: below speech, and below what the voice detector takes for it."""
SILENT_DBOV = 100
"""From here on all samples are zero."""
FULL_SCALE = 32768
TABLE_SECONDS = 2


class ComfortNoise:
    """White noise of the level that was told last; silent before. One stream, one thread."""

    def __init__(self, rate_hz: int) -> None:
        self._table = np.random.default_rng(rate_hz).standard_normal(TABLE_SECONDS * rate_hz)
        """Unit power; played round and round."""
        self._position = 0
        self._gain = 0.0

    def tell(self, payload: bytes) -> None:
        """Take the payload of a packet: the level in -dBov, then the spectrum, which is ignored."""
        level_dbov = payload[0] & 0x7F if payload else SILENT_DBOV
        level_dbov = max(level_dbov, LOUDEST_DBOV)
        self._gain = FULL_SCALE * 10 ** (-level_dbov / 20) if level_dbov < SILENT_DBOV else 0.0

    def stop(self) -> None:
        """Be silent until the next packet tells a level."""
        self._gain = 0.0

    def noise(self, count: int) -> Samples:
        """Make the next `count` samples."""
        if not self._gain:
            return np.zeros(count, dtype=np.int16)
        places = np.arange(self._position, self._position + count)
        self._position = (self._position + count) % len(self._table)
        wave = np.take(self._table, places, mode="wrap") * self._gain
        return np.rint(wave).astype(np.int16)
