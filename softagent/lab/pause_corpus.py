"""Turns of callers whose end is known: recorded and synthetic voices, with pauses put inside. Pure.

Saying (parts of speech) -> parts, pauses between them -> noise, telephone line -> SpokenTurn

Everything random is drawn from a hash of what is said, so the corpus is the same everywhere
and a saying is always in the same half, whoever says it and on whatever line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from softagent.lab.timing import voiced_segments
from softagent.media.codec import codec_named
from softagent.media.frame import Samples
from softagent.media.resample import resample

LEAD_MS = 600
"""Silence before the turn."""
TAIL_MS = 2600
"""Silence after it: the longest pause that can be measured, and a little more."""
PAUSE_MS = (300, 1500)
FADE_MS = 5
SPEECH_DBFS = -23.0
"""RMS of every turn's speech."""
LINE_DBFS = -65.0
"""Of the hiss that no line is without."""
WORD_GAP_MS = 60
"""Shortest quiet place that is taken for a gap between words."""
WORD_GAP_DB = 25.0
"""How far below the loudest 10 ms it lies."""
ANYWHERE = (0.2, 0.8)
"""Shares of a recording between which a pause may be put in."""
RATES_HZ = (8000, 16000)
TALKERS = 8
"""Speaking at once in the babble, which is at 16 kHz."""
BABBLE_HZ = 16000
NOISES = (("line", 0.0), ("white", 20.0), ("white", 10.0), ("babble", 20.0), ("babble", 10.0))
"""Kind, and how far below the speech in dB."""


@dataclass(frozen=True, slots=True)
class Saying:
    """What somebody says in one turn, in parts: between them may be a pause."""

    key: str
    """Names the words, not the voice: decides in which half it is."""
    voice: str
    kind: str
    asked: str
    """What the agent said before."""
    parts: tuple[Samples, ...]
    """Sound of each part, shape (n,), without silence around it."""
    rate_hz: int


@dataclass(frozen=True, slots=True)
class Line:
    """How a caller sounds to the agent."""

    rate_hz: int
    """8000: through mu-law; 16000: as it is."""
    noise: str
    """"line", "white" or "babble"."""
    snr_db: float


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """One turn as the agent hears it."""

    name: str
    half: str
    kind: str
    asked: str
    line: Line
    samples: Samples
    """Shape (n,) at the line's rate: lead, speech with its pauses, tail."""
    ends_at_ms: float
    """After the caller's last voiced sample."""
    pauses_ms: tuple[float, ...]


def half_of(key: str) -> str:
    """The half of `key`, "tune" or "test": the same for ever."""
    return "test" if number_of(f"half {key}") % 2 else "tune"


def spoken_turns(
    saying: Saying, babble: Samples, rates_hz: Sequence[int] = RATES_HZ
) -> list[SpokenTurn]:
    """`saying` on one line of each rate, each with a noise of its own; `babble` is at 16 kHz."""
    turns = []
    for rate_hz in rates_hz:
        chance = number_of(f"noise {saying.key} {saying.voice} {rate_hz}")
        turns.append(spoken(saying, Line(rate_hz, *NOISES[chance % len(NOISES)]), babble))
    return turns


def spoken(saying: Saying, line: Line, babble: Samples) -> SpokenTurn:
    """`saying` as it is heard on `line`."""
    name = f"{saying.key} | {saying.voice} {line.rate_hz} {line.noise} {line.snr_db:g}"
    chances = np.random.default_rng(number_of(name))
    parts = [resample(part, from_hz=saying.rate_hz, to_hz=line.rate_hz) for part in saying.parts]
    pauses = tuple(float(chances.uniform(*PAUSE_MS)) for _ in parts[1:])
    speech, ends_at = _assembled(parts, pauses, line.rate_hz)
    loudness = float(np.sqrt(np.mean(np.concatenate(parts).astype(np.float64) ** 2)))
    scaled = speech * (_full(SPEECH_DBFS) / max(1.0, loudness))
    noisy = scaled + _noise(line, scaled.size, babble, chances)
    heard = np.clip(np.rint(noisy), -32768, 32767).astype(np.int16)
    if line.rate_hz == 8000:
        codec = codec_named("PCMU")
        heard = codec.decode(codec.encode(heard))
    half = half_of(saying.key)
    ends_at_ms = ends_at * 1000 / line.rate_hz
    return SpokenTurn(name, half, saying.kind, saying.asked, line, heard, ends_at_ms, pauses)


