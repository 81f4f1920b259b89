"""A telephone line on which the agent's voice comes back. Pure.

agent's frame -> coded -> delay, 8 ms of ringing, a telephone's band -.
caller's frame, the line's noise ------------------------------------(+)-> coded -> what is heard
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from softagent.media.codec import codec_named
from softagent.media.frame import Samples, frame_samples

NOISE_RMS = 18.0
"""-65 dB of full scale."""
LOW_HZ, HIGH_HZ = 250, 3400
FILTER_MS = 8
"""An echo is mostly shorter (ITU-T G.168)."""
BLUR = 0.3
BLUR_SECONDS = 0.001

Wave = npt.NDArray[np.float64]


class EchoLine:
    """Frame by frame: the agent's goes in, and what is heard of the caller comes out.

    Both directions are coded, PCMU at 8 kHz and G.722 at 16 kHz. The same every time.
    """

    def __init__(
        self,
        rate_hz: int,
        *,
        level_db: float | None,
        delay_ms: int = 0,
        voice: Samples,
        noise_rms: float = NOISE_RMS,
    ) -> None:
        """The echo of `voice`, shape (n,), is `level_db` below it; None is a line without echo."""
        name = "PCMU" if rate_hz == 8000 else "G722"
        self._there, self._back = codec_named(name), codec_named(name)
        self._size = frame_samples(rate_hz)
        self._random = np.random.default_rng(1)
        self._noise_rms = noise_rms
        self._response = np.zeros(1)
        if level_db is not None:
            ringing = _ringing(rate_hz, self._random)
            self._response = ringing * 10 ** (level_db / 20) / _gain(ringing, voice)
        delay = rate_hz * delay_ms // 1000
        self._past = np.zeros(delay + self._size + len(self._response) - 1)

    def tick(self, agent: Samples, caller: Samples | None = None) -> Samples:
        """What is heard in the tick in which `agent` is sent, shape (n,) each."""
        sent = self._there.decode(self._there.encode(agent))
        self._past[: -self._size] = self._past[self._size :]
        self._past[-self._size :] = sent
        source = self._past[: self._size + len(self._response) - 1]
        sound = self._random.normal(0, self._noise_rms, self._size)
        sound += np.convolve(source, self._response, mode="valid")
        if caller is not None:
            sound += caller
        return self._back.decode(self._back.encode(np.clip(sound, -32768, 32767).astype(np.int16)))


def frames(sound: Samples, rate_hz: int) -> Iterator[Samples]:
    """`sound`, shape (n,), as whole frames, the last one filled up with silence."""
    size = frame_samples(rate_hz)
    padded = np.concatenate((sound, np.zeros(-len(sound) % size, dtype=np.int16)))
    yield from padded.reshape(-1, size)


def _ringing(rate_hz: int, random: np.random.Generator) -> Wave:
    """A random mild filter and a telephone's band: an impulse response, shape (n,)."""
    length = rate_hz * FILTER_MS // 1000
    times = np.arange(length) / rate_hz
    blur = random.normal(0, BLUR, length) * np.exp(-times / BLUR_SECONDS) * np.sqrt(8000 / rate_hz)
    blur[0] = 1.0
    around = np.arange(-length // 2, length // 2 + 1)
    low, high = 2 * LOW_HZ / rate_hz, 2 * HIGH_HZ / rate_hz
    band = high * np.sinc(high * around) - low * np.sinc(low * around)
    return np.convolve(blur, band * np.hamming(len(band)))


def _gain(response: Wave, voice: Samples) -> float:
    """By how much the response makes `voice` louder."""
    sound = voice.astype(np.float64)
    return float(np.sqrt(np.mean(np.convolve(sound, response) ** 2) / np.mean(sound**2)))
