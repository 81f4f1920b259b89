"""How a policy would have ended the turns of a corpus: traces through the real Endpointer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from softagent.dialogue.endpointer import Endpointer, EndpointerSettings
from softagent.dialogue.events import SpeechEnded, SpeechPaused, SpeechResumed, SpeechStarted
from softagent.dialogue.pause import (
    Expected,
    PauseLengths,
    doubted,
    expected_answer,
    reading_of,
)
from softagent.dialogue.words import ENGLISH
from softagent.lab.pause_corpus import TAIL_MS, SpokenTurn
from softagent.lab.pause_trace import Judgement, Trace
from softagent.lab.timing import percentile
from softagent.media.frame import FRAME_MS

Decide = Callable[[str, Expected, float | None], int]
"""(words of the pause, what was asked, smart-turn's probability if known) -> ticks that end it."""
FINISHED = 0.5
"""smart-turn's own threshold."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of one turn."""

    was_noticed: bool
    """Whether the caller was heard to speak at all."""
    latency_ms: float | None
    """From the caller's last voiced sample to the end of the turn, negative where the caller
    was cut off; None where the turn was not ended before the sound was."""

    @property
    def was_cut_off(self) -> bool:
        return self.latency_ms is not None and self.latency_ms < 0


@dataclass(frozen=True, slots=True)
class Point:
    """A policy with one setting, over a whole half of the corpus."""

    policy: str
    false_cutoff_pct: float
    latency_ms: float
    """Mean over the turns that weren't cut off; one that never ended counts with its whole tail."""
    p50_ms: float
    p90_ms: float
    missed_pct: float
    """Turns that weren't noticed."""
    cut_pauses_pct: float = 0.0
    """Cut-off turns as a share of those that have a pause inside."""


def replay(turn: SpokenTurn, trace: Trace, settings: EndpointerSettings, decide: Decide) -> Ending:
    """End `turn` as `decide` would."""
    expected = expected_answer(turn.asked, ENGLISH)
    pause = _Pause(trace.judged)
    tick = 0
    endpointer = Endpointer(
        settings, policy=lambda words: decide(words, expected, pause.judgement(tick))
    )
    waiting = list(trace.heard)
    was_noticed = False
    for tick, probability in trace.voiced:
        while waiting and waiting[0][0] <= tick:
            endpointer.observe(waiting.pop(0)[1])
        match endpointer.push(probability, tick=tick):
            case SpeechStarted():
                was_noticed = True
            case SpeechPaused(last_voiced=last_voiced):
                pause.begun = last_voiced
            case SpeechResumed():
                pause.begun = None
            case SpeechEnded():
                return Ending(was_noticed, (tick + 1) * FRAME_MS - turn.ends_at_ms)
    return Ending(was_noticed, None)


class _Pause:
    """The pause that is going on, and what is known of its sound."""

    def __init__(self, judged: Sequence[Judgement]) -> None:
        self._judged = judged
        self.begun: int | None = None

    def judgement(self, tick: int) -> float | None:
        known = (one for one in self._judged if one.pause == self.begun and one.tick <= tick)
        return next((one.probability for one in known), None)


def silence(pause: int) -> Decide:
    """The same pause whatever was said."""
    return lambda _words, _expected, _probability: pause


def by_words(lengths: PauseLengths, unfinished: float = 0.0) -> Decide:
    """softagent's: the words decide, a step later where smart-turn gives less than `unfinished`."""

    def decide(words: str, expected: Expected, probability: float | None) -> int:
        reading = reading_of(words, expected, ENGLISH)
        is_doubted = probability is not None and probability < unfinished
        return lengths.after(doubted(reading) if is_doubted else reading)

    return decide


def by_sound(short: int, long: int, threshold: float = FINISHED) -> Decide:
    """smart-turn's: long until it says that the caller has finished."""

    def decide(_words: str, _expected: Expected, probability: float | None) -> int:
        return short if probability is not None and probability >= threshold else long

    return decide


def point(policy: str, endings: Sequence[Ending], with_pause: int = 0) -> Point:
    """The figures of one policy; `with_pause` is how many of the turns have a pause inside."""
    cut = sum(one.was_cut_off for one in endings)
    waits = [
        TAIL_MS if one.latency_ms is None else one.latency_ms
        for one in endings
        if not one.was_cut_off
    ]
    missed = sum(not one.was_noticed for one in endings)
    return Point(
        policy,
        100 * cut / len(endings),
        sum(waits) / max(1, len(waits)),
        percentile(waits or [0.0], 50),
        percentile(waits or [0.0], 90),
        100 * missed / len(endings),
        100 * cut / with_pause if with_pause else 0.0,
    )


def latency_at(points: Sequence[Point], false_cutoff_pct: float) -> float | None:
    """The least latency of `points` with at most so many false cut-offs; None when there is none."""
    return min(
        (one.latency_ms for one in points if one.false_cutoff_pct <= false_cutoff_pct), default=None
    )
