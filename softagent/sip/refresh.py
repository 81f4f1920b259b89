"""Keeps a call's session alive, and ends the call whose far end has gone (RFC 4028 sections 7.4 and 10)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from softagent.sip.alarm import NEVER, Alarm
from softagent.sip.errors import MessageError
from softagent.sip.message import Request, Response
from softagent.sip.phone import Outcome, Result
from softagent.sip.reinvite import glare_seconds
from softagent.sip.sessiontimer import Due, SessionTimer
from softagent.sip.uas import ALLOW, SUPPORTED, Fields

if TYPE_CHECKING:
    from softagent.sip.session import Session

NOT_THERE = (408, 481)
"""Who answers a refresh like that has no such call any more."""
NOT_KNOWN = (405, 501)
"""Who answers an UPDATE like that takes re-INVITEs only."""


class Refresher:
    """The session timer of one call at work. Used under the line's lock."""

    def __init__(self, session: Session, timer: SessionTimer) -> None:
        self._session = session
        self._timer = timer
        self._alarm: Alarm | None = None
        self._takes_updates = True

    def answer(self, request: Request) -> Fields:
        """What goes into our 2xx to an INVITE or UPDATE: with it the interval begins again."""
        fields = self._timer.answer(request, self._now)
        self._arm()
        return fields

    def fields(self) -> Fields:
        """What goes into an INVITE or UPDATE of ours."""
        return self._timer.request_fields()

    def take(self, response: Response) -> bool:
        """Take the final response to such a request; whether to send it again with other fields."""
        try:
            is_to_repeat = self._timer.take(response, self._now)
        except MessageError:  # as good as none
            is_to_repeat = False
        self._arm()
        return is_to_repeat

    def stop(self) -> None:
        """The call is over."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    @property
    def _now(self) -> float:
        return self._session.line.endpoint.now

    def _arm(self) -> None:
        self.stop()
        if self._session.ending is None and self._timer.next_wake < NEVER:
            wait = max(0.0, self._timer.next_wake - self._now)
            self._alarm = self._session.line.endpoint.after(wait, self._wake)

    def _wake(self) -> None:
        match self._timer.due(self._now):
            case Due.END:
                self._session.lose("session-expired")
            case Due.REFRESH:
                self._refresh()
                self._arm()
            case Due.NOTHING:
                self._arm()

    def _refresh(self) -> None:
        """By UPDATE where the other side takes that: it needs neither a description nor an ACK."""
        session = self._session
        if self._takes_updates and "update" in session.allowed:
            fields = (session.contact, ALLOW, SUPPORTED, *self.fields())
            session.request("UPDATE", *fields, on_response=self._hear_update)
        else:
            session.reinvite(session.negotiation.repeat, self._conclude)

    def _hear_update(self, response: Response | None) -> None:
        status = 408 if response is None else response.status
        if self._session.ending is not None:
            return
        if status in NOT_THERE:
            self._session.lose("refresh-unanswered")
        elif status in NOT_KNOWN:
            self._takes_updates = False
            self._again(0.0)
        elif status == 491:
            self._again(glare_seconds(self._session))
        elif response is not None and self.take(response):
            self._again(0.0)
        elif status >= 300:
            self._again()
        elif response is not None:
            with contextlib.suppress(MessageError):  # a bad Contact: it is where it was
                self._session.dialog.refresh_target(response)

    def _conclude(self, result: Result) -> None:
        """The end of a re-INVITE, which has been tried again already where both sides had asked."""
        if result.outcome is Outcome.TIMED_OUT or result.status in NOT_THERE:
            self._session.lose("refresh-unanswered")
        elif result.outcome not in (Outcome.ACCEPTED, Outcome.CALL_OVER):
            self._again()

    def _again(self, seconds: float | None = None) -> None:
        """Try again; the end of the interval sets the limit."""
        if seconds is None:
            self._timer.postpone(self._now)
        else:
            self._timer.postpone(self._now, seconds)
        self._arm()
