"""What the agent's engines make of a turn, tick by tick, kept so that policies replay without them.

SpokenTurn -> real Silero, Listener, Whisper, smart-turn -> Trace -> (pause_replay) any policy

While a turn is traced nothing ends it, so the trace holds what any policy would have seen
up to its own end. Recognition takes a fixed time: the real one depends on the machine. Partial
transcripts are left out: before the shortest pause is over, the pause's own words replace them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from softagent.config import TurnSettings, VadSettings
from softagent.dialogue.events import SpeechPaused, SpeechStarted
from softagent.dialogue.words import ENGLISH
from softagent.engines import Recognizer, VoiceActivity
from softagent.hearing import Hearing
from softagent.lab.pause_corpus import SpokenTurn
from softagent.listener import PREROLL_TICKS, Listener
from softagent.media.frame import FRAME_MS, Samples, frame_samples, ticks

RECOGNITION_TICKS = ticks(120)
JUDGEMENT_TICKS = ticks(40)
"""What smart-turn takes, after the words of the pause."""
SETTLED_MS = 200
"""Silence after the last word in which smart-turn was trained; more is waited for as zeros."""
FORMAT = 2
"""Counts up when traces of old become useless."""
_ENDLESS = replace(TurnSettings(), shortest_pause_ms=5000, pause_ms=5000, longest_pause_ms=10000)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What smart-turn says of one pause."""

    pause: int
    """Tick of the last voiced window before it."""
    tick: int
    """When it is known."""
    probability: float


@dataclass(frozen=True, slots=True)
class Trace:
    """One turn as the endpointer and its policies hear of it."""

    voiced: tuple[tuple[int, float], ...]
    """(tick, probability of speech) of each window."""
    heard: tuple[tuple[int, str], ...]
    """(tick at which it is known, transcript so far) of each pause."""
    judged: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class TraceEngines:
    """What turns are traced with."""

    voice_activity: Callable[[int], VoiceActivity]
    recognizer: Callable[[int], Recognizer]
    judge: Callable[[Samples, int], float]
    """(sound, rate in Hz) -> probability that the caller has finished."""


class _PacedHearing:
    """Hearing without a thread: the words of a pause are known a fixed time after it was noticed."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._free_at = 0
        self.tick = 0
        self.heard: list[tuple[int, str]] = []

    def accept(self, samples: Samples, *, is_voiced: bool = True) -> None:
        self._recognizer.accept(samples)

    def finish(self) -> int:
        """Read the words of a pause; return when they are known."""
        self._free_at = max(self.tick, self._free_at) + RECOGNITION_TICKS
        self.heard.append((self._free_at, self._recognizer.finish()))
        return self._free_at


class _Noted:
    """A VoiceActivity that keeps what it said."""

    def __init__(self, inner: VoiceActivity) -> None:
        self._inner = inner
        self.window_samples = inner.window_samples
        self.tick = 0
        self.voiced: list[tuple[int, float]] = []

    def probability(self, window: Samples) -> float:
        probability = self._inner.probability(window)
        self.voiced.append((self.tick, round(probability, 4)))
        return probability

    def reset(self) -> None:
        self._inner.reset()


def trace_of(turn: SpokenTurn, engines: TraceEngines) -> Trace:
    """Play `turn` to the engines, faster than it was spoken."""
    rate_hz = turn.line.rate_hz
    frame = frame_samples(rate_hz)
    activity = _Noted(engines.voice_activity(rate_hz))
    hearing = _PacedHearing(engines.recognizer(rate_hz))
    listener = Listener(
        activity,
        cast(Hearing, hearing),  # of which the listener only calls `accept`
        _ENDLESS,
        words=ENGLISH,
        threshold=VadSettings().threshold,
        rate_hz=rate_hz,
    )
    judged: list[Judgement] = []
    begun = 0
    for tick, samples in enumerate(
        turn.samples[: turn.samples.size // frame * frame].reshape(-1, frame)
    ):
        activity.tick = hearing.tick = tick
        for event in listener.listen(samples, tick=tick, agent_speaks=False):
            match event:
                case SpeechStarted():
                    begun = max(0, tick - PREROLL_TICKS) * frame
                case SpeechPaused(last_voiced=last_voiced):
                    missing_ms = max(0, SETTLED_MS - (tick - last_voiced) * FRAME_MS)
                    padding = np.zeros(missing_ms * rate_hz // 1000, np.int16)
                    sound = np.concatenate((turn.samples[begun : (tick + 1) * frame], padding))
                    known = hearing.finish() + JUDGEMENT_TICKS
                    judged.append(Judgement(last_voiced, known, engines.judge(sound, rate_hz)))
    return Trace(tuple(activity.voiced), tuple(hearing.heard), tuple(judged))


def kept_trace(turn: SpokenTurn, engines: TraceEngines, folder: Path) -> Trace:
    """The trace of `turn`, from `folder` where it was made before."""
    key = hashlib.sha256(f"{FORMAT} {turn.line.rate_hz} ".encode() + turn.samples.tobytes())
    path = folder / f"{key.hexdigest()[:32]}.json"
    if path.is_file():
        return _parsed(json.loads(path.read_text(encoding="utf-8")))
    trace = trace_of(turn, engines)
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(trace)), encoding="utf-8")
    partial.replace(path)
    return trace


def _parsed(kept: dict[str, list[list[object]]]) -> Trace:
    judged = [Judgement(**cast(dict[str, int], one)) for one in kept["judged"]]
    return Trace(
        cast("tuple[tuple[int, float], ...]", tuple(map(tuple, kept["voiced"]))),
        cast("tuple[tuple[int, str], ...]", tuple(map(tuple, kept["heard"]))),
        tuple(judged),
    )
