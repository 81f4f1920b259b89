"""Whose turn it is: events in, commands out. The whole behaviour of a call, as a pure state machine.

             SpeechPaused           words            ReplyHeard
    LISTENING ---------> FINALIZING -----> THINKING -----------> SPEAKING
        ^  ^                 |                |                     |
        |  '---- resumed, or no words --------'                     |
        '------------- heard to the end, or interrupted ------------'

A reply is prepared as soon as the caller pauses and released when the pause has lasted
long enough. Until its first frame has been heard, everything can be taken back.
"""

from __future__ import annotations

from dataclasses import dataclass

from softagent.dialogue.events import (
    AgentState,
    CallAnswered,
    CallerHungUp,
    CancelReply,
    ClauseSpoken,
    ClauseWritten,
    Command,
    DigitPressed,
    Event,
    FinishTranscript,
    ForgetUtterance,
    HangUp,
    PrepareReply,
    PrepareSpeech,
    ReadAhead,
    ReleaseReply,
    ReplyFailed,
    ReplyHeard,
    ReplyWritten,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    TimePassed,
    TranscriptChanged,
    TranscriptFinished,
)
from softagent.dialogue.history import Answer, Clause, History
from softagent.dialogue.phrases import Phrases

FAILURES_BEFORE_GIVING_UP = 2


@dataclass(frozen=True, slots=True)
class ConversationSettings:
    """The fixed texts and limits of one account; times in ticks."""

    greeting: str
    farewell: str
    phrases: Phrases
    barge_in: bool
    silence_ticks: int
    """Silence after which the agent asks whether the caller is there."""
    call_ticks: int
    """Longest call."""


@dataclass(slots=True)
class Turn:
    """One utterance of the caller together with our answer to it."""

    id: int
    words: str = ""
    """The caller's words; empty when the agent speaks unasked."""
    answer: str = ""
    """A fixed text to say; empty when the model answers."""
    is_over: bool = False
    """The caller's pause has lasted long enough: the answer may be heard."""
    is_prepared: bool = False
    is_heard: bool = False
    is_farewell: bool = False


