"""Recognition runs beside the call: what goes in, what is posted."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from softagent.dialogue.events import (
    Event,
    PauseJudged,
    ReplyFailed,
    TranscriptChanged,
    TranscriptFinished,
)
from softagent.errors import EngineFailed
from softagent.hearing import Hearing
from softagent.log import call_logger
from softagent.media.frame import Samples

WAIT_SECONDS = 5.0
FRAME = np.zeros(160, np.int16)


class ScriptedRecognizer:
    """Its transcript is the number of frames accepted since the last reset."""

    partial_interval_ms = 40

    def __init__(self) -> None:
        self.frames = 0
        self.fails = False

    def accept(self, samples: Samples) -> None:
        self.frames += 1

    def partial(self) -> str:
        return f"{self.frames} frames"

    def finish(self) -> str:
        if self.fails:
            raise RuntimeError("model gone")
        return f"{self.frames} frames."

    def reset(self) -> None:
        self.frames = 0


class FrameCounter:
    """An end-of-turn model whose probability is how many hundreds of frames it was given."""

    def __init__(self) -> None:
        self.fails = False

    def probability(self, sound: Samples, rate_hz: int) -> float:
        if self.fails:
            raise EngineFailed("model gone")
        return sound.size / len(FRAME) / 100


class Bench:
    def __init__(self, end_of_turn: FrameCounter | None = None) -> None:
        self.recognizer = ScriptedRecognizer()
        self.events: queue.Queue[Event] = queue.Queue()
        self.hearing = Hearing(
            self.recognizer,
            rate_hz=8000,
            post=self.events.put,
            now=lambda: 7,
            name="test",
            log=call_logger("test", "1"),
            end_of_turn=end_of_turn,
        )

    def drain(self, kind: type[Event]) -> Event:
        """The next event of `kind`; others before it are dropped."""
        while not isinstance(event := self.events.get(timeout=WAIT_SECONDS), kind):
            pass
        return event


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.hearing.close(WAIT_SECONDS)
    assert not made.hearing.is_alive


def test_the_words_of_a_turn_cover_all_that_was_heard(bench: Bench) -> None:
    for _ in range(3):
        bench.hearing.accept(FRAME)
    bench.hearing.finish(1)
    bench.hearing.accept(FRAME)
    bench.hearing.finish(2)
    bench.hearing.start()
    assert bench.drain(TranscriptFinished) == TranscriptFinished(7, 1, "3 frames.")
    assert bench.drain(TranscriptFinished) == TranscriptFinished(7, 2, "4 frames.")


def test_forgetting_begins_a_new_utterance(bench: Bench) -> None:
    bench.hearing.accept(FRAME)
    bench.hearing.forget()
    bench.hearing.accept(FRAME)
    bench.hearing.finish(1)
    bench.hearing.start()
    assert bench.drain(TranscriptFinished) == TranscriptFinished(7, 1, "1 frames.")


def test_no_partial_is_made_while_a_turn_waits_for_its_words(bench: Bench) -> None:
    for _ in range(10):
        bench.hearing.accept(FRAME)
    bench.hearing.finish(1)
    bench.hearing.start()
    assert bench.events.get(timeout=WAIT_SECONDS) == TranscriptFinished(7, 1, "10 frames.")


def test_partials_come_when_there_is_time_and_something_new(bench: Bench) -> None:
    for _ in range(2):
        bench.hearing.accept(FRAME)
    bench.hearing.start()
    assert bench.events.get(timeout=WAIT_SECONDS) == TranscriptChanged(7, "2 frames")


def test_no_partial_is_begun_in_a_silence_that_may_end_the_turn(bench: Bench) -> None:
    for _ in range(3):
        bench.hearing.accept(FRAME, is_voiced=False)
    bench.hearing.start()
    bench.hearing.finish(1)
    assert bench.events.get(timeout=WAIT_SECONDS) == TranscriptFinished(7, 1, "3 frames.")


def test_a_recognizer_that_breaks_loses_one_utterance_only(bench: Bench) -> None:
    bench.recognizer.fails = True
    bench.hearing.accept(FRAME)
    bench.hearing.finish(1)
    bench.hearing.start()
    assert bench.drain(ReplyFailed) == ReplyFailed(7, 1, reason="model gone")
    bench.recognizer.fails = False
    bench.hearing.accept(FRAME)
    bench.hearing.finish(2)
    assert bench.drain(TranscriptFinished) == TranscriptFinished(7, 2, "1 frames.")


def test_a_recognizer_that_cannot_even_begin_anew_is_asked_again(bench: Bench) -> None:
    def fail() -> None:
        bench.recognizer.fails = False
        raise RuntimeError("still gone")

    bench.recognizer.reset = fail  # type: ignore[method-assign]
    bench.recognizer.fails = True
    bench.hearing.accept(FRAME)
    bench.hearing.finish(1)
    bench.hearing.finish(2)
    bench.hearing.start()
    assert bench.drain(ReplyFailed) == ReplyFailed(7, 1, reason="model gone")
    assert bench.drain(TranscriptFinished) == TranscriptFinished(7, 2, "1 frames.")


def test_the_end_of_a_call_does_not_wait_for_speech_that_nobody_will_answer(bench: Bench) -> None:
    is_busy, may_go_on = threading.Event(), threading.Event()

    def accept(samples: Samples) -> None:
        bench.recognizer.frames += 1
        is_busy.set()
        assert may_go_on.wait(WAIT_SECONDS)

    bench.recognizer.accept = accept  # type: ignore[method-assign]
    for _ in range(100):
        bench.hearing.accept(FRAME)
    bench.hearing.start()
    assert is_busy.wait(WAIT_SECONDS)
    bench.hearing.close(0)
    may_go_on.set()
    bench.hearing.close(WAIT_SECONDS)
    assert bench.recognizer.frames == 1


@pytest.fixture
def judging() -> Iterator[tuple[Bench, FrameCounter]]:
    judge = FrameCounter()
    made = Bench(judge)
    yield made, judge
    made.hearing.close(WAIT_SECONDS)


def test_a_pause_is_judged_by_the_sound_of_its_utterance_after_its_words_are_out(
    judging: tuple[Bench, FrameCounter],
) -> None:
    """100 ms of silence, five frames, are added to what was heard."""
    bench, _ = judging
    for _ in range(10):
        bench.hearing.accept(FRAME, is_voiced=False)
    bench.hearing.finish(1)
    bench.hearing.start()
    assert bench.events.get(timeout=WAIT_SECONDS) == TranscriptFinished(7, 1, "10 frames.")
    assert bench.events.get(timeout=WAIT_SECONDS) == PauseJudged(7, 1, 0.15)


def test_only_the_running_utterance_is_judged_and_of_that_its_last_8_seconds(
    judging: tuple[Bench, FrameCounter],
) -> None:
    bench, _ = judging
    bench.hearing.accept(FRAME, is_voiced=False)
    bench.hearing.forget()
    for _ in range(1000):
        bench.hearing.accept(FRAME, is_voiced=False)
    bench.hearing.finish(1)
    bench.hearing.start()
    assert bench.drain(PauseJudged) == PauseJudged(7, 1, 4.05)


def test_a_pause_after_which_the_caller_has_gone_on_is_not_judged(
    judging: tuple[Bench, FrameCounter],
) -> None:
    bench, _ = judging
    bench.hearing.accept(FRAME, is_voiced=False)
    bench.hearing.finish(1)
    bench.hearing.accept(FRAME, is_voiced=False)
    bench.hearing.finish(2)
    bench.hearing.start()
    assert bench.drain(PauseJudged) == PauseJudged(7, 2, 0.07)


def test_a_judge_that_breaks_costs_no_words(judging: tuple[Bench, FrameCounter]) -> None:
    bench, judge = judging
    judge.fails = True
    bench.hearing.accept(FRAME, is_voiced=False)
    bench.hearing.finish(1)
    bench.hearing.finish(2)
    bench.hearing.start()
    assert bench.drain(TranscriptFinished) == TranscriptFinished(7, 1, "1 frames.")
    assert bench.drain(TranscriptFinished) == TranscriptFinished(7, 2, "1 frames.")
