"""A conversation tick by tick, with engines that take a set time: what it says and does, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softagent.chat import Message
from softagent.dialogue.conversation import Conversation, ConversationSettings
from softagent.dialogue.deeds import DeedOutcome, DeedResult
from softagent.dialogue.desk_settings import DeskSettings
from softagent.dialogue.endpointer import Endpointer, EndpointerSettings
from softagent.dialogue.events import (
    AgentState,
    CallAnswered,
    CancelReply,
    ClauseSpoken,
    ClauseWritten,
    Command,
    DeedDone,
    DeedProposed,
    DigitPressed,
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
    SpeakSlower,
    TimePassed,
    TranscriptFinished,
)
from softagent.dialogue.history import History
from softagent.dialogue.phrases import ENGLISH
from softagent.dialogue.proposal import Proposal
from softagent.dialogue.words import ENGLISH as ENGLISH_WORDS

SECOND = 50
RECOGNITION = 3
"""Ticks from a pause to its words."""
MAKING = 5
"""Ticks from the command to the finished reply."""
LENGTH = 20
"""Ticks that every reply lasts."""
PAUSE = 28
"""Ticks of silence that end a turn."""
GREETING, FAREWELL = "Good morning.", "Goodbye."
GREETED = MAKING + LENGTH + 1
"""Tick in which the greeting has been heard out."""

ModelAnswer = str | Proposal | tuple[str, Proposal] | None
"""What the model says, proposes, or both; None when it fails."""


@dataclass(slots=True)
class Reply:
    """What is about to be heard."""

    turn: int
    text: str
    left: int = LENGTH
    is_made: bool = False
    is_released: bool = False
    is_paused: bool = False


class ScriptedTalk:
    """One call. `log` holds what the caller hears and what is done, each with its tick."""

    def __init__(
        self,
        desk: DeskSettings,
        *,
        answers: Sequence[ModelAnswer] = (),
        outcomes: Sequence[tuple[int, DeedOutcome]] = (),
        notice: str = "",
        call_seconds: int = 600,
    ) -> None:
        """`answers` of the model, in turn; `outcomes` of the deeds: after how many ticks, and what."""
        self.log: list[tuple[int, str]] = []
        settings = ConversationSettings(
            greeting=GREETING,
            farewell=FAREWELL,
            phrases=ENGLISH,
            words=ENGLISH_WORDS,
            barge_in="instant",
            silence_ticks=12 * SECOND,
            call_ticks=call_seconds * SECOND,
            warning_ticks=60 * SECOND,
            notice=notice,
            desk=desk,
            wordless_ticks=SECOND,
            deed_ticks=100 * SECOND,
        )
        prefix = (Message(role="system", content="You are a receptionist."),)
        self.talk = Conversation(settings, History(prefix, budget_tokens=2000))
        self.tick = 0
        self.prompts: list[str] = []
        """What the model was asked last in each prompt."""
        self._answers = iter(answers)
        self._outcomes = iter(outcomes)
        self._endpointer = Endpointer(
            EndpointerSettings(
                threshold=0.6,
                start_windows=3,
                barge_in_windows=4,
                confirm_windows=20,
                prepare_ticks=10,
                pause_ticks=PAUSE,
            )
        )
        self._words = ""
        self._due: list[tuple[int, Event]] = []
        self._reply: Reply | None = None
        self._handle(CallAnswered(0))

    @property
    def texts(self) -> list[str]:
        """What was logged, without the ticks."""
        return [entry for _, entry in self.log]

    @property
    def history(self) -> list[str]:
        """What the model is told of the call."""
        return [message["content"] for message in self.talk.history.messages[1:]]

    def wait(self, ticks: int) -> None:
        """Nobody says anything for so long."""
        for _ in range(ticks):
            self._step(is_voiced=False)

    def say(self, words: str, *, ticks: int = 40, then: int = PAUSE + MAKING + LENGTH) -> None:
        """The caller says something, and is quiet `then`, long enough to hear a whole reply."""
        self._words += f" {words}"
        for _ in range(ticks):
            self._step(is_voiced=True)
        self.wait(then)

    def press(self, keys: str, *, every: int = 10) -> None:
        """The caller presses keys."""
        for key in keys:
            self._handle(DigitPressed(self.tick, key))
            self.wait(every)

    def _step(self, *, is_voiced: bool) -> None:
        self.tick += 1
        arrived = [event for when, event in self._due if when <= self.tick]
        self._due = [(when, event) for when, event in self._due if when > self.tick]
        for event in arrived:
            if isinstance(event, ReplyWritten) and self._reply and event.turn == self._reply.turn:
                self._reply.is_made = True
            self._handle(event)
        self._play()
        speaks = self.talk.state is AgentState.SPEAKING
        heard = self._endpointer.push(float(is_voiced), tick=self.tick, agent_speaks=speaks)
        if heard is not None:
            self._handle(heard)
        if self.tick % SECOND == 0:
            self._handle(TimePassed(self.tick))

    def _play(self) -> None:
        reply = self._reply
        if reply is None or reply.is_paused or not (reply.is_made and reply.is_released):
            return
        is_first = reply.left == LENGTH
        if is_first:
            self.log.append((self.tick, reply.text))
        reply.left -= 1
        is_last = reply.left == 0
        if is_last:
            self._reply = None
        self._handle(ReplyHeard(self.tick, reply.turn, 0, is_first=is_first, is_last=is_last))

    def _handle(self, event: Event) -> None:
        for command in self.talk.handle(event):
            self._carry_out(command)

    def _carry_out(self, command: Command) -> None:
        reply = self._reply
        match command:
            case FinishTranscript(turn):
                words = TranscriptFinished(self.tick, turn, self._words.strip())
                self._due.append((self.tick + RECOGNITION, words))
            case ForgetUtterance():
                self._words = ""
            case PrepareSpeech(turn, text):
                self._make(turn, text)
            case PrepareReply(turn, messages):
                self.prompts.append(messages[-1]["content"])
                self._make(turn, next(self._answers))
            case ReleaseReply(turn):
                assert reply is not None
                assert reply.turn == turn
                reply.is_released = True
            case PauseReply() | ResumeReply():
                assert reply is not None
                assert reply.turn == command.turn
                reply.is_paused = isinstance(command, PauseReply)
            case CancelReply():
                self._reply = None
            case Do(number, deed):
                self.log.append((self.tick, f"does {deed}"))
                ticks, outcome = next(self._outcomes, (SECOND, DeedOutcome(DeedResult.DONE)))
                if ticks:
                    done = DeedDone(self.tick + ticks, number, outcome)
                    self._due.append((self.tick + ticks, done))
            case SpeakSlower():
                self.log.append((self.tick, "slower"))
            case HangUp():
                self.log.append((self.tick, "hangs up"))

    def _make(self, turn: int, answer: ModelAnswer) -> None:
        text, proposal = answer if isinstance(answer, tuple) else (answer, None)
        if isinstance(text, Proposal):
            text, proposal = "", text
        self._reply = Reply(turn, text or "")
        when = self.tick + MAKING
        if text:
            self._due.append((when, ClauseWritten(when, turn, 0, text)))
            self._due.append((when, ClauseSpoken(when, turn, 0, LENGTH)))
        if proposal is not None:
            self._due.append((when, DeedProposed(when, turn, proposal)))
        if text:
            self._due.append((when, ReplyWritten(when, turn)))
        else:
            self._due.append((when, ReplyFailed(when, turn, reason="nothing to say")))
