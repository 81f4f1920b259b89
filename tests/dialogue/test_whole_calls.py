"""Whole calls in no time: endpointer and conversation as they are, engines and line as numbers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from softagent.chat import Message
from softagent.dialogue.conversation import BargeIn, Conversation, ConversationSettings
from softagent.dialogue.deeds import DeedOutcome, DeedResult
from softagent.dialogue.desk_settings import DeskSettings, Place
from softagent.dialogue.endpointer import Endpointer, EndpointerSettings
from softagent.dialogue.events import (
    AgentState,
    CallAnswered,
    CancelReply,
    ClauseSpoken,
    ClauseWritten,
    Command,
    DeedDone,
    Do,
    Event,
    FinishTranscript,
    ForgetUtterance,
    HangUp,
    PauseReply,
    PrepareReply,
    PrepareSpeech,
    ReleaseReply,
    ReplyFailed,
    ReplyHeard,
    ReplyWritten,
    ResumeReply,
    TimePassed,
    TranscriptFinished,
)
from softagent.dialogue.history import History
from softagent.dialogue.phrases import ENGLISH
from softagent.dialogue.words import ENGLISH as ENGLISH_WORDS

SECOND = 50
SILENCE = 4 * SECOND
LONGEST = 600 * SECOND
NOTICED = 6
"""Voiced ticks after which speech must have been noticed, whoever speaks."""
FRAMES = 30
"""Length of every reply."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the caller does for a while."""

    ticks: int
    voiced: bool
    words: str = ""


@dataclass(slots=True)
class Line:
    """A call tick by tick: what was commanded happens so many ticks later, or fails."""

    talk: Conversation
    recognition_ticks: int
    reply_ticks: int
    failures: deque[bool]
    """For each transcript and each reply in turn: whether it fails."""
    endpointer: Endpointer = field(
        default_factory=lambda: Endpointer(
            EndpointerSettings(
                threshold=0.6,
                start_windows=3,
                barge_in_windows=4,
                confirm_windows=20,
                prepare_ticks=10,
                pause_ticks=28,
            )
        )
    )
    tick: int = 0
    words: str = ""
    """What the recognizer has heard and not forgotten."""
    due: list[tuple[int, Event]] = field(default_factory=list)
    reply: int | None = None
    is_released: bool = False
    is_paused: bool = False
    frames: int = 0
    """Of the reply, still to be played; made as far as `is_made` says."""
    is_made: bool = False
    has_ended: bool = False

    def live(self, moment: Moment) -> None:
        self.words += moment.words
        for _ in range(moment.ticks):
            self.step(is_voiced=moment.voiced)

    def step(self, *, is_voiced: bool) -> None:
        self.tick += 1
        arrived = [event for when, event in self.due if when <= self.tick]
        self.due = [(when, event) for when, event in self.due if when > self.tick]
        for event in arrived:
            self.is_made |= isinstance(event, ReplyWritten) and event.turn == self.reply
            self.handle(event)
        self.play()
        speaks = self.talk.state is AgentState.SPEAKING
        heard = self.endpointer.push(float(is_voiced), tick=self.tick, agent_speaks=speaks)
        if heard is not None:
            self.handle(heard)
        if self.tick % SECOND == 0:
            self.handle(TimePassed(self.tick))

    def play(self) -> None:
        if self.reply is None or self.is_paused or not (self.is_released and self.is_made):
            return
        self.frames -= 1
        is_last = self.frames == 0
        is_first = self.frames == FRAMES - 1
        played = ReplyHeard(self.tick, self.reply, 0, is_first=is_first, is_last=is_last)
        if is_last:
            self.reply = None
        self.handle(played)

    def handle(self, event: Event) -> None:
        for command in self.talk.handle(event):
            self.carry_out(command)

    def carry_out(self, command: Command) -> None:
        match command:
            case FinishTranscript(turn):
                words = TranscriptFinished(self.tick, turn, self.words)
                lost = ReplyFailed(self.tick, turn, reason="recognizer")
                when = self.tick + self.recognition_ticks
                self.due.append((when, lost if self.fails() else words))
            case ForgetUtterance():
                self.words = ""
            case PrepareReply(turn) | PrepareSpeech(turn):
                assert self.reply is None, "one reply at a time"
                self.reply, self.is_released, self.is_made = turn, False, False
                self.is_paused = False
                self.frames = FRAMES
                text = command.text if isinstance(command, PrepareSpeech) else "An answer."
                self.make(turn, text)
            case PauseReply(turn):
                assert turn == self.reply
                self.is_paused = True
            case ResumeReply(turn):
                assert turn == self.reply
                self.is_paused = False
            case ReleaseReply(turn):
                assert turn == self.reply
                self.is_released = True
            case CancelReply(turn):
                assert self.reply in (turn, None)
                self.reply = None
            case Do(number, _):
                busy = DeedDone(self.tick, number, DeedOutcome(DeedResult.BUSY))
                self.due.append((self.tick + self.reply_ticks, busy))
            case HangUp():
                self.has_ended = True

    def make(self, turn: int, text: str) -> None:
        when = self.tick + self.reply_ticks
        if self.fails():
            self.due.append((when, ReplyFailed(self.tick, turn, reason="model")))
            return
        self.due += [
            (when, ClauseWritten(self.tick, turn, 0, text)),
            (when, ClauseSpoken(self.tick, turn, 0, FRAMES)),
            (when, ReplyWritten(self.tick, turn)),
        ]

    def fails(self) -> bool:
        return bool(self.failures) and self.failures.popleft()