def without_silence(samples: Samples, rate_hz: int) -> Samples:
    """`samples`, shape (n,), from the first to the last voiced sample; empty when there is none."""
    segments = voiced_segments(samples, rate_hz)
    return samples[segments[0].start : segments[-1].end] if segments else samples[:0]


def split_at_gaps(
    samples: Samples, rate_hz: int, spans: Sequence[tuple[float, float]] = (ANYWHERE,)
) -> tuple[Samples, ...]:
    """A recording cut in the longest gap between words of each span, or whole where one has none.

    A span is (from, to) in shares of the length. The silence of the gaps is left out.
    """
    window = rate_hz // 100
    frames = samples[: samples.size // window * window].astype(np.float64).reshape(-1, window)
    level = 10 * np.log10(np.mean(frames**2, axis=1) + 1.0)
    quiet = level < level.max(initial=0.0) - WORD_GAP_DB
    parts, begun = [], 0
    for low, high in spans:
        first, last = int(len(quiet) * low), len(quiet) - int(len(quiet) * (1 - high))
        runs = [(a, b) for a, b in _runs(quiet) if max(begun, first) <= a and b <= last]
        start, end = max(runs, key=lambda run: run[1] - run[0], default=(0, 0))
        if (end - start) * 10 < WORD_GAP_MS:
            return (samples,)
        parts.append(samples[begun * window : start * window])
        begun = end
    return (*parts, samples[begun * window :])


def babble_of(voices: list[Samples], rate_hz: int) -> Samples:
    """Eight talkers at once, made of `voices` end to end, shape (n,) at 16 kHz."""
    joined = resample(np.concatenate(voices), from_hz=rate_hz, to_hz=BABBLE_HZ).astype(np.float64)
    mixed = np.zeros(joined.size)
    for talker in range(TALKERS):
        mixed += np.roll(joined, joined.size * talker // TALKERS)
    return (mixed / max(1.0, float(np.abs(mixed).max())) * 20000).astype(np.int16)


def number_of(text: str) -> int:
    """A number that is the same for the same text on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def _assembled(
    parts: list[Samples], pauses_ms: tuple[float, ...], rate_hz: int
) -> tuple[npt.NDArray[np.float64], int]:
    """Lead, parts with the pauses between them, tail; and the index after the last part."""
    pieces = [np.zeros(rate_hz * LEAD_MS // 1000)]
    for part, pause_ms in zip(parts, (*pauses_ms, 0.0), strict=True):
        pieces += [_faded(part, rate_hz), np.zeros(int(pause_ms * rate_hz / 1000))]
    speech = np.concatenate(pieces)
    return np.concatenate((speech, np.zeros(rate_hz * TAIL_MS // 1000))), speech.size


def _faded(part: Samples, rate_hz: int) -> npt.NDArray[np.float64]:
    ramp = np.linspace(0, 1, min(rate_hz * FADE_MS // 1000, part.size))
    faded = part.astype(np.float64)
    faded[: ramp.size] *= ramp
    faded[faded.size - ramp.size :] *= ramp[::-1]
    return faded


def _noise(
    line: Line, size: int, babble: Samples, chances: np.random.Generator
) -> npt.NDArray[np.float64]:
    hiss = chances.normal(0, _full(LINE_DBFS), size)
    level = _full(SPEECH_DBFS - line.snr_db)
    if line.noise == "white":
        return hiss + chances.normal(0, level, size)
    if line.noise == "babble":
        voices = resample(babble, from_hz=BABBLE_HZ, to_hz=line.rate_hz).astype(np.float64)
        start = int(chances.integers(0, voices.size))
        taken = np.take(voices, np.arange(start, start + size), mode="wrap")
        return hiss + taken * float(level / np.sqrt(np.mean(taken**2) + 1e-9))
    return hiss


def _full(dbfs: float) -> float:
    return float(32768 * 10 ** (dbfs / 20))


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
