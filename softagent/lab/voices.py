"""The voices of the lab's callers: one synthetic, which isn't the agent's, and real people's."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from softagent.config import SynthesizerSettings
from softagent.errors import ConfigFileMissing
from softagent.lab.script import Line
from softagent.lab.sound import load_channels
from softagent.lab.timing import voiced_segments
from softagent.media.frame import Samples
from softagent.media.resample import resample
from softagent.models.store import ModelStore

CALLER_MODEL = "piper-joe"
RATE_HZ = 8000
"""Of every call in the lab: G.711."""
FADE_MS = 10
SHORTEST_MS = 1000
LONGEST_MS = 6000


def synthetic_lines(texts: Sequence[str], store: ModelStore) -> list[Line]:
    """`texts` spoken by the lab's caller. Raises ModelMissing when its voice isn't there."""
    from softagent.speech.piper import PiperSynthesizer

    settings = SynthesizerSettings(engine="piper", model=CALLER_MODEL)
    voice = PiperSynthesizer(store.resolve(CALLER_MODEL), settings)
    lines = []
    for text in texts:
        pieces = list(voice.synthesize(text, rate_hz=RATE_HZ, cancelled=lambda: False))
        lines.append(Line(text, trimmed(np.concatenate(pieces), RATE_HZ)))
    return lines


def human_lines() -> list[Line]:
    """The recordings of people that come with softagent."""
    with as_file(files("softagent.lab") / "utterances") as folder:
        return recorded_lines(folder)


def recorded_lines(folder: Path) -> list[Line]:
    """Every WAV of `folder` with the words in the .txt beside it, in order of name.

    Raises ConfigFileMissing when there is none, one lacks its words, or one isn't 1-6 s long.
    """
    paths = sorted(folder.glob("*.wav"))
    if not paths:
        raise ConfigFileMissing(f"{folder} holds no .wav files: put mono recordings of 1-6 s there")
    return [_recorded_line(path) for path in paths]


def trimmed(samples: Samples, rate_hz: int) -> Samples:
    """`samples`, shape (n,), without the silence around the speech, faded out in 10 ms.

    So the end of the sound is the end of the speech, also where a recording's noise
    would have gone on.
    """
    segments = voiced_segments(samples, rate_hz)
    if not segments:
        return samples[:0]
    fade = np.linspace(1.0, 0.0, rate_hz * FADE_MS // 1000)
    kept = samples[segments[0].start : segments[-1].end + len(fade)].copy()
    tail = min(len(fade), len(kept))
    kept[-tail:] = (kept[-tail:] * fade[-tail:]).astype(np.int16)
    return kept


def _recorded_line(path: Path) -> Line:
    words = path.with_suffix(".txt")
    if not words.is_file():
        raise ConfigFileMissing(f"{words} is missing: write what is said in {path.name} there")
    channels, rate_hz = load_channels(path)
    if len(channels) != 1:
        raise ConfigFileMissing(f"{path} has {len(channels)} channels: convert it to mono")
    samples = trimmed(resample(channels[0], from_hz=rate_hz, to_hz=RATE_HZ), RATE_HZ)
    length_ms = len(samples) * 1000 // RATE_HZ
    if not SHORTEST_MS <= length_ms <= LONGEST_MS:
        raise ConfigFileMissing(
            f"{path} holds {length_ms / 1000:.1f} s of speech: choose a recording of 1-6 s"
        )
    return Line(words.read_text(encoding="utf-8").strip(), samples)
