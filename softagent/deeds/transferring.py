"""Putting a caller through to a destination of the accounts file.

attended: hold --> call the destination --> answered --> REFER with Replaces   the caller is theirs
                                       '--> busy, no answer ... --> resume     the caller is ours again
blind:    REFER --> NOTIFYs to the end

Attended is the way that loses nobody: Asterisk 22 lets go of a caller whose blind transfer
fails.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from softagent.abilities import Destination
from softagent.deeds.announcing import LONGEST_SECONDS, Announcement
from softagent.deeds.answer import speakable
from softagent.deeds.watch import Watch
from softagent.dialogue.deeds import DeedOutcome, DeedResult
from softagent.engines import Synthesizer
from softagent.sip.phone import Call, Caller, OnResult, Outcome, OutgoingCall, Phone, Result

SETTLE_SECONDS = 0.4
"""Asterisk 22 answers a REFER with 400 in the first moments after an answer, until its bridge is there."""
MOST_REFERS = 3
MOST_RESUMES = 2
BAD_REQUEST = 400
ANSWER_SECONDS = 70.0
"""Longest wait for the end of a hold: above a transaction's 32 s, and the retries of a glare."""
TRANSFER_SECONDS = 200.0
"""Above what a transfer's NOTIFYs may take (see `softagent.sip.refer`)."""

RESULTS = {
    Outcome.ACCEPTED: DeedResult.DONE,
    Outcome.BUSY: DeedResult.BUSY,
    Outcome.NO_ANSWER: DeedResult.NO_ANSWER,
    Outcome.REFUSED: DeedResult.REFUSED,
    Outcome.TIMED_OUT: DeedResult.TIMED_OUT,
    Outcome.CALL_OVER: DeedResult.FAILED,
}
HUNG_UP = DeedOutcome(DeedResult.FAILED, "the caller has hung up")
HUNG_UP_EARLY = DeedOutcome(DeedResult.FAILED, "answered, and hung up before it was connected")
NO_PHONE = DeedOutcome(DeedResult.FAILED, "there is no telephone to call from")


class Transferring:
    """The transfers of one call, one at a time. The deed's thread only."""

    def __init__(
        self,
        call: Call,
        phone: Phone | None,
        watch: Watch,
        log: logging.LoggerAdapter[logging.Logger],
        *,
        synthesizer: Synthesizer | None = None,
    ) -> None:
        """`synthesizer` speaks the announcements of destinations that want one."""
        self._synthesizer = synthesizer
        self._call = call
        self._phone = phone
        self._watch = watch
        self._log = log

    def transfer(self, destination: Destination) -> DeedOutcome:
        """Put the caller through. Where that fails attended, the caller is on the line as before."""
        if destination.mode == "blind":
            return self._outcome(
                self._refer(lambda told: self._call.transfer(destination.number, told))
            )
        if self._phone is None:
            return NO_PHONE
        return self._attended(destination, self._phone)

    def _attended(self, destination: Destination, phone: Phone) -> DeedOutcome:
        held = self._watch.ask(self._call.hold, seconds=ANSWER_SECONDS)
        if held is None or held.outcome is Outcome.CALL_OVER:
            return HUNG_UP
        if not held.is_accepted:  # the caller hears silence instead of music: no reason to give up
            self._log.warning("event=hold-refused status=%d reason=%r", held.status, held.reason)
        consultation = Consultation(phone, destination)
        is_done = False
        try:
            outcome = self._connect(consultation)
            is_done = outcome.result is DeedResult.DONE
        finally:
            consultation.end()
            if held.is_accepted and not is_done:
                self._resume()
        return outcome

    def _connect(self, consultation: Consultation) -> DeedOutcome:
        """Have the destination answer, and hand the caller over."""
        result = self._watch.ask(consultation.begin, seconds=consultation.most_seconds)
        if result is None or not result.is_accepted:
            return self._outcome(result)
        self._announce(consultation)
        result = self._refer(lambda told: self._call.transfer_to(consultation.call, told))
        if result is not None and result.is_accepted:
            return self._outcome(result)
        if consultation.is_over and not self._watch.is_cancelled:
            return HUNG_UP_EARLY
        return self._outcome(result)

    def _announce(self, consultation: Consultation) -> None:
        """Say whom the call is from; one that fails keeps nobody from being put through."""
        text = consultation.announcement(self._call.caller)
        if not text or self._synthesizer is None:
            return
        try:
            announcement = Announcement(consultation.call.media, text, self._synthesizer)
            try:
                self._watch.ask(announcement.begin, seconds=LONGEST_SECONDS)
            finally:
                announcement.stop()
        except Exception:
            self._log.exception("event=announcement-failed")

    def _refer(self, refer: Callable[[OnResult], None]) -> Result | None:
        """Ask the PBX for it, again where it was too early; None when the caller was gone before."""
        result = None
        for _ in range(MOST_REFERS):
            if not self._watch.pause(SETTLE_SECONDS):
                return None
            result = self._watch.ask(refer, seconds=TRANSFER_SECONDS, to_the_end=True)
            if result is None or result.status != BAD_REQUEST:
                break
        return result

    def _resume(self) -> None:
        """Take the caller off hold; one who can't be is let go of, rather than left there for ever."""
        for _ in range(MOST_RESUMES):
            if self._watch.is_cancelled:
                return
            result = self._watch.ask(self._call.resume, seconds=ANSWER_SECONDS)
            if result is None or result.is_accepted or result.outcome is Outcome.CALL_OVER:
                return
            self._log.error("event=resume-failed status=%d reason=%r", result.status, result.reason)
        self._call.hang_up()

    def _outcome(self, result: Result | None) -> DeedOutcome:
        if result is not None and result.is_accepted:
            return outcome_of(result)
        return HUNG_UP if result is None or self._watch.is_cancelled else outcome_of(result)


class Consultation:
    """Our call to a destination."""

    def __init__(self, phone: Phone, destination: Destination) -> None:
        self.most_seconds = destination.timeout_seconds + ANSWER_SECONDS
        """After which nothing will come of it any more."""
        self._phone = phone
        self._destination = destination
        self._call: OutgoingCall | None = None
        self._over = threading.Event()
        """Set by a signalling thread."""

    def begin(self, on_result: OnResult) -> None:
        """Ring there."""
        self._call = self._phone.call(
            self._destination.number, on_result, ring_seconds=self._destination.timeout_seconds
        )
        self._call.on_end(lambda _end: self._over.set())

    def announcement(self, caller: Caller) -> str:
        """What is said there first; empty for nothing."""
        who = speakable(caller.name)[:60] or " ".join(caller.number[:20]) or "somebody"
        return self._destination.announce.replace("{caller}", who)

    @property
    def call(self) -> OutgoingCall:
        """Once begun."""
        assert self._call is not None
        return self._call

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def end(self) -> None:
        """Give it up, if it is still there."""
        if self._call is not None:
            self._call.hang_up()


def outcome_of(result: Result) -> DeedOutcome:
    """What an end in the signalling means for the caller."""
    status = f"{result.status} " if result.status else ""
    return DeedOutcome(RESULTS[result.outcome], f"{status}{result.reason}".strip())
