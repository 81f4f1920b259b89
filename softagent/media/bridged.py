"""A codec at a call's own rate: after a re-INVITE a call goes on at the rate it began with.

8 kHz call:  caller's G.722 -> decode -> halve  -> jitter buffer ... Playout -> double -> encode
16 kHz call: caller's PCMU  -> decode -> double -> jitter buffer ... Playout -> halve  -> encode

Not by soxr: soxr 1.1.0's ResampleStream gives out nothing for its first 115 ms and then
pieces of 100 ms (quality HQ; 61 ms with LQ). A short filter delays 2.4 ms and gives exactly
as many samples as it is asked for.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from softagent.media.codec import Codec, codec_named
from softagent.media.frame import Samples

TAPS = 77
"""At 16 kHz: 2.4 ms of delay, flat up to 3.5 kHz, 60 dB down from 4.5 kHz on."""
KAISER_BETA = 5.65
FULL_SCALE = 32767

Wave = npt.NDArray[np.float32]
"""Sound between filters, shape (n,), at the scale of 16 bits."""


def _half_band() -> Wave:
    """A low-pass filter for a quarter of the sampling rate, by window: shape (TAPS,)."""
    position = np.arange(TAPS) - TAPS // 2
    taps = np.sinc(position / 2) * np.kaiser(TAPS, KAISER_BETA)
    half_band: Wave = (taps / taps.sum()).astype(np.float32)
    return half_band


class RateFilter:
    """The filter that both ways share, with what it remembers. One stream, one thread."""

    def __init__(self) -> None:
        self._past = np.zeros(TAPS - 1, dtype=np.float32)

    def _filtered(self, sound: Wave) -> Wave:
        joined = np.concatenate((self._past, sound))
        self._past = joined[len(sound) :]
        return np.convolve(joined, _HALF_BAND, "valid") if len(sound) else sound


class RateDoubler(RateFilter):
    """n samples in, exactly 2n out at twice the rate."""

    def process(self, samples: Samples) -> Samples:
        """Convert shape (n,) to shape (2n,)."""
        spread = np.zeros(2 * len(samples), dtype=np.float32)
        spread[::2] = samples
        return _rounded(2 * self._filtered(spread))


class RateHalver(RateFilter):
    """2n samples in, exactly n out at half the rate."""

    def process(self, samples: Samples) -> Samples:
        """Convert shape (2n,) to shape (n,)."""
        return _rounded(self._filtered(samples.astype(np.float32))[::2])


class Bridged:
    """A codec of 8 or 16 kHz for a call of the other rate. One stream.

    One thread may encode while another one decodes.
    """

    def __init__(self, codec: Codec, rate_hz: int) -> None:
        """Speak `codec` with samples at `rate_hz`, half or twice its own; ValueError otherwise."""
        self.name = codec.name
        self.payload_type = codec.payload_type
        self.rate_hz = rate_hz
        self.clock_hz = codec.clock_hz
        self._codec = codec
        self._to_codec: RateHalver | RateDoubler
        self._from_codec: RateHalver | RateDoubler
        if rate_hz == 2 * codec.rate_hz:
            self._to_codec, self._from_codec = RateHalver(), RateDoubler()
        elif 2 * rate_hz == codec.rate_hz:
            self._to_codec, self._from_codec = RateDoubler(), RateHalver()
        else:
            raise ValueError(
                f"codec {codec.name} at {rate_hz} Hz: expected half or twice its {codec.rate_hz} Hz"
            )

    def encode(self, samples: Samples) -> bytes:
        """Turn samples of shape (n,) at the call's rate into a payload."""
        return self._codec.encode(self._to_codec.process(samples))

    def decode(self, payload: bytes) -> Samples:
        """Turn a payload into samples at the call's rate, as many as its duration says."""
        return self._from_codec.process(self._codec.decode(payload))

    def duration(self, payload: bytes) -> int:
        """As the codec says: the RTP clock is the codec's."""
        return self._codec.duration(payload)


def codec_at(name: str, rate_hz: int) -> Codec:
    """Make a fresh codec by its SDP name whose samples are at `rate_hz`; ValueError for an unknown name."""
    codec = codec_named(name)
    return codec if codec.rate_hz == rate_hz else Bridged(codec, rate_hz)


def _rounded(sound: Wave) -> Samples:
    return np.clip(np.rint(sound), -FULL_SCALE - 1, FULL_SCALE).astype(np.int16)


_HALF_BAND = _half_band()
