"""A reply is a generator: stepped by hand here, driven by a thread in a call."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from softagent.chat import Message
from softagent.dialogue.events import (
    ClauseSpoken,
    ClauseWritten,
    DeedProposed,
    Event,
    ReplyFailed,
    ReplyWritten,
)
from softagent.dialogue.guard import ENGLISH, Guard
from softagent.dialogue.proposal import Proposal
from softagent.log import call_logger
from softagent.media.frame import Samples
from softagent.media.playout import Playout
from softagent.reply import ClauseBegan, ClauseEnded, ReplyThread, Sound, TokenCame, spoken_reply
from softagent.speech.sentences import SENTENCE_PAUSE_MS

RATE_HZ = 8000
WAIT_SECONDS = 5.0
QUESTION = (Message(role="user", content="When do you open?"),)


class ScriptedSynthesizer:
    """Speaks each text as two pieces of 160 samples; raises at a text it is told to fail on."""

    def __init__(self, *, fails_on: str = "") -> None:
        self.asked: list[str] = []
        self._fails_on = fails_on

    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]:
        self.asked.append(text)
        if text == self._fails_on:
            raise RuntimeError("no voice")
        for _ in range(2):
            if cancelled():
                return
            yield np.full(160, 1000, np.int16)


class ScriptedLanguageModel:
    """Answers with given pieces; `gate` holds it before the last one until something is put there."""

    context_tokens = 2048

    def __init__(self, pieces: Sequence[str], *, gate: queue.Queue[None] | None = None) -> None:
        self.primed: list[tuple[Message, ...]] = []
        self.has_begun: queue.Queue[bool] = queue.Queue()
        self.was_cancelled: queue.Queue[bool] = queue.Queue()
        self._pieces = pieces
        self._gate = gate

    def prime(self, messages: Sequence[Message], *, cancelled: Callable[[], bool]) -> None:
        self.primed.append(tuple(messages))

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(messages)

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        self.has_begun.put(True)
        for number, piece in enumerate(self._pieces):
            if self._gate is not None and number == len(self._pieces) - 1:
                self._gate.get(timeout=WAIT_SECONDS)
            if cancelled():
                self.was_cancelled.put(True)
                return
            yield piece


def never() -> bool:
    return False


def test_each_clause_is_spoken_as_soon_as_its_words_are_complete() -> None:
    synthesizer = ScriptedSynthesizer()
    words = iter(["We open at eight. ", "We close at five."])
    reply = spoken_reply(words, synthesizer, rate_hz=RATE_HZ, cancelled=never)
    assert isinstance(next(reply), TokenCame)
    assert next(reply) == ClauseBegan(0, "We open at eight.")
    assert isinstance(next(reply), Sound)
    assert synthesizer.asked == ["We open at eight."]
    rest = list(reply)
    assert [piece for piece in rest if not isinstance(piece, Sound)] == [
        ClauseEnded(0, 320),
        ClauseBegan(1, "We close at five."),
        ClauseEnded(1, 320 + RATE_HZ * SENTENCE_PAUSE_MS // 1000),
    ]


def test_what_must_not_be_said_is_replaced_before_it_becomes_sound() -> None:
    """And nothing of the reply comes after it: the model isn't asked for the rest."""
    guard = Guard((), persona="", facts="")
    synthesizer = ScriptedSynthesizer()
    words = iter(["We open at eight. ", "I'll transfer you now. ", "Never ", "written."])
    reply = spoken_reply(
        words,
        synthesizer,
        rate_hz=RATE_HZ,
        cancelled=never,
        check=lambda clauses: guard.check(clauses, QUESTION),
    )
    begun = [piece for piece in reply if isinstance(piece, ClauseBegan)]
    assert begun == [ClauseBegan(0, "We open at eight."), ClauseBegan(1, ENGLISH.unable)]
    assert synthesizer.asked == ["We open at eight.", ENGLISH.unable]
    assert "written." in words


