"""G.722: 7 kHz wide sound in the 64 kbit/s of a telephone channel, by the library of that name.

The PyPI package G722 1.2.8 (libg722, public domain) is ITU-T G.722 in C and passes the ITU's
test sequences. It drops an odd last sample without a word, takes `bytes` for a list of 8-bit
samples, and carries no types: nothing else of softagent imports it.
"""

from __future__ import annotations

import numpy as np
from G722 import G722 as Engine

from softagent.media.frame import Samples

BITS_PER_SECOND = 64000


class G722:
    """ITU-T G.722 mode 1, both directions of one stream: it remembers what it heard and said.

    The RTP clock is 8 kHz although it samples at 16 kHz, an error that RFC 3551 section
    4.5.2 keeps for compatibility. One thread may encode while another one decodes.
    """

    name = "G722"
    payload_type = 9
    rate_hz = 16000
    clock_hz = 8000

    def __init__(self) -> None:
        self._encoder = Engine(self.rate_hz, BITS_PER_SECOND)
        self._decoder = Engine(self.rate_hz, BITS_PER_SECOND)

    def encode(self, samples: Samples) -> bytes:
        """Turn samples of shape (2n,) into n bytes."""
        encoded: bytes = self._encoder.encode(np.ascontiguousarray(samples))
        return encoded

    def decode(self, payload: bytes) -> Samples:
        """Turn n bytes into samples of shape (2n,)."""
        return np.array(self._decoder.decode(payload), dtype=np.int16)

    def duration(self, payload: bytes) -> int:
        """One byte is two samples and one unit."""
        return len(payload)
