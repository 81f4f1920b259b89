"""One call: ticks and events go into the conversation, its commands go out to the threads.

media clock --Tick--> Inbox --> CallSession.run --> Conversation.handle
hearing, reply, phone --Event--^        |
                Hearing, ReplyThread, Playout, IncomingCall <-- commands
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from softagent import reception
from softagent.caller_line import CallerLine
from softagent.capture.observe import Observe, unobserved
from softagent.chat import Message
from softagent.config import Account
from softagent.deeds.doer import Doer, Keep, keep_nothing
from softagent.dialogue.deeds import Deed, DeedOutcome, Transfer
from softagent.dialogue.events import (
    AgentState,
    CallAnswered,
    CallerHungUp,
    CancelReply,
    ClauseWritten,
    Command,
    DeedDone,
    DigitPressed,
    Do,
    Event,
    FinishTranscript,
    ForgetUtterance,
    HangUp,
    PauseJudged,
    PauseReply,
    PrepareReply,
    PrepareSpeech,
    ReadAhead,
    ReleaseReply,
    ReplyHeard,
    ResumeReply,
    SpeakSlower,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
    TimePassed,
    TranscriptChanged,
    TranscriptFinished,
)
from softagent.dialogue.guard import Guard
from softagent.dialogue.history import LookUp
from softagent.dialogue.phrases import phrases
from softagent.dialogue.words import words
from softagent.engines import Engines
from softagent.errors import SoftagentError
from softagent.filler import FillerPlayer
from softagent.hearing import Hearing
from softagent.inbox import Inbox
from softagent.journal import Journal
from softagent.listener import Listener
from softagent.media.codec import codec_named
from softagent.media.courier import Courier
from softagent.media.description import MediaDescription
from softagent.media.frame import TICKS_PER_SECOND, Tick, ticks
from softagent.media.playout import Playout
from softagent.media.stream import RtpStream
from softagent.reception import wall_clock
from softagent.recording import CallRecording
from softagent.reply import ReplyThread
from softagent.report import Report
from softagent.sip.phone import CallEnd, IncomingCall, Phone
from softagent.talk import conversation
from softagent.tone_watch import FAX_DEED, ToneWatch

LAST_WORD_TICKS = ticks(200)
"""Silence sent after the last word, so that the far end's jitter buffer plays it before the BYE."""
SILENT_MEDIA_SECONDS = 5.0
"""A media clock that has not ticked for so long is dead."""
JOIN_SECONDS = 3.0
SERVER_INTERNAL_ERROR = 500


