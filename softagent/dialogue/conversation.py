"""Whose turn it is: events in, commands out. The whole behaviour of a call, as a pure state machine.

             SpeechPaused           words            ReplyHeard
    LISTENING ---------> FINALIZING -----> THINKING -----------> SPEAKING
      ^  ^ ^                 |                |                   |  |  ^
      |  | '---- resumed, or no words --------'     SpeechStarted |  |  | no words that matter
      |  '----------------- heard to the end ---------------------|--'  |
      '------------------ words, or long speech ------------ INTERRUPTED'

    SPEAKING --deed announced, heard out--> ACTING --DeedDone--> THINKING (what came of it is told)

A reply is prepared as soon as the caller pauses and released when the pause has lasted
long enough. Until its first frame has been heard, everything can be taken back. Speech
over a reply pauses it at once; what it was decides whether it goes on or is dropped.
"""

from __future__ import annotations

from softagent.dialogue.events import (
    AgentState,
    CallAnswered,
    CallerHungUp,
    CancelReply,
    ClauseSpoken,
    ClauseWritten,
    Command,
    DeedDone,
    DeedProposed,
    DigitPressed,
    Event,
    FinishTranscript,
    ForgetUtterance,
    HangUp,
    PauseReply,
    PrepareReply,
    PrepareSpeech,
    ReadAhead,
    ReleaseReply,
    ReplyFailed,
    ReplyHeard,
    ReplyWritten,
    ResumeReply,
    SpeakSlower,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    TimePassed,
    TranscriptChanged,
    TranscriptFinished,
)
from softagent.dialogue.history import Answer, History
from softagent.dialogue.interruption import Finding, Interruption
from softagent.dialogue.limits import Due, Limits
from softagent.dialogue.settings import BargeIn as BargeIn  # its settings belong to it
from softagent.dialogue.settings import ConversationSettings as ConversationSettings
from softagent.dialogue.step import Step
from softagent.dialogue.turn import Turn
from softagent.dialogue.utterance import Utterance
from softagent.dialogue.visit import Visit

FAILURES_BEFORE_GIVING_UP = 2