def test_a_cancelled_reply_ends_in_mid_clause() -> None:
    is_cancelled = False
    reply = spoken_reply(
        ["We open at eight."],
        ScriptedSynthesizer(),
        rate_hz=RATE_HZ,
        cancelled=lambda: is_cancelled,
    )
    assert [type(next(reply)) for _ in range(3)] == [TokenCame, ClauseBegan, Sound]
    is_cancelled = True
    assert list(reply) == []


class Bench:
    """A reply thread with its playout, and what it posted."""

    def __init__(self, model: ScriptedLanguageModel, synthesizer: ScriptedSynthesizer) -> None:
        self.playout = Playout(RATE_HZ)
        self.events: queue.Queue[Event] = queue.Queue()
        self.marks: list[tuple[int, str]] = []
        self.thread = ReplyThread(
            model,
            synthesizer,
            self.playout,
            rate_hz=RATE_HZ,
            max_tokens=50,
            post=self.events.put,
            mark=lambda turn, stage: self.marks.append((turn, stage)),
            now=lambda: 7,
            name="test",
            log=call_logger("test", "1"),
        )
        self.thread.start()

    def next_event(self) -> Event:
        return self.events.get(timeout=WAIT_SECONDS)


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make(model: ScriptedLanguageModel, synthesizer: ScriptedSynthesizer | None = None) -> Bench:
        benches.append(Bench(model, synthesizer or ScriptedSynthesizer()))
        return benches[-1]

    yield make
    for made in benches:
        made.thread.close(WAIT_SECONDS)
        assert not made.thread.is_alive


def test_the_thread_writes_speaks_and_reports_in_order(bench: Callable[..., Bench]) -> None:
    made = bench(ScriptedLanguageModel(["We open at eight."]))
    made.playout.begin(3)
    made.thread.prepare(3, QUESTION)
    assert [made.next_event() for _ in range(3)] == [
        ClauseWritten(7, 3, 0, "We open at eight."),
        ClauseSpoken(7, 3, 0, frames=2),
        ReplyWritten(7, 3),
    ]
    assert made.marks == [(3, "first_token"), (3, "first_clause"), (3, "first_audio")]


def test_a_new_reply_takes_the_place_of_the_one_being_made(bench: Callable[..., Bench]) -> None:
    gate: queue.Queue[None] = queue.Queue()
    model = ScriptedLanguageModel(["We open ", "at eight."], gate=gate)
    made = bench(model)
    made.playout.begin(1)
    made.thread.prepare(1, QUESTION)
    assert model.has_begun.get(timeout=WAIT_SECONDS)
    made.thread.say(2, "One moment.")
    made.playout.begin(2)
    gate.put(None)
    assert model.was_cancelled.get(timeout=WAIT_SECONDS)
    assert [made.next_event() for _ in range(3)] == [
        ClauseWritten(7, 2, 0, "One moment."),
        ClauseSpoken(7, 2, 0, frames=2),
        ReplyWritten(7, 2),
    ]


def test_a_cancelled_reply_reports_nothing_more(bench: Callable[..., Bench]) -> None:
    gate: queue.Queue[None] = queue.Queue()
    model = ScriptedLanguageModel(["We open ", "at eight."], gate=gate)
    made = bench(model)
    made.playout.begin(1)
    made.thread.prepare(1, QUESTION)
    assert model.has_begun.get(timeout=WAIT_SECONDS)
    made.thread.cancel(1)
    gate.put(None)
    made.playout.begin(2)
    made.thread.say(2, "Yes?")
    assert made.next_event() == ClauseWritten(7, 2, 0, "Yes?")


