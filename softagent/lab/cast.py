"""The voices of the scenarios' callers, and the noises around them. All at 8 kHz."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files

import numpy as np

from softagent.config import SynthesizerSettings
from softagent.engines import Synthesizer
from softagent.lab.sound import load_channels
from softagent.lab.steps import Noise, NoiseKind, PlayRecording, Say, VoiceName
from softagent.lab.voices import CALLER_MODEL, RATE_HZ, human_lines, trimmed
from softagent.media.frame import Samples
from softagent.media.resample import resample
from softagent.models.store import ModelStore

AGENTS_MODEL = "hibari-heart"
PITCH = {"joan": 1.18, "jack": 0.88}
"""Voices made of joe's: higher and lower by so much, and as fast as he is."""
SEED = 4
BABBLE_VOICES = 4
CLATTER_HZ = 3
"""Knocks in a second."""


class Cast:
    """Speaks for every caller. One thread; the voices are loaded when first needed.

    joe: a man (Piper). joan, jack: the same voice raised and lowered. heart: a woman, the
    voice that the agent has by default.
    """

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._engines: dict[str, Synthesizer] = {}
        self._spoken: dict[tuple[str, str], Samples] = {}

    def sound(self, step: Say | PlayRecording | Noise, voice: VoiceName) -> Samples:
        """What is heard of a step, shape (n,). Raises ModelMissing."""
        match step:
            case Say(text, own, cut_ms):
                samples = self._speak(text, own or voice)
                return samples if cut_ms is None else samples[: RATE_HZ * cut_ms // 1000]
            case PlayRecording(name):
                return recording(name)
            case Noise(kind, ms, dbfs):
                return noise(kind, ms, dbfs)

    def _speak(self, text: str, voice: str) -> Samples:
        if (text, voice) not in self._spoken:
            pitch = PITCH.get(voice, 1.0)
            engine = self._engine(voice, pitch)
            # Spoken at a rate that isn't its own, the voice is higher or lower; `speed` makes up for it.
            pieces = engine.synthesize(
                text, rate_hz=round(RATE_HZ / pitch), cancelled=lambda: False
            )
            samples = np.concatenate(list(pieces))
            self._spoken[text, voice] = trimmed(samples, RATE_HZ)
        return self._spoken[text, voice]

    def _engine(self, voice: str, pitch: float) -> Synthesizer:
        if voice not in self._engines:
            self._engines[voice] = self._load(voice, pitch)
        return self._engines[voice]

    def _load(self, voice: str, pitch: float) -> Synthesizer:
        if voice == "heart":
            from softagent.speech.hibari import HibariSynthesizer

            settings = SynthesizerSettings(engine="hibari", model=AGENTS_MODEL)
            return HibariSynthesizer(self._store.resolve(AGENTS_MODEL), settings)
        from softagent.speech.piper import PiperSynthesizer

        settings = SynthesizerSettings(engine="piper", model=CALLER_MODEL, speed=1 / pitch)
        return PiperSynthesizer(self._store.resolve(CALLER_MODEL), settings)


def recording(name: str) -> Samples:
    """A recording of the lab's, shape (n,)."""
    with as_file(files("softagent.lab") / "recordings" / f"{name}.wav") as path:
        channels, rate_hz = load_channels(path)
    return trimmed(resample(channels[0], from_hz=rate_hz, to_hz=RATE_HZ), RATE_HZ)


def noise(kind: NoiseKind, ms: int, dbfs: float) -> Samples:
    """`ms` of noise at the level `dbfs` (RMS), shape (n,); the same every time."""
    count = RATE_HZ * ms // 1000
    chance = np.random.default_rng(SEED)
    match kind:
        case "hiss":
            sound = chance.standard_normal(count)
        case "babble":
            sound = np.sum([_endless(line, count) for line in _voices()], axis=0)
        case "clatter":
            decay = np.exp(-np.arange(RATE_HZ // 20) / (RATE_HZ / 100))
            sound = np.zeros(count)
            for _ in range(max(1, CLATTER_HZ * ms // 1000)):
                at = int(chance.integers(0, max(1, count - len(decay))))
                room = min(len(decay), count - at)
                sound[at : at + room] += (decay * chance.standard_normal(len(decay)))[:room]
    level = np.sqrt(np.mean(np.square(sound))) or 1.0
    scaled = sound / level * 32768 * 10 ** (dbfs / 20)
    return np.clip(scaled, -32768, 32767).astype(np.int16)


def _voices() -> Iterator[Samples]:
    for number, line in enumerate(human_lines()[:BABBLE_VOICES]):
        yield np.roll(line.samples, number * RATE_HZ)


def _endless(samples: Samples, count: int) -> Samples:
    return np.resize(samples, count)
