"""Slow answers, tick by tick: conversation, filler and playout together, without a thread or clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from softagent.chat import Message
from softagent.dialogue.conversation import Conversation, ConversationSettings
from softagent.dialogue.events import (
    CancelReply,
    Event,
    FinishTranscript,
    PrepareReply,
    PrepareSpeech,
    ReleaseReply,
    ReplyFailed,
    ReplyHeard,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    TranscriptFinished,
)
from softagent.dialogue.history import History
from softagent.dialogue.phrases import ENGLISH
from softagent.dialogue.words import ENGLISH as ENGLISH_WORDS
from softagent.filler import FillerPlayer
from softagent.media.frame import Played, Samples
from softagent.media.playout import Playout
from softagent.speech.sentences import SENTENCE_PAUSE_MS

RATE_HZ = 8000
FRAME = 160
WAIT_MS = 1500
WAIT_TICKS = 75
FILLER, ANSWER = 1000, 2000
"""Loudness of their sounds, to tell them apart."""
FILLER_TICKS = 30
PAUSE_TICKS = SENTENCE_PAUSE_MS // 20
PREFIX = (Message(role="system", content="You are a receptionist."),)


class Voice:
    """600 ms of the same loudness for every text."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]:
        self.asked.append(text)
        yield np.full(FILLER_TICKS * FRAME, FILLER, np.int16)


class Line:
    """A call after its greeting: `step` is what the call thread does in a tick."""

    def __init__(self, *, wait_ms: int = WAIT_MS) -> None:
        settings = ConversationSettings(
            greeting="Good morning.",
            farewell="Have a nice day.",
            phrases=ENGLISH,
            words=ENGLISH_WORDS,
            barge_in="instant",
            silence_ticks=600,
            call_ticks=90000,
        )
        self.talk = Conversation(settings, History(PREFIX, budget_tokens=500))
        self.playout = Playout(RATE_HZ)
        self.voice = Voice()
        self.filler = FillerPlayer(
            ENGLISH.fillers, self.voice, self.playout, wait_ms=wait_ms, rate_hz=RATE_HZ
        )
        self.tick = 0
        self.prepared: int | None = None

    def step(self, ticks: int = 1) -> list[Played]:
        played = []
        for _ in range(ticks):
            self.tick += 1
            one = self.playout.pop()
            if one.turn is not None:
                self.handle(ReplyHeard(self.tick, one.turn, one.clause, one.is_first, one.is_last))
            self.filler.push(self.talk.unanswered)
            played.append(one)
        return played

    def handle(self, *events: Event) -> None:
        for event in events:
            for command in self.talk.handle(event):
                match command:
                    case FinishTranscript(turn):
                        self.asked = turn
                    case PrepareReply(turn) | PrepareSpeech(turn):
                        self.prepared = turn
                        self.playout.begin(turn)
                    case ReleaseReply(turn):
                        self.playout.release(turn)
                    case CancelReply(turn):
                        self.playout.stop(turn)

    def ask(self, *, ends: bool = True) -> None:
        """The caller asks a question; its words are known at once."""
        self.handle(SpeechStarted(self.tick, onset=self.tick))
        self.pause(ends=ends)

    def pause(self, *, ends: bool = True) -> None:
        self.handle(SpeechPaused(self.tick, last_voiced=self.tick))
        self.handle(TranscriptFinished(self.tick, self.asked, "When do you open?"))
        if ends:
            self.handle(SpeechEnded(self.tick, last_voiced=self.tick))

    def answer(self, frames: int = 5) -> None:
        """The model has its answer, whole."""
        assert self.prepared is not None
        self.playout.put(self.prepared, 0, np.full(frames * FRAME, ANSWER, np.int16))
        self.playout.finish(self.prepared)


def levels(played: list[Played]) -> list[int]:
    """The loudness of each frame, runs of the same shortened to one."""
    heard: list[int] = []
    for one in played:
        level = int(one.samples[0])
        if not heard or heard[-1] != level:
            heard.append(level)
    return heard


def test_a_slow_answer_is_announced_in_time_and_follows_after_a_breath() -> None:
    line = Line()
    line.ask()
    assert not any(one.samples.any() for one in line.step(WAIT_TICKS))
    line.answer()
    filler = line.step(FILLER_TICKS)
    assert all(one.samples[0] == FILLER and one.filler_of == 0 for one in filler)
    assert all(one.turn is None for one in filler)
    assert not any(one.samples.any() for one in line.step(PAUSE_TICKS))
    answer = line.step(5)
    assert all(one.samples[0] == ANSWER and one.turn == 0 for one in answer)
    assert (answer[0].is_first, answer[-1].is_last) == (True, True)


def test_an_answer_in_time_needs_no_filler() -> None:
    line = Line()
    line.ask()
    line.step(WAIT_TICKS - 1)
    line.answer()
    assert levels(line.step(3 * WAIT_TICKS)) == [ANSWER, 0]


def test_an_answer_that_comes_after_the_filler_is_heard_at_once() -> None:
    line = Line()
    line.ask()
    line.step(3 * WAIT_TICKS)
    line.answer()
    assert line.step()[0].turn == 0
    assert line.playout.underruns == 0


def test_one_filler_a_turn_however_long_it_takes() -> None:
    line = Line()
    line.ask()
    assert levels(line.step(20 * WAIT_TICKS)) == [0, FILLER, 0]


def test_a_caller_who_goes_on_silences_it_without_trace() -> None:
    line = Line()
    line.ask()
    line.step(WAIT_TICKS + 10)
    line.handle(SpeechResumed(line.tick))
    [cut, *rest] = line.step(WAIT_TICKS)
    assert 0 < abs(int(cut.samples[0])) <= FILLER
    assert not cut.samples[FRAME // 4 :].any(), "it fades within 5 ms"
    assert not any(one.samples.any() for one in rest)
    assert line.talk.history.messages == PREFIX


def test_the_history_has_the_question_and_no_filler() -> None:
    line = Line()
    line.ask()
    line.step(3 * WAIT_TICKS)
    line.answer()
    line.step(10)
    assert [message["content"] for message in line.talk.history.messages[1:]] == [
        "When do you open?"
    ]
    assert line.talk.interruptions == 0


def test_a_pause_that_is_no_end_is_never_filled() -> None:
    line = Line()
    line.ask(ends=False)
    assert levels(line.step(3 * WAIT_TICKS)) == [0]


def test_words_that_come_late_are_waited_for_and_then_filled_at_once() -> None:
    """What was said may yet turn out to be a noise, which nothing answers."""
    line = Line()
    line.handle(SpeechStarted(0, onset=0), SpeechPaused(0, last_voiced=0))
    line.handle(SpeechEnded(0, last_voiced=0))
    assert levels(line.step(2 * WAIT_TICKS)) == [0]
    line.handle(TranscriptFinished(line.tick, line.asked, "When?"))
    assert levels(line.step(2)) == [0, FILLER]


def test_a_failure_ends_the_filler_and_is_spoken() -> None:
    line = Line()
    line.ask()
    line.step(WAIT_TICKS + 10)
    line.handle(ReplyFailed(line.tick, 0, reason="model"))
    line.answer()
    assert levels(line.step(10)[1:]) == [ANSWER, 0]


def test_the_sounds_are_fetched_before_the_first_turn_and_only_where_wanted() -> None:
    assert Line().voice.asked == list(ENGLISH.fillers)
    assert Line(wait_ms=0).voice.asked == []