def line(
    *,
    barge_in: BargeIn,
    recognition_ticks: int = 5,
    reply_ticks: int = 10,
    failures: list[bool] | None = None,
) -> Line:
    settings = ConversationSettings(
        greeting="Good morning.",
        farewell="Have a nice day.",
        phrases=ENGLISH,
        words=ENGLISH_WORDS,
        barge_in=barge_in,
        silence_ticks=SILENCE,
        call_ticks=LONGEST,
        wordless_ticks=SECOND,
        desk=DESK,
    )
    prefix = (Message(role="system", content="You are a receptionist."),)
    talk = Conversation(settings, History(prefix, budget_tokens=500))
    made = Line(talk, recognition_ticks, reply_ticks, deque(failures or []))
    made.handle(CallAnswered(0))
    return made


DESK = DeskSettings(places=(Place("sales"), Place("support")), takes_messages=True)
WORDS = [
    "When? ",
    "Well, ",
    "Uh-huh. ",
    "Goodbye.",
    "Yes.",
    "No. ",
    "Put me through to sales. ",
    "Take a message. ",
]
DURATIONS = st.integers(1, 80)
MOMENTS = st.lists(
    st.one_of(
        st.builds(Moment, DURATIONS, voiced=st.just(False)),
        st.builds(Moment, DURATIONS, voiced=st.just(True)),
        st.builds(Moment, DURATIONS, voiced=st.just(True), words=st.sampled_from(WORDS)),
    ),
    max_size=25,
)


@given(
    MOMENTS,
    st.sampled_from(["off", "words", "instant"]),
    st.integers(0, 60),
    st.integers(0, 60),
    st.lists(st.booleans(), max_size=6),
)
def test_whatever_a_caller_did_a_line_that_falls_silent_is_asked_and_hung_up(
    moments: list[Moment], barge_in: BargeIn, recognition: int, reply: int, failures: list[bool]
) -> None:
    call = line(
        barge_in=barge_in, recognition_ticks=recognition, reply_ticks=reply, failures=failures
    )
    for moment in [*moments, Moment(4 * SILENCE + 10 * SECOND, voiced=False)]:
        call.live(moment)
    assert call.has_ended


@given(MOMENTS, st.integers(0, 60), st.integers(0, 60))
def test_a_caller_who_goes_on_speaking_is_never_talked_over(
    moments: list[Moment], recognition: int, reply: int
) -> None:
    """With barge-in: once speech has been noticed, the agent is silent until the next pause."""
    call = line(barge_in="instant", recognition_ticks=recognition, reply_ticks=reply)
    for moment in moments:
        call.words += moment.words
        for spoken in range(moment.ticks):
            call.step(is_voiced=moment.voiced)
            if moment.voiced and spoken > NOTICED:
                assert call.talk.state is not AgentState.SPEAKING