class CallSession:
    """One call from the ring to the end. `run` is the call thread; `end` may come from any other."""

    def __init__(
        self,
        call: IncomingCall,
        account: Account,
        engines: Engines,
        opening: Sequence[Message],
        *,
        report: Callable[[Report], None],
        observe: Observe = unobserved,
        courier: Courier | None = None,
        phone: Phone | None = None,
        keep: Keep = keep_nothing,
        clock: Callable[[], datetime] = wall_clock,
        look_up: LookUp | None = None,
    ) -> None:
        """`opening` is the prompt's beginning, the same for every call; `clock` tells the time of the call;
        `look_up` finds facts that are not in `opening`.

        `observe` sees the call's RTP as it is on the wire, for a trace; `courier` sends ours.

        `phone` calls those whom the caller is put through to; `keep` keeps messages.
        """
        self._call = call
        self._account = account
        self._journal = Journal(account.name, call, report)
        codec = codec_named(call.media.codec)
        self._rate_hz = codec.rate_hz
        self._inbox = Inbox()
        self._playout = Playout(codec.rate_hz)
        self._stream = RtpStream(
            call.media,
            playout=self._playout,
            on_tick=self._inbox.tick,
            name=account.name,
            observe=observe,
            courier=courier,
        )
        began = clock()
        opening = (*opening, *reception.note(account, began))
        self._conversation = conversation(
            account,
            engines,
            opening,
            takes_messages=keep is not keep_nothing,
            now=began,
            look_up=look_up,
        )
        self._hearing = Hearing(
            engines.recognizer(codec.rate_hz),
            rate_hz=codec.rate_hz,
            post=self._inbox.post,
            now=self._now,
            name=account.name,
            log=self._journal.log,
            end_of_turn=engines.end_of_turn,
        )
        self._listener = Listener(
            engines.voice_activity(codec.rate_hz),
            self._hearing,
            account.turn,
            words=words(account.language),
            threshold=account.vad.threshold,
            rate_hz=codec.rate_hz,
        )
        self._line = CallerLine(call.media, account.sound, rate_hz=codec.rate_hz)
        self._replies = ReplyThread(
            engines.language_model,
            engines.synthesizer,
            self._playout,
            rate_hz=codec.rate_hz,
            max_tokens=account.llm.max_tokens,
            post=self._inbox.post,
            mark=self._journal.stopwatch.mark,
            now=self._now,
            name=account.name,
            log=self._journal.log,
            check=Guard(
                opening,
                persona=account.persona,
                facts=reception.tellable(account, began),
                language=account.language,
            ).check,
        )
        self._filler = FillerPlayer(
            phrases(account.language).fillers,
            engines.synthesizer,
            self._playout,
            wait_ms=account.turn.filler_ms,
            rate_hz=codec.rate_hz,
        )
        greeting = reception.greeting(account, began)
        self._first_prompt = (*opening, Message(role="assistant", content=greeting))
        self._recording = CallRecording(
            account.recording.directory,
            account=account.name,
            call_id=call.call_id,
            rate_hz=codec.rate_hz,
            on_failure=self._journal.recording_failed,
        )
        self._doer = Doer(
            call,
            account,
            phone=phone,
            synthesizer=engines.synthesizer,
            press=self._stream.send_digits,
            keep=keep,
            on_done=self._report_deed,
            log=self._journal.log,
        )
        self._tones = ToneWatch(
            account.tones,
            rate_hz=codec.rate_hz,
            end=self.end,
            transfer=lambda name: self._doer.do(FAX_DEED, Transfer(name)),
            on_tone=self._journal.tone,
        )
        self._tick = 0
        self._held_ticks = 0
        """Of the hold that is going on; 0 when there is none."""
        self._hang_up_at: int | None = None
        self._ended = threading.Event()
        """Set once, by whoever ends the call first."""
        self._end = CallEnd.FAILED

    def run(self) -> CallEnd:
        """Answer, converse, and clean up; return why the call is over."""
        self._journal.started()
        try:
            with self._running():
                self._handle(CallAnswered(0))
                self._replies.prime(self._first_prompt)
                while not self._ended.is_set():
                    self._step()
                self._handle(CallerHungUp(self._now()))  # what is to be kept of a call is done now
        finally:
            self._sum_up()
        return self._end

    @property
    def recording(self) -> Path | None:
        """The file that the call is recorded in, if it is."""
        return self._recording.path

    def end(self, reason: CallEnd) -> None:
        """Make `run` return soon. Any thread; the first reason counts."""
        if not self._ended.is_set():
            self._end = reason
            self._ended.set()
            self._inbox.post(CallerHungUp(self._now()))

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        """The threads of the call, around its loop: whatever happens, all of them end."""
        with contextlib.ExitStack() as cleanup:  # a step that fails keeps none of the others back
            cleanup.callback(self._recording.close)
            self._hearing.start()
            cleanup.callback(self._hearing.close, JOIN_SECONDS)
            self._replies.start()
            cleanup.callback(self._replies.close, JOIN_SECONDS)
            cleanup.callback(self._stream.stop)
            cleanup.callback(self._doer.close, JOIN_SECONDS)
            cleanup.callback(self._call.hang_up)
            self._start_media()
            self._call.on_media(self._move)
            self._call.on_digits(self._press)
            self._call.on_end(self.end)
            if not self._ended.is_set():
                self._call.answer()
            yield

    def _start_media(self) -> None:
        try:
            self._stream.start()
        except SoftagentError:
            self._call.reject(SERVER_INTERNAL_ERROR)
            raise
        self._journal.stopwatch.start()

    def _move(self, media: MediaDescription) -> None:
        """Media as a new offer has it, on a signalling thread."""
        self._stream.change(media)
        self._line.change(media)

    def _press(self, digits: str) -> None:
        """Keys that came as INFO, on a signalling thread."""
        for digit in digits:
            self._inbox.post(DigitPressed(self._now(), digit))

    def _report_deed(self, number: int, deed: Deed, outcome: DeedOutcome) -> None:
        """What came of a deed, on the doer's thread."""
        self._journal.deed(deed, outcome)
        if number == FAX_DEED:
            self._tones.transferred(outcome)
            return
        self._inbox.post(DeedDone(self._now(), number, outcome))

    def _step(self) -> None:
        """Deal with the next thing that happened."""
        item = self._inbox.take(SILENT_MEDIA_SECONDS)
        match item:
            case None:
                self._journal.log.error(
                    "event=media-clock-silent seconds=%.0f", SILENT_MEDIA_SECONDS
                )
                self.end(CallEnd.FAILED)
            case Tick(is_held=True):
                self._wait(item)
            case Tick():
                self._on_tick(item)
            case _:
                self._on_event(item)

    def _now(self) -> int:
        return self._tick

    # Ticks

    def _on_tick(self, tick: Tick) -> None:
        self._tick = tick.index
        self._take_off_hold()
        self._recording.write(tick)
        self._tones.push(tick.caller, is_waiting=self._doer.is_busy)
        self._on_played(tick)
        self._listen(tick)
        self._filler.push(self._conversation.unanswered)
        for digit in tick.digits:
            self._on_event(DigitPressed(tick.index, digit))
        if tick.index % TICKS_PER_SECOND == 0:
            self._handle(TimePassed(tick.index))
            self._notice_lost_caller()
        if self._hang_up_at is not None and tick.index >= self._hang_up_at:
            self.end(CallEnd.AGENT_HUNG_UP)

    def _wait(self, tick: Tick) -> None:
        """A tick on hold: recorded, but no time of the conversation, which goes on where it was."""
        if not self._held_ticks:
            self._journal.held()
        self._held_ticks += 1
        self._recording.write(tick)
        is_too_long = self._held_ticks > self._account.limits.hold_seconds * TICKS_PER_SECOND
        if is_too_long and not self._doer.is_busy:  # a transfer has its own limits
            self.end(CallEnd.AGENT_HUNG_UP)

    def _take_off_hold(self) -> None:
        if self._held_ticks:
            self._journal.resumed(self._held_ticks)
            self._held_ticks = 0
            self._line.renew()

    def _notice_lost_caller(self) -> None:
        if self._stream.unheard_seconds >= self._account.limits.rtp_timeout_seconds:
            self.end(CallEnd.FAR_END_LOST)

    def _on_played(self, tick: Tick) -> None:
        played = tick.agent
        self._journal.played(played)
        if played.turn is None:
            return
        self._handle(
            ReplyHeard(tick.index, played.turn, played.clause, played.is_first, played.is_last)
        )

    def _listen(self, tick: Tick) -> None:
        samples, is_echo = self._line.hear(tick)
        agent_speaks = self._conversation.state is AgentState.SPEAKING
        for event in self._listener.listen(
            samples, tick=self._tick, agent_speaks=agent_speaks, is_echo=is_echo
        ):
            self._journal.log.debug("event=%s", type(event).__name__)
            self._handle(event)
            self._follow(event)

    def _follow(self, event: Event) -> None:
        """What the shell itself makes of speech, once the conversation has seen it."""
        state, turn = self._conversation.state, self._conversation.hearing_turn
        match event:
            case SpeechStarted():
                self._listener.hear_agent(self._conversation.history.last_said)
            case SpeechPaused() if state in (AgentState.FINALIZING, AgentState.INTERRUPTED):
                self._journal.stopwatch.open(turn, last_voiced=event.last_voiced)
                self._journal.stopwatch.mark(turn, "paused")
            case SpeechEnded():
                self._journal.stopwatch.mark(turn, "ended")

    # Events and commands

    def _on_event(self, event: Event) -> None:
        self._note(event)
        self._handle(event)

    def _note(self, event: Event) -> None:
        """What the shell itself makes of an event, before the conversation sees it."""
        match event:
            case DigitPressed(digit=digit):
                self._journal.digit("secret" if self._conversation.is_secret else digit)
            case TranscriptChanged(text=text):
                self._listener.observe(text)
            case TranscriptFinished(turn=turn, text=text):
                is_current = turn == self._conversation.hearing_turn
                is_secret = self._conversation.is_secret
                shown = replace(event, text="(secret)") if is_secret else event
                self._journal.transcript(shown, is_current=is_current)
                if is_current:
                    self._listener.observe(text)
            case PauseJudged(turn=turn) if turn == self._conversation.hearing_turn:
                self._listener.judge(event.probability)
            case ClauseWritten():
                self._journal.clause(event)

    def _handle(self, event: Event) -> None:
        for command in self._conversation.handle(event):
            self._carry_out(command)

    def _carry_out(self, command: Command) -> None:
        match command:
            case FinishTranscript(turn):
                self._hearing.finish(turn)
            case ForgetUtterance():
                self._hearing.forget()
            case ReadAhead(messages):
                self._replies.prime(messages)
            case PrepareReply(turn, messages):
                self._playout.begin(turn)
                self._replies.prepare(turn, messages)
            case PrepareSpeech(turn, text):
                self._playout.begin(turn)
                self._replies.say(turn, text)
            case ReleaseReply(turn):
                self._playout.release(turn)
            case PauseReply(turn):
                self._playout.pause(turn)
            case ResumeReply(turn):
                self._playout.resume(turn)
            case CancelReply(turn):
                self._playout.stop(turn)
                self._replies.cancel(turn)
                self._journal.forget_unheard()
            case SpeakSlower():
                self._replies.slow_down()
            case Do(number, deed):
                self._doer.do(number, deed)
            case HangUp():
                self._hang_up_at = self._tick + LAST_WORD_TICKS

    # Around the call

    def _sum_up(self) -> None:
        self._journal.ended(
            self._end,
            ticks=self._tick,
            interruptions=self._conversation.interruptions,
            resumptions=self._conversation.resumptions,
            media=self._stream.stats(),
            dropped_ticks=self._inbox.dropped_ticks,
        )
