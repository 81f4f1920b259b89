"""Sound to bytes and back: the codecs behind one small protocol, and G.711 itself.

caller's packets -> decode -> jitter buffer ... Playout -> encode -> our packets

aiortp 0.8.0 has G.711 too, but its A-law turns the sign bit round (0 becomes 0x55
instead of 0xD5), which inverts the polarity against every other implementation.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from softagent.media.frame import Samples
from softagent.media.g722 import G722

MU_LAW_BIAS = 33
MU_LAW_CLIP = 0x1FFF
"""Largest 14-bit magnitude with the bias added (G.711 table 2a)."""


class Codec(Protocol):
    """One direction-pair of one call: may keep state, so each stream has its own."""

    @property
    def name(self) -> str:
        """Name in SDP."""
        ...

    @property
    def payload_type(self) -> int:
        """The static payload type of RFC 3551 section 6."""
        ...

    @property
    def rate_hz(self) -> int:
        """Sampling rate of `encode`'s and `decode`'s samples."""
        ...

    @property
    def clock_hz(self) -> int:
        """Rate of the RTP timestamp; not always the sampling rate (RFC 3551 section 4.5.2)."""
        ...

    def encode(self, samples: Samples) -> bytes:
        """Turn samples of shape (n,) into a payload."""
        ...

    def decode(self, payload: bytes) -> Samples:
        """Turn a payload into samples of shape (n,); any payload gives some sound."""
        ...

    def duration(self, payload: bytes) -> int:
        """How long a payload lasts, in units of the RTP clock."""
        ...


def _mu_law_expansion() -> Samples:
    """The 256 values of G.711 table 2, in 16 bits: shape (256,)."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = (((2 * mantissa + MU_LAW_BIAS) << exponent) - MU_LAW_BIAS) << 2
    expansion: Samples = np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)
    return expansion


def _a_law_expansion() -> Samples:
    """The 256 values of G.711 table 1, in 16 bits: shape (256,)."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    step = np.where(exponent > 0, 2 * mantissa + 33, 2 * mantissa + 1)
    magnitude = (step << np.maximum(exponent, 1)) << 2
    expansion: Samples = np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)
    return expansion


def _split_sign() -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int32]]:
    """Sign and one's-complement magnitude of all 16-bit values, indexed as unsigned."""
    linear = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    return linear < 0, np.where(linear < 0, ~linear, linear)


def _segment(magnitude: npt.NDArray[np.int32], lowest_bit: int) -> npt.NDArray[np.int32]:
    """How far the highest set bit lies above `lowest_bit`; 0 when it doesn't."""
    bits = np.frexp(magnitude.astype(np.float64))[1].astype(np.int32)
    above: npt.NDArray[np.int32] = np.maximum(bits - 1 - lowest_bit, 0)
    return above


def _mu_law_compression() -> npt.NDArray[np.uint8]:
    """Code of each 16-bit value, rounded as the ITU's own G.191 tools do: shape (65536,)."""
    negative, magnitude = _split_sign()
    biased = np.minimum((magnitude >> 2) + MU_LAW_BIAS, MU_LAW_CLIP)
    exponent = _segment(biased, 5)
    code = (exponent << 4) | ((biased >> (exponent + 1)) & 15)
    compression: npt.NDArray[np.uint8] = (np.where(negative, 0x7F, 0xFF) ^ code).astype(np.uint8)
    return compression


def _a_law_compression() -> npt.NDArray[np.uint8]:
    """Code of each 16-bit value, rounded as the ITU's own G.191 tools do: shape (65536,)."""
    negative, magnitude = _split_sign()
    coarse = magnitude >> 4
    exponent = np.where(coarse > 15, _segment(coarse, 4) + 1, 0)
    code = (exponent << 4) | ((coarse >> np.maximum(exponent - 1, 0)) & 15)
    compression: npt.NDArray[np.uint8] = (np.where(negative, 0x55, 0xD5) ^ code).astype(np.uint8)
    return compression


class G711:
    """ITU-T G.711: 8 bits a sample at 8 kHz by table. Keeps no state; any thread."""

    rate_hz = 8000
    clock_hz = 8000

    def __init__(
        self, name: str, payload_type: int, compression: npt.NDArray[np.uint8], expansion: Samples
    ) -> None:
        self.name = name
        self.payload_type = payload_type
        self._compression = compression
        self._expansion = expansion

    def encode(self, samples: Samples) -> bytes:
        """Turn samples of shape (n,) into n bytes."""
        return self._compression[samples.view(np.uint16)].tobytes()

    def decode(self, payload: bytes) -> Samples:
        """Turn n bytes into samples of shape (n,)."""
        return self._expansion[np.frombuffer(payload, dtype=np.uint8)]

    def duration(self, payload: bytes) -> int:
        """One byte is one unit."""
        return len(payload)


def codec_named(name: str) -> Codec:
    """Make a fresh codec by its SDP name: PCMU, PCMA or G722; ValueError for any other."""
    match name:
        case "PCMU":
            return G711("PCMU", 0, _MU_LAW_COMPRESSION, _MU_LAW_EXPANSION)
        case "PCMA":
            return G711("PCMA", 8, _A_LAW_COMPRESSION, _A_LAW_EXPANSION)
        case "G722":
            return G722()
    raise ValueError(f'codec "{name}": expected PCMU, PCMA or G722')


_MU_LAW_COMPRESSION = _mu_law_compression()
_MU_LAW_EXPANSION = _mu_law_expansion()
_A_LAW_COMPRESSION = _a_law_compression()
_A_LAW_EXPANSION = _a_law_expansion()
