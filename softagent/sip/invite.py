"""The client's INVITE transaction: sent until heard of, every refusal acknowledged (RFC 3261 17.1.1, RFC 6026).

    Calling -- 1xx --> Proceeding -- 300-699 --> Completed   copies of it are acknowledged again
       |                   |-------- 2xx ------> Accepted    each 2xx is told: its ACK is the dialog's
       '-- nothing for 64 * T1 --> Terminated                also other telephones' (forking)

Pure, like its siblings in requesting.py and transaction.py: time is a number that the caller passes in.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import replace

from softagent.sip.alarm import NEVER
from softagent.sip.hop import Hop
from softagent.sip.message import Headers, Request, Response
from softagent.sip.repetition import Timing


class InviteState(enum.Enum):
    """Figure 5 of RFC 3261, with the ACCEPTED of RFC 6026 section 7.2."""

    CALLING = "calling"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


class InviteTransaction:
    """One INVITE of ours. Used under its owner's lock; `on_response` is called from within its methods."""

    def __init__(
        self,
        request: Request,
        destination: Hop,
        on_response: Callable[[Response | None], None],
        *,
        timing: Timing,
        now: float,
    ) -> None:
        """`request` has its Via; over a reliable transport nothing is repeated.

        `on_response` gets each provisional response, the refusal or every 2xx, and None when
        there was no final response in time.
        """
        self.request = request
        self.destination = destination
        self.datagram = request.serialize()
        self.state = InviteState.CALLING
        self.is_cancelled = False
        """Whether we have given up: a CANCEL is out, or will be as soon as the other side is heard of."""
        self._has_cancel = False
        self._has_tried_again = False
        self._on_response = on_response
        self._timing = timing
        self._is_reliable = destination.transport.is_reliable
        self._interval = timing.t1_seconds
        self._repeat_at = NEVER if self._is_reliable else now + self._interval
        self._deadline = now + timing.timeout_seconds

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come of it."""
        return self.state is InviteState.TERMINATED

    @property
    def is_open(self) -> bool:
        """Whether its final response is still to come."""
        return self.state in (InviteState.CALLING, InviteState.PROCEEDING)

    @property
    def next_wake(self) -> float:
        return NEVER if self.is_over else min(self._repeat_at, self._deadline)

    def acknowledgement(self, response: Response) -> bytes:
        """The ACK that a refusal or its copy gets at once, b"" for any other response (section 17.1.1.3)."""
        if response.status < 300 or self.state in (InviteState.ACCEPTED, InviteState.TERMINATED):
            return b""
        return acknowledge_refusal(self.request, response).serialize()

    def receive(self, response: Response, now: float) -> None:
        """Take a response, the ACK to it being on its way."""
        status = response.status
        if self.is_open and status < 200:
            if self.state is InviteState.CALLING:
                self.state = InviteState.PROCEEDING
                self._repeat_at = NEVER
                self._deadline = NEVER
            self._on_response(response)
        elif self.is_open and status >= 300:
            self.state = InviteState.COMPLETED
            self._repeat_at = NEVER
            self._deadline = now if self._is_reliable else now + self._timing.timeout_seconds
            self._on_response(response)
        elif 200 <= status < 300 and (self.is_open or self.state is InviteState.ACCEPTED):
            if self.is_open:
                self.state = InviteState.ACCEPTED
                self._repeat_at = NEVER
                self._deadline = now + self._timing.timeout_seconds
            self._on_response(response)

    def cancel(self, now: float) -> Request | None:
        """Give up: the CANCEL to send now (section 9.1), once.

        None where it has to wait for the first provisional response or comes too late. Who
        has been sent a CANCEL gets 64 * T1 for the final response.
        """
        if self.is_open:
            self.is_cancelled = True
        if self.state is not InviteState.PROCEEDING or self._has_cancel:
            return None
        self._has_cancel = True
        self._deadline = now + self._timing.timeout_seconds
        return cancellation(self.request)

    def try_again(self) -> bool:
        """Go by another connection, the first being gone before anything came back; False the second time."""
        was_first, self._has_tried_again = not self._has_tried_again, True
        self.destination = replace(self.destination, connection=0)
        return was_first and self.state is InviteState.CALLING

    def give_up(self) -> None:
        """The way to the other side is gone."""
        if self.is_open:
            self.state = InviteState.TERMINATED
            self._on_response(None)

    def wake(self, now: float) -> bytes:
        """The INVITE again if that is due; the end of the transaction when its time is over."""
        if now >= self._deadline:
            was_open, self.state = self.is_open, InviteState.TERMINATED
            if was_open:
                self._on_response(None)
            return b""
        if now < self._repeat_at:
            return b""
        self._interval *= 2  # timer A knows no longest interval
        self._repeat_at = now + self._interval
        return self.datagram


def acknowledge_refusal(invite: Request, response: Response) -> Request:
    """The ACK to a final response other than 2xx: the INVITE's own branch, the response's To."""
    return Request("ACK", invite.uri, Headers(_copied(invite, "ACK", to=response.need("To"))))


def cancellation(invite: Request) -> Request:
    """The CANCEL of an INVITE: its branch, its number, its route (section 9.1)."""
    return Request("CANCEL", invite.uri, Headers(_copied(invite, "CANCEL", to=invite.need("To"))))


def _copied(invite: Request, method: str, *, to: str) -> tuple[tuple[str, str], ...]:
    """What both take over from the INVITE; only the topmost Via, for only we have added one."""
    routes = (("Route", hop) for hop in invite.headers.values("Route"))
    return (
        ("Via", str(invite.via)),
        *routes,
        ("Max-Forwards", "70"),
        ("From", invite.need("From")),
        ("To", to),
        ("Call-ID", invite.call_id),
        ("CSeq", f"{invite.cseq.number} {method}"),
    )
