"""What is written down of one call while it happens: log lines, reports to the parent, stage times."""

from __future__ import annotations

from collections.abc import Callable

from softagent.dialogue.deeds import Deed, DeedOutcome, name_of
from softagent.dialogue.events import ClauseWritten, TranscriptFinished
from softagent.log import call_logger
from softagent.media.frame import FRAME_MS, Played
from softagent.media.quality import Quality
from softagent.media.stats import StreamStats
from softagent.media.tones import Tone
from softagent.report import (
    CallEnded,
    CallSound,
    CallStarted,
    Did,
    Heard,
    Report,
    Said,
    TurnMeasured,
)
from softagent.sip.phone import CallEnd, IncomingCall
from softagent.stopwatch import Stopwatch


class Journal:
    """One call's. Call thread only, but for `stopwatch.mark` and `deed`. Words are logged at DEBUG only."""

    def __init__(self, account: str, call: IncomingCall, report: Callable[[Report], None]) -> None:
        self.log = call_logger(account, call.call_id)
        self.stopwatch = Stopwatch()
        self._account = account
        self._call = call.call_id
        self._caller = call.caller.number
        self._codec = call.media.codec
        self._report = report
        self._turns = 0
        self._unheard: dict[tuple[int, int], str] = {}
        """Clauses by turn and number whose sound has not begun."""

    def started(self) -> None:
        """The call is being answered."""
        self.log.info("event=call-started caller=%s codec=%s", self._caller, self._codec)
        self._report(CallStarted(self._account, self._call, self._caller))

    def transcript(self, event: TranscriptFinished, *, is_current: bool) -> None:
        """The words of a turn are final, or were until the caller went on."""
        self.stopwatch.mark(event.turn, "transcribed")
        self.log.debug("event=heard turn=%d text=%r", event.turn, event.text)
        if is_current and event.text:
            self._report(Heard(self._account, self._call, event.turn, event.text))

    def clause(self, event: ClauseWritten) -> None:
        """A clause of an answer has its words."""
        self.log.debug(
            "event=clause turn=%d number=%d text=%r", event.turn, event.clause, event.text
        )
        self._unheard[event.turn, event.clause] = event.text

    def played(self, played: Played) -> None:
        """A frame of an answer is on its way to the caller, or of what bridges the wait for it."""
        if played.filler_of is not None:
            self.stopwatch.mark(played.filler_of, "filler")
        if played.turn is None:
            return
        if played.clause is not None:
            self._say(played.turn, self._unheard.pop((played.turn, played.clause), ""))
        if played.is_first:
            self._answered(played.turn)

    def forget_unheard(self) -> None:
        """The answer in the making has been dropped."""
        self._unheard.clear()

    def digit(self, digit: str) -> None:
        """The caller pressed a key; which one may be part of a PIN."""
        self.log.info("event=digit")
        self.log.debug("event=digit-pressed digit=%s", digit)

    def deed(self, deed: Deed, outcome: DeedOutcome) -> None:
        """What came of something that was done for the caller. The doer's thread."""
        name, result = name_of(deed), outcome.result.value
        self.log.info("event=deed name=%s result=%s detail=%r", name, result, outcome.detail)
        self._report(Did(self._account, self._call, name, result))

    def tone(self, tone: Tone) -> None:
        """A tone was heard that tells who or what is at the far end."""
        self.log.info("event=tone tone=%s", tone.value)

    def held(self) -> None:
        """The call has been put on hold."""
        self.log.info("event=held")

    def resumed(self, held_ticks: int) -> None:
        """The call goes on after a hold."""
        self.stopwatch.skip(held_ticks)
        self.log.info("event=resumed held_seconds=%.1f", held_ticks * FRAME_MS / 1000)

    def recording_failed(self, error: Exception) -> None:
        """A full disk or a missing folder costs the recording, not the call."""
        self.log.error("event=recording-failed error=%r", str(error))

    def ended(
        self,
        reason: CallEnd,
        *,
        ticks: int,
        interruptions: int,
        resumptions: int,
        media: StreamStats,
        dropped_ticks: int,
    ) -> None:
        """The call is over and its threads are gone."""
        seconds = ticks * FRAME_MS / 1000
        sound = _sound(media)
        facts = {
            "reason": reason.value,
            "seconds": f"{seconds:.1f}",
            "turns": self._turns,
            "interruptions": interruptions,
            "resumptions": resumptions,
            **_media_facts(media),
            **_sound_facts(sound),
            "underruns": media.underruns,
            "dropped_ticks": dropped_ticks,
        }
        pairs = " ".join(f"{name}=%s" for name in facts)
        self.log.info("event=call-ended " + pairs, *facts.values())
        self._report(
            CallEnded(
                self._account,
                self._call,
                reason.value,
                seconds,
                self._turns,
                interruptions,
                sound,
            )
        )

    def _say(self, turn: int, text: str) -> None:
        if text:
            self._report(Said(self._account, self._call, turn, text))

    def _answered(self, turn: int) -> None:
        self.stopwatch.mark(turn, "heard")
        marks = self.stopwatch.read(turn)
        if marks is None:
            return  # a greeting or a re-prompt answers nothing
        self._turns += 1
        stages = " ".join(f"{stage}_ms={time_ms:.0f}" for stage, time_ms in marks.items())
        self.log.info("event=turn turn=%d %s", turn, stages)
        self._report(TurnMeasured(self._account, self._call, turn, marks))