def test_what_goes_wrong_is_logged_with_account_and_call(
    bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    made = bench(ScriptedLanguageModel([]))
    made.playout.begin(1)
    made.thread.prepare(1, QUESTION)
    assert isinstance(made.next_event(), ReplyFailed)
    [record] = caplog.records
    assert record.getMessage() == "event=reply-empty turn=1"
    assert (record.account, record.call) == ("test", "1")  # type: ignore[attr-defined]


def test_an_engine_that_breaks_fails_one_reply_only(bench: Callable[..., Bench]) -> None:
    made = bench(ScriptedLanguageModel([]), ScriptedSynthesizer(fails_on="Boom."))
    made.playout.begin(1)
    made.thread.say(1, "Boom.")
    assert made.next_event() == ClauseWritten(7, 1, 0, "Boom.")
    assert made.next_event() == ReplyFailed(7, 1, reason="no voice")
    made.playout.begin(2)
    made.thread.say(2, "Hello.")
    assert made.next_event() == ClauseWritten(7, 2, 0, "Hello.")


def test_a_model_with_nothing_to_say_is_a_failed_reply(bench: Callable[..., Bench]) -> None:
    made = bench(ScriptedLanguageModel([]))
    made.playout.begin(1)
    made.thread.prepare(1, QUESTION)
    assert made.next_event() == ReplyFailed(7, 1, reason="nothing to say")


def test_a_note_of_the_models_is_proposed_and_not_spoken(bench: Callable[..., Bench]) -> None:
    made = bench(ScriptedLanguageModel(["I can do ", "that. [trans", "fer sales]"]))
    made.playout.begin(1)
    made.thread.prepare(1, QUESTION)
    assert [made.next_event() for _ in range(4)] == [
        ClauseWritten(7, 1, 0, "I can do that."),
        ClauseSpoken(7, 1, 0, frames=2),
        DeedProposed(7, 1, Proposal("transfer", "sales")),
        ReplyWritten(7, 1),
    ]


def test_an_answer_that_is_only_a_note_is_proposed_first(bench: Callable[..., Bench]) -> None:
    made = bench(ScriptedLanguageModel(["[message]"]))
    made.playout.begin(1)
    made.thread.prepare(1, QUESTION)
    assert made.next_event() == DeedProposed(7, 1, Proposal("message"))
    assert made.next_event() == ReplyFailed(7, 1, reason="nothing to say")


def test_what_code_says_may_have_brackets_in_it(bench: Callable[..., Bench]) -> None:
    made = bench(ScriptedLanguageModel([]))
    made.playout.begin(1)
    made.thread.say(1, "We are [message] here.")
    assert made.next_event() == ClauseWritten(7, 1, 0, "We are [message] here.")


class TwoSpeeds(ScriptedSynthesizer):
    """A voice that can also speak slowly."""

    def __init__(self) -> None:
        super().__init__()
        self.slow: list[ScriptedSynthesizer] = []

    def slower(self) -> ScriptedSynthesizer:
        self.slow.append(ScriptedSynthesizer())
        return self.slow[-1]


def test_a_voice_that_can_speaks_more_slowly_from_the_next_reply_on(
    bench: Callable[..., Bench],
) -> None:
    voice = TwoSpeeds()
    made = bench(ScriptedLanguageModel([]), voice)
    for turn, text in enumerate(("Hello.", "All right.", "Again.")):
        made.playout.begin(turn)
        made.thread.say(turn, text)
        while not isinstance(made.next_event(), ReplyWritten):
            pass
        made.thread.slow_down()
    assert voice.asked == ["Hello."]
    assert [slow.asked for slow in voice.slow] == [["All right.", "Again."]]


def test_a_voice_that_cannot_goes_on_as_it_is(bench: Callable[..., Bench]) -> None:
    voice = ScriptedSynthesizer()
    made = bench(ScriptedLanguageModel([]), voice)
    made.thread.slow_down()
    made.playout.begin(1)
    made.thread.say(1, "Hello.")
    assert made.next_event() == ClauseWritten(7, 1, 0, "Hello.")


def test_priming_waits_for_idle_time(bench: Callable[..., Bench]) -> None:
    model = ScriptedLanguageModel(["Yes."])
    made = bench(model)
    made.playout.begin(1)
    made.thread.prime(QUESTION)
    made.thread.prepare(1, QUESTION)
    while not isinstance(made.next_event(), ReplyWritten):
        pass
    assert model.primed in ([], [QUESTION])