class Conversation:
    """One call's dialogue. `handle` is called by the call thread only."""

    def __init__(self, settings: ConversationSettings, history: History) -> None:
        self.state = AgentState.LISTENING
        self.history = history
        self.interruptions = 0
        self._settings = settings
        self._turn = Turn(-1, is_over=True)
        self._said = Answer()
        self._interrupted: Turn | None = None
        """What the agent still had to say when it was cut short; said after all if that was a noise."""
        self._failures = 0
        self._has_prompted = False
        self._quiet_since = 0
        self._caller_speaks = False

    @property
    def turn(self) -> int:
        """Id of the current turn."""
        return self._turn.id

    def handle(self, event: Event) -> list[Command]:
        """Take one event; return what is to be done about it, in order."""
        if self.state is AgentState.CLOSED:
            return []
        match event:
            case CallAnswered():
                return self._say(self._settings.greeting)
            case SpeechStarted() | SpeechResumed():
                return self._on_speech()
            case SpeechPaused():
                return self._on_speech_paused()
            case SpeechEnded():
                return self._on_speech_ended()
            case TranscriptChanged(text=words) if words and self.state is AgentState.LISTENING:
                return [ReadAhead(self.history.prompt(words))]
            case TranscriptFinished(turn=turn) if turn == self._turn.id:
                return self._on_words(event)
            case ClauseWritten(turn=turn) if turn == self._turn.id:
                self._said.clauses[event.clause] = Clause(event.text)
                return []
            case ClauseSpoken(turn=turn) if turn == self._turn.id:
                if (clause := self._said.clauses.get(event.clause)) is not None:
                    clause.frames = event.frames
                return []
            case ReplyWritten(turn=turn) if turn == self._turn.id:
                return self._on_reply_written()
            case ReplyFailed(turn=turn) if turn == self._turn.id:
                return self._on_reply_failed()
            case ReplyHeard(turn=turn) if turn == self._turn.id:
                return self._on_heard(event)
            case DigitPressed(tick):
                self._quiet_since, self._has_prompted = tick, False
                return []
            case TimePassed(tick):
                return self._on_time(tick)
            case CallerHungUp():
                return self._close()
            case _:
                return []  # of a turn that has been withdrawn meanwhile

    # The caller speaks

    def _on_speech(self) -> list[Command]:
        """Whatever the caller has not heard yet is withdrawn; what is being heard is cut short."""
        self._caller_speaks = True
        match self.state:
            case AgentState.FINALIZING:
                return self._abandon()
            case AgentState.THINKING if self._turn.words:
                return self._abandon()
            case AgentState.THINKING | AgentState.SPEAKING if self._settings.barge_in:
                return self._interrupt()
            case _:
                return []

    def _interrupt(self) -> list[Command]:
        turn = self._turn
        self.interruptions += turn.is_heard
        rest = self._said.unheard() if turn.is_heard else turn.answer
        self._interrupted = Turn(turn.id, answer=rest, is_farewell=turn.is_farewell)
        self._close_answer()
        return self._abandon()

    def _on_speech_paused(self) -> list[Command]:
        if self.state is not AgentState.LISTENING:
            return []
        self._turn = Turn(self._turn.id + 1)
        self.state = AgentState.FINALIZING
        return [FinishTranscript(self._turn.id)]

    def _on_speech_ended(self) -> list[Command]:
        self._caller_speaks = False
        self._turn.is_over = True
        match self.state:
            case AgentState.FINALIZING:
                return []  # the words are still to come
            case AgentState.THINKING if self._turn.words:
                return [ReleaseReply(self._turn.id)]
            case AgentState.LISTENING:
                return self._on_nothing_said()
            case _:  # it was no interruption, and is no part of the next words
                return [ForgetUtterance()]

    def _abandon(self) -> list[Command]:
        """Drop the turn; what the caller said goes on."""
        self.state = AgentState.LISTENING
        prepared, self._turn = self._turn, Turn(self._turn.id + 1)
        return [CancelReply(prepared.id)] if prepared.is_prepared else []

    # The words are there

    def _on_words(self, event: TranscriptFinished) -> list[Command]:
        if self.state is not AgentState.FINALIZING:
            return []
        words = event.text.strip()
        if not words:
            self.state = AgentState.LISTENING
            return self._on_nothing_said() if self._turn.is_over else []
        self.state = AgentState.THINKING
        self._has_prompted = False
        turn = self._turn
        turn.words, turn.is_prepared = words, True
        self._said = Answer()
        prepare: Command
        if self._settings.phrases.goodbye.fullmatch(words):
            turn.is_farewell, turn.answer = True, self._settings.farewell
            prepare = PrepareSpeech(turn.id, turn.answer)
        else:
            prepare = PrepareReply(turn.id, self.history.prompt(words))
        return [prepare, ReleaseReply(turn.id)] if turn.is_over else [prepare]

    def _on_nothing_said(self) -> list[Command]:
        """A noise: forget it, and if it has cut the agent short, say the rest after all."""
        rest, self._interrupted = self._interrupted, None
        if rest is None or not (rest.answer or rest.is_farewell):
            return [ForgetUtterance()]
        if not rest.answer:
            return self._close()
        return [ForgetUtterance(), *self._say(rest.answer, farewell=rest.is_farewell)]

    # The agent speaks

    def _say(self, text: str, *, farewell: bool = False) -> list[Command]:
        self._turn = Turn(
            self._turn.id + 1, answer=text, is_over=True, is_prepared=True, is_farewell=farewell
        )
        self._said = Answer()
        self.state = AgentState.THINKING
        return [PrepareSpeech(self._turn.id, text), ReleaseReply(self._turn.id)]

    def _on_reply_written(self) -> list[Command]:
        self._failures = 0
        if self._settings.phrases.goodbye_word.search(self._said.text()):
            self._turn.is_farewell = True
        return []

    def _on_reply_failed(self) -> list[Command]:
        if self._turn.is_farewell:
            return self._close()
        self._failures += 1
        self._close_answer()
        cancel = self._abandon()
        if self._failures >= FAILURES_BEFORE_GIVING_UP:
            return [*cancel, *self._say(self._settings.phrases.trouble, farewell=True)]
        return [*cancel, ForgetUtterance(), *self._say(self._settings.phrases.say_again)]

    def _on_heard(self, event: ReplyHeard) -> list[Command]:
        commands: list[Command] = []
        self._quiet_since = event.tick
        if not self._turn.is_heard:
            self._turn.is_heard = True
            self._interrupted = None
            self.state = AgentState.SPEAKING
            if self._turn.words:
                self.history.add_caller(self._turn.words)
            commands.append(ForgetUtterance())
        clause = None if event.clause is None else self._said.clauses.get(event.clause)
        if clause is not None:
            clause.heard_frames += 1
        if event.is_last:
            self._said.is_heard_out = True
            self._close_answer()
            commands += self._on_heard_out()
        return commands

    def _on_heard_out(self) -> list[Command]:
        if self._turn.is_farewell:
            return self._close()
        self.state = AgentState.LISTENING
        return []

    def _close_answer(self) -> None:
        self.history.add_agent(self._said.heard())
        self._said = Answer()

    # Limits

    def _on_time(self, tick: int) -> list[Command]:
        settings = self._settings
        if tick >= settings.call_ticks + settings.silence_ticks:
            return self._close()  # whatever keeps the goodbye from being heard out
        if tick >= settings.call_ticks and not self._turn.is_farewell:
            cancel = [] if self.state is AgentState.LISTENING else self._abandon()
            self._close_answer()
            return [*cancel, *self._say(settings.farewell, farewell=True)]
        if self.state is not AgentState.LISTENING or self._caller_speaks:
            return []
        quiet_ticks = tick - self._quiet_since
        if not self._has_prompted and quiet_ticks >= settings.silence_ticks:
            self._has_prompted = True
            return self._say(settings.phrases.still_there)
        if self._has_prompted and quiet_ticks >= 2 * settings.silence_ticks:
            return self._say(settings.farewell, farewell=True)
        return []

    def _close(self) -> list[Command]:
        cancel: list[Command] = [CancelReply(self._turn.id)] if self._turn.is_prepared else []
        self._close_answer()
        self.state = AgentState.CLOSED
        return [*cancel, HangUp()]