class Conversation:
    """One call's dialogue. `handle` is called by the call thread only."""

    def __init__(self, settings: ConversationSettings, history: History) -> None:
        self.state = AgentState.LISTENING
        self.history = history
        self.interruptions = 0
        self._settings = settings
        self._turn = Turn(-1, is_over=True)
        self._said = Answer()
        self.resumptions = 0
        """Replies that went on after a noise or an "uh-huh"."""
        self._interruption = self._new_interruption()
        self._limits = Limits(settings.silence_ticks, settings.call_ticks, settings.warning_ticks)
        self._visit = Visit(settings)
        self._failures = 0
        self._utterance = Utterance()
        self._untold: Step | None = None
        """What came of a deed that ended while the caller spoke."""

    @property
    def turn(self) -> int:
        """Id of the current turn."""
        return self._turn.id

    @property
    def hearing_turn(self) -> int:
        """Id that the words being heard have, or will have if they are meant."""
        return self._turn.id + (self.state is AgentState.INTERRUPTED)

    @property
    def is_secret(self) -> bool:
        """Whether what the caller says or presses now must not be logged."""
        return self._visit.is_secret

    @property
    def unanswered(self) -> int | None:
        """Id of the caller's turn that is over, and of whose answer nothing has been heard yet."""
        turn = self._turn
        match self.state:
            case AgentState.FINALIZING if turn.is_over:
                return turn.id
            case AgentState.THINKING if turn.is_over and turn.words and not turn.is_heard:
                return turn.id
            case _:
                return None

    def handle(self, event: Event) -> list[Command]:
        """Take one event; return what is to be done about it, in order."""
        if self.state is AgentState.CLOSED:
            return []
        match event:
            case CallAnswered() if self._settings.notice:
                return self._say(self._settings.notice, protected=True)
            case CallAnswered():
                return self._say(self._settings.greeting)
            case _ if (
                self.state is AgentState.INTERRUPTED
                and (commands := self._on_interruption(event)) is not None
            ):
                return commands
            case SpeechStarted() | SpeechResumed():
                return self._on_speech(event)
            case SpeechPaused():
                return self._on_speech_paused(event)
            case SpeechEnded():
                return self._on_speech_ended(event)
            case TranscriptChanged(text=words) if words and self.state is AgentState.LISTENING:
                return self._read_ahead(words)
            case TranscriptFinished(turn=turn) if turn == self._turn.id:
                return self._on_words(event)
            case ClauseWritten(turn=turn) if turn == self._turn.id:
                self._said.write(event.clause, event.text)
                return []
            case ClauseSpoken(turn=turn) if turn == self._turn.id:
                self._said.measure(event.clause, event.frames)
                return []
            case ReplyWritten(turn=turn) if turn == self._turn.id:
                return self._on_reply_written()
            case ReplyFailed(turn=turn) if turn == self._turn.id:
                return self._on_reply_failed()
            case ReplyHeard(turn=turn) if turn == self._turn.id:
                return self._on_heard(event)
            case DeedProposed(turn=turn) if turn == self._turn.id:
                return self._on_proposed(event)
            case DigitPressed():
                return self._on_key(event)
            case DeedDone() if self.state is AgentState.ACTING and self._visit.is_deed(event):
                return self._on_deed_done(event)
            case TimePassed(tick):
                return self._on_time(tick)
            case CallerHungUp():
                return self._close()
            case _:
                return []  # of a turn that has been withdrawn meanwhile

    # The caller speaks

    def _on_speech(self, event: SpeechStarted | SpeechResumed) -> list[Command]:
        """Whatever the caller has not heard yet is withdrawn; what is being heard is cut short."""
        self._utterance.note(event)
        match self.state:
            case AgentState.FINALIZING:
                return self._abandon()
            case AgentState.THINKING if self._turn.is_retractable:
                return self._abandon()
            case AgentState.THINKING | AgentState.SPEAKING if self._is_interruptible:
                self.state, self._interruption = AgentState.INTERRUPTED, self._new_interruption()
                return [PauseReply(self._turn.id)] if self._pauses else []
            case _:
                return []

    def _on_speech_paused(self, event: SpeechPaused) -> list[Command]:
        self._utterance.note(event)
        if self.state is not AgentState.LISTENING:
            return []
        self._turn = Turn(self._turn.id + 1, awaited=1)
        self.state = AgentState.FINALIZING
        return [FinishTranscript(self._turn.id)]

    def _on_speech_ended(self, event: SpeechEnded) -> list[Command]:
        self._utterance.note(event)
        self._turn.is_over = True
        match self.state:
            case AgentState.FINALIZING:
                return []  # the words are still to come
            case AgentState.THINKING if self._turn.is_retractable:
                return [ReleaseReply(self._turn.id)]
            case AgentState.LISTENING:
                return self._on_nothing_said()
            case AgentState.ACTING if (told := self._untold) is not None:
                self._untold = None
                return [ForgetUtterance(), *self._say_step(told)]
            case _:  # it was no interruption, and is no part of the next words
                return [ForgetUtterance()]

    def _abandon(self) -> list[Command]:
        """Drop the turn; what the caller said goes on."""
        self.state = AgentState.LISTENING
        prepared, self._turn = self._turn, Turn(self._turn.id + 1)
        return [CancelReply(prepared.id)] if prepared.is_prepared else []

    # The caller speaks over the agent

    @property
    def _is_interruptible(self) -> bool:
        return self._settings.barge_in != "off" and not self._turn.is_protected

    @property
    def _pauses(self) -> bool:
        return self._settings.barge_in == "instant"

    def _new_interruption(self) -> Interruption:
        return Interruption(self._turn.id, self._settings.words, is_instant=self._pauses)

    def _on_interruption(self, event: Event) -> list[Command] | None:
        """What speech over a reply turns out to be; None for what has nothing to do with it."""
        self._utterance.note(event)
        asked = self._said.begun() if self._turn.is_heard else self.history.last_said
        match self._interruption.hear(event, asked=asked):
            case Finding.UNRELATED:
                return None
            case Finding.UNDECIDED:
                is_pause = isinstance(event, SpeechPaused)
                return [FinishTranscript(self._interruption.turn)] if is_pause else []
            case Finding.NOT_MEANT:
                return self._go_on()
            case Finding.MEANT:
                return [*self._interrupt(), *self._on_interrupting_words(event)]

    def _on_interrupting_words(self, event: Event) -> list[Command]:
        match event:
            case TranscriptChanged(text=words):
                return self._read_ahead(words)
            case TranscriptFinished():
                return self._on_words(event)
            case _:
                return []

    def _interrupt(self) -> list[Command]:
        """It was meant: drop what is unheard; what the caller says is a turn of its own."""
        self.interruptions += self._turn.is_heard
        self._close_answer()
        commands = self._abandon()
        if self._interruption.is_paused:
            self.state, self._turn.is_over = AgentState.FINALIZING, self._interruption.is_over
            self._turn.awaited = self._interruption.awaited
        return commands

    def _go_on(self) -> list[Command]:
        """It was not meant: the reply goes on where it was."""
        self.state = AgentState.SPEAKING if self._turn.is_heard else AgentState.THINKING
        self.resumptions += self._turn.is_heard
        resume: list[Command] = [ResumeReply(self._turn.id)] if self._pauses else []
        return [ForgetUtterance(), *resume]

    # The words are there

    def _read_ahead(self, words: str) -> list[Command]:
        return [] if self._visit.is_asking else [ReadAhead(self.history.prompt(words))]

    def _on_words(self, event: TranscriptFinished) -> list[Command]:
        if self.state is not AgentState.FINALIZING:
            return []
        self._turn.awaited -= 1
        if self._turn.awaited > 0:
            return []
        words = event.text.strip()
        if not words:
            self._utterance.is_wordless = True
            self.state = AgentState.LISTENING
            return self._on_nothing_said() if self._turn.is_over else []
        self._limits.hear_caller()
        self._turn.words = words
        if self._settings.phrases.goodbye.fullmatch(words):
            return self._answer(Step(self._settings.farewell, is_farewell=True))
        return self._answer(self._visit.hear(words))

    def _answer(self, step: Step) -> list[Command]:
        """Prepare what the desk says, or the model; it counts once its first frame is heard."""
        turn = self._turn
        turn.step, turn.answer, turn.is_farewell = step, step.say, step.is_farewell
        turn.is_prepared = True
        self._said = Answer()
        self.state = AgentState.THINKING
        prepare: Command
        if step.say:
            prepare = PrepareSpeech(turn.id, step.say)
        else:
            prepare = PrepareReply(turn.id, self.history.prompt(step.ask or turn.words))
        return [prepare, ReleaseReply(turn.id)] if turn.is_over else [prepare]

    def _on_nothing_said(self) -> list[Command]:
        """A noise: forget it. But who has spoken for long without being understood is asked again."""
        if self._utterance.take_wordless(self._settings.wordless_ticks):
            return [ForgetUtterance(), *self._not_understood()]
        return [ForgetUtterance()]

    def _not_understood(self) -> list[Command]:
        step = self._visit.fail()
        if step is None:
            return self._say(self._settings.phrases.trouble, farewell=True)
        return self._say_step(step)

    # The caller presses keys

    def _on_key(self, event: DigitPressed) -> list[Command]:
        self._limits.feel_key(event.tick)
        if self.state is AgentState.ACTING or self._turn.is_protected:
            return []
        silence = self._fall_silent()
        step = self._visit.press(event.tick, event.digit)
        return silence if step is None else [*silence, *self._on_keys(step)]

    def _fall_silent(self) -> list[Command]:
        """A key stops the agent, whatever it is about to say."""
        if self.state is AgentState.LISTENING:
            return []
        self.interruptions += self._turn.is_heard
        self._close_answer()
        return [*self._abandon(), ForgetUtterance()]

    def _on_keys(self, step: Step) -> list[Command]:
        """Keys are meant: the step counts at once, so that the next ones may come before it is heard."""
        self._turn = Turn(self._turn.id + 1, words=step.ask, is_over=True, is_keyed=True)
        self._visit.settle(step)
        return self._answer(step)

    # Deeds

    def _on_proposed(self, event: DeedProposed) -> list[Command]:
        """The model proposes something: the caller is asked, in place of what it says if that is unheard."""
        if (step := self._visit.propose(event.proposal)) is None:
            return []
        turn = self._turn
        if turn.is_heard or self.state is not AgentState.THINKING:
            turn.follow_up = step
            return []
        self._turn = Turn(
            turn.id + 1, words=turn.words, is_over=turn.is_over, is_keyed=turn.is_keyed
        )
        return [CancelReply(turn.id), *self._answer(step)]

    def _on_deed_done(self, event: DeedDone) -> list[Command]:
        step = self._visit.end_deed(event)
        if step is None:
            return self._close()
        if self._utterance.is_going_on:  # told when the caller has finished
            self._untold = step
            return []
        return self._say_step(step)

    # The agent speaks

    def _say(self, text: str, *, farewell: bool = False, protected: bool = False) -> list[Command]:
        self._turn = Turn(
            self._turn.id + 1,
            answer=text,
            is_over=True,
            is_prepared=True,
            is_farewell=farewell,
            is_protected=protected,
        )
        self._said = Answer()
        self.state = AgentState.THINKING
        return [PrepareSpeech(self._turn.id, text), ReleaseReply(self._turn.id)]

    def _say_step(self, step: Step) -> list[Command]:
        """Say a step of the desk's unasked."""
        self._turn = Turn(self._turn.id + 1, is_over=True)
        return self._answer(step)

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
        return [*cancel, ForgetUtterance(), *self._not_understood()]

    def _on_heard(self, event: ReplyHeard) -> list[Command]:
        commands: list[Command] = []
        self._limits.hear_agent(event.tick)
        if not self._turn.is_heard:
            self._turn.is_heard = True
            commands += self._settle()
            if self.state is not AgentState.INTERRUPTED:  # else an utterance is going on
                self.state = AgentState.SPEAKING
                commands.append(ForgetUtterance())
        self._said.hear(event.clause, is_last=event.is_last)
        if event.is_last:
            self._close_answer()
            commands += self._on_heard_out(event.tick)
        return commands

    def _settle(self) -> list[Command]:
        """The first frame is heard: what was prepared counts."""
        turn = self._turn
        if turn.words and not turn.is_secret:
            self.history.add_caller(turn.words)
        if turn.step is None:
            return []
        if not turn.is_keyed:
            self._visit.settle(turn.step)
        return [SpeakSlower()] if turn.step.is_slower else []

    def _on_heard_out(self, tick: int) -> list[Command]:
        if self._turn.is_farewell:
            return self._close()
        if self._turn.is_protected:
            return self._say(self._settings.greeting)
        step, follow_up = self._turn.step, self._turn.follow_up
        if step is not None and step.deed is not None:
            self.state = AgentState.ACTING
            return [self._visit.begin_deed(tick, step.deed)]
        if self.state is AgentState.INTERRUPTED:
            return self._interrupt()  # it was not paused: what is said over it comes next
        if follow_up is not None:
            return self._say_step(follow_up)
        self.state = AgentState.LISTENING
        return [ReadAhead(self.history.messages)] if self.history.make_room() else []

    def _close_answer(self) -> None:
        heard = self._said.heard()
        if heard and not self._turn.is_secret:
            self.history.add_agent(heard)
        is_aside = self._turn.step is None and self._turn.id > 0
        if heard and not is_aside:
            self._visit.note_said(self._said.text())
        self._said = Answer()

    # Limits

    def _on_time(self, tick: int) -> list[Command]:
        is_quiet = self.state is AgentState.LISTENING and not self._utterance.is_going_on
        if is_quiet and (keyed := self._visit.stop_pressing(tick)):
            return self._on_keys(keyed)
        is_acting = self.state is AgentState.ACTING
        if is_acting and (overdue := self._visit.overdue(tick)) is not None:
            return self._on_deed_done(overdue)
        farewell = self._settings.farewell
        is_bound = is_acting or self._turn.is_farewell
        match self._limits.due(tick, is_quiet=is_quiet, is_farewell=is_bound):
            case Due.NOTHING:
                return []
            case Due.WARNING:
                return self._say(self._settings.phrases.nearly_over)
            case Due.PROMPT:
                return self._say(self._settings.phrases.still_there)
            case Due.GOODBYE:
                return self._say(farewell, farewell=True)
            case Due.LAST_GOODBYE:
                cancel = [] if self.state is AgentState.LISTENING else self._abandon()
                self._close_answer()
                return [*cancel, *self._say(farewell, farewell=True)]
            case Due.END:
                return self._close()

    def _close(self) -> list[Command]:
        cancel: list[Command] = [CancelReply(self._turn.id)] if self._turn.is_prepared else []
        self._close_answer()
        self.state = AgentState.CLOSED
        return [*cancel, HangUp()]
