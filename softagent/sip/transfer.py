"""Transfers at work: REFER out, NOTIFYs in, and what the end of the call means to them (see refer.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from softagent.sip.alarm import Alarm
from softagent.sip.message import Response
from softagent.sip.outcome import CALL_OVER
from softagent.sip.phone import CallEnd, OnResult, Outcome, Result
from softagent.sip.refer import Transfer
from softagent.sip.transaction import ServerTransaction

if TYPE_CHECKING:
    from softagent.sip.session import Session

BUSY_WITH_ANOTHER = Result(Outcome.REFUSED, reason="another transfer of this call is under way")


class Transfers:
    """The transfers of one call, one at a time. Used under the line's lock."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._latest: Transfer | None = None
        self._alarm: Alarm | None = None

    @property
    def is_pending(self) -> bool:
        """Whether the end of one is still to come, be it after the end of the call."""
        return self._latest is not None and not self._latest.is_over

    @property
    def is_taken(self) -> bool:
        """Whether the other side is at one: its BYE is part of it."""
        return self.is_pending and self._latest is not None and self._latest.is_taken

    def refer(
        self,
        refer_to: str,
        referred_by: str,
        on_result: OnResult,
        *,
        partner: Session | None = None,
    ) -> None:
        """Send the other side to `refer_to` (a header value); an accepted transfer ends the call.

        `partner` is the call that is joined with this one, and ends with it.
        """
        if not self._session.is_up:
            on_result(CALL_OVER)
            return
        if self.is_pending:
            on_result(BUSY_WITH_ANOTHER)
            return

        def finish(result: Result) -> None:
            if result.is_accepted:
                for session in (self._session, partner):
                    if session is not None and session.ending is None:
                        session.end_with_bye(CallEnd.TRANSFERRED)
            on_result(result)

        transfer = self._latest = Transfer(finish, self._now)
        if partner is not None:
            partner.joined = transfer
        fields = (
            ("Refer-To", refer_to),
            ("Referred-By", referred_by),
            self._session.contact,
        )

        def take(response: Response | None) -> None:
            if response is not None and response.status == 481:
                self._session.lose("no-such-call")
            transfer.answer(response, self._now)
            self._arm()

        self._session.asking.ask(
            "REFER", take, *fields, on_sent=lambda request: transfer.sent(request.cseq.number)
        )

    def hear(self, notify: ServerTransaction) -> bool:
        """Take a NOTIFY and answer it; False when it is about nothing of ours."""
        transfer = self._latest
        if transfer is None or not transfer.is_about(notify.request):
            return False
        self._session.respond(notify, 200)
        transfer.hear(notify.request, self._now)
        self._arm()
        return True

    def part(self, *, is_ours: bool) -> None:
        """The call ends, `is_ours` when not by the transfer."""
        if self._latest is not None and not self._latest.is_over:
            self._latest.part(self._now, is_ours=is_ours)
            self._arm()

    @property
    def _now(self) -> float:
        return self._session.line.endpoint.now

    def _arm(self) -> None:
        """Look again when the time of the open transfer is up."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self.is_pending:
            assert self._latest is not None
            seconds = max(0.0, self._latest.deadline - self._now)
            self._alarm = self._session.line.endpoint.after(seconds, self._expire)

    def _expire(self) -> None:
        if self._latest is not None:
            self._latest.expire(self._now)
            self._arm()