def _sound(media: StreamStats) -> CallSound:
    """What the parent is told of a stream."""
    listening_r, listening_mos = _rating(media.listening)
    talking_r, talking_mos = _rating(media.talking)
    return CallSound(
        listening_r=listening_r,
        listening_mos=listening_mos,
        talking_r=talking_r,
        talking_mos=talking_mos,
        round_trip_ms=media.round_trip_ms,
        lost=media.lost,
        jitter_ms=media.jitter_ms,
        buffer_ms=media.buffer_mean_ms,
        far_loss_percent=media.far_loss_percent,
        far_jitter_ms=media.far_jitter_ms,
        foreign=media.foreign,
        replayed=media.replayed,
        unauthenticated=media.unauthenticated,
        interval_p50_ms=media.interval_p50_ms,
        interval_p99_ms=media.interval_p99_ms,
        interval_max_ms=media.interval_max_ms,
    )


def _rating(direction: Quality | None) -> tuple[float | None, float | None]:
    return (None, None) if direction is None else (direction.r_factor, direction.mos)


def _media_facts(media: StreamStats) -> dict[str, object]:
    """What became of the packets."""
    return {
        "sent": media.packets_sent,
        "received": media.packets_received,
        "lost": media.lost,
        "late": media.late,
        "concealed": media.concealed,
        "foreign": media.foreign,
        "malformed": media.malformed,
        "replayed": media.replayed,
        "unauthenticated": media.unauthenticated,
        "far_lost": "-" if media.far_lost is None else media.far_lost,
        "send_late_p99_ms": _rounded(media.late_p99_ms),
        "send_late_max_ms": _rounded(media.late_max_ms),
    }


def _sound_facts(sound: CallSound) -> dict[str, object]:
    """How it sounded and why, both ways."""
    return {
        "jitter_ms": _rounded(sound.jitter_ms),
        "buffer_ms": _rounded(sound.buffer_ms),
        "rtt_ms": _rounded(sound.round_trip_ms),
        "r_listening": _rounded(sound.listening_r),
        "mos_listening": _rounded(sound.listening_mos, 2),
        "r_talking": _rounded(sound.talking_r),
        "mos_talking": _rounded(sound.talking_mos, 2),
        "far_loss_percent": _rounded(sound.far_loss_percent, 2),
        "far_jitter_ms": _rounded(sound.far_jitter_ms),
        "send_interval_p50_ms": _rounded(sound.interval_p50_ms),
        "send_interval_p99_ms": _rounded(sound.interval_p99_ms),
        "send_interval_max_ms": _rounded(sound.interval_max_ms),
    }


def _rounded(value: float | None, digits: int = 1) -> str:
    """For the log; "-" where nobody told."""
    return "-" if value is None else f"{value:.{digits}f}"
