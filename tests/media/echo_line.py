"""A telephone line on which the agent's voice comes back, and recordings of people to speak on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sounds import load

from softagent.lab.sound import load_channels
from softagent.lab.voices import trimmed
from softagent.media.codec import codec_named
from softagent.media.frame import Samples, frame_samples
from softagent.media.resample import resample

TESTS = Path(__file__).parents[1]
SPEECH = TESTS / "data" / "speech"
UTTERANCES = TESTS.parent / "softagent" / "lab" / "utterances"
AGENT = "basic-pbx-ivr-main"
CALLERS = (
    "did-not-understand",
    "made-amiable",
    "nobody-available",
    "not-ill-disposed",
    "which-folder",
    "who-sent-this",
)
"""People who begin with a voice at once; two of them are the agent's speaker."""
REFERENCE_SECONDS = 5
NOISE_RMS = 18.0
"""-65 dB of full scale."""
LOW_HZ, HIGH_HZ = 250, 3400
FILTER_MS = 8

Wave = npt.NDArray[np.float64]


def agent_voice(rate_hz: int) -> Samples:
    """25 s of an agent's speech."""
    return resample(load(SPEECH / f"{AGENT}.wav"), from_hz=8000, to_hz=rate_hz)


def caller_voice(name: str, rate_hz: int) -> Samples:
    """One caller's words, from the first sound of them on."""
    channels, from_hz = load_channels(UTTERANCES / f"{name}.wav")
    return resample(trimmed(channels[0], from_hz), from_hz=from_hz, to_hz=rate_hz)


def caller_words(name: str) -> str:
    return (UTTERANCES / f"{name}.txt").read_text(encoding="utf-8").strip()


class EchoLine:
    """Frame by frame: the agent's goes in, and what is heard of the caller comes out.

    Both directions are coded (PCMU at 8 kHz, G.722 at 16 kHz); the echo passes a telephone's
    band and a random mild filter of 8 ms. A line without echo has the level None.
    """

    def __init__(
        self,
        rate_hz: int,
        *,
        level_db: float | None,
        delay_ms: int = 0,
        seed: int = 1,
        noise_rms: float = NOISE_RMS,
    ) -> None:
        name = "PCMU" if rate_hz == 8000 else "G722"
        self._there, self._back = codec_named(name), codec_named(name)
        self._size = frame_samples(rate_hz)
        self._random = np.random.default_rng(seed)
        self._noise_rms = noise_rms
        delay = rate_hz * delay_ms // 1000
        self._response = np.zeros(1)
        if level_db is not None:
            self._response = _response(rate_hz, self._random) * 10 ** (level_db / 20)
        self._has_echo = level_db is not None
        self._past = np.zeros(delay + self._size + len(self._response) - 1)

    def tick(self, agent: Samples, caller: Samples | None = None) -> Samples:
        """What is heard in the tick in which `agent` is sent, shape (n,) each."""
        sent = self._there.decode(self._there.encode(agent))
        self._past[: -self._size] = self._past[self._size :]
        self._past[-self._size :] = sent
        sound = self._random.normal(0, self._noise_rms, self._size)
        if self._has_echo:
            source = self._past[: self._size + len(self._response) - 1]
            sound += np.convolve(source, self._response, mode="valid")
        if caller is not None:
            sound += caller
        return self._back.decode(self._back.encode(np.clip(sound, -32768, 32767).astype(np.int16)))


def frames(sound: Samples, rate_hz: int) -> Iterator[Samples]:
    """`sound` as whole frames, the last one filled up with silence."""
    size = frame_samples(rate_hz)
    padded = np.concatenate((sound, np.zeros(-len(sound) % size, dtype=np.int16)))
    yield from padded.reshape(-1, size)


def _response(rate_hz: int, random: np.random.Generator) -> Wave:
    """A telephone's band, blurred; it neither raises nor lowers the level of speech."""
    length = rate_hz * FILTER_MS // 1000
    times = np.arange(length) / rate_hz
    blur = random.normal(0, 0.3, length) * np.exp(-times / 0.001) * np.sqrt(8000 / rate_hz)
    blur[0] = 1.0
    around = np.arange(-length // 2, length // 2 + 1)
    band = 2 * HIGH_HZ / rate_hz * np.sinc(2 * HIGH_HZ / rate_hz * around)
    band -= 2 * LOW_HZ / rate_hz * np.sinc(2 * LOW_HZ / rate_hz * around)
    response = np.convolve(blur, band * np.hamming(len(band)))
    speech = agent_voice(rate_hz)[: REFERENCE_SECONDS * rate_hz].astype(np.float64)
    loss = np.sqrt(np.mean(np.convolve(speech, response) ** 2) / np.mean(speech**2))
    return response / loss
