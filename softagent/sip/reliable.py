"""A provisional response that the caller confirms with PRACK (RFC 3262)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

from softagent.sip.alarm import Alarm
from softagent.sip.endpoint import Endpoint
from softagent.sip.message import Request
from softagent.sip.transaction import ServerTransaction

EXTENSION = "100rel"
LARGEST_FIRST = 2**31 - 1
"""The first RSeq is from 1 to this (section 3)."""

_RACK = re.compile(r"\s*([0-9]{1,10})\s+([0-9]{1,10})\s+(\S+)\s*")


class ReliableResponse:
    """One provisional response of ours, repeated until it is confirmed. Used under the endpoint's lock."""

    def __init__(
        self,
        endpoint: Endpoint,
        invite: ServerTransaction,
        *,
        on_unconfirmed: Callable[[], None],
    ) -> None:
        """`on_unconfirmed` is called when no PRACK comes within 64 * T1."""
        self._endpoint = endpoint
        self._invite = invite
        self._on_unconfirmed = on_unconfirmed
        self._number = 1 + secrets.randbelow(LARGEST_FIRST)
        self._alarm: Alarm | None = None
        self._is_confirmed = False

    def send(self, status: int, *headers: tuple[str, str], body: bytes = b"") -> None:
        """Send it, and again at intervals that double from T1."""
        fields = (*headers, ("Require", EXTENSION), ("RSeq", str(self._number)))
        timing = self._endpoint.transactions.timing
        deadline = self._endpoint.now + timing.timeout_seconds

        def repeat(interval_seconds: float) -> None:
            if self._endpoint.now >= deadline:
                self._on_unconfirmed()
                return
            self._endpoint.respond(self._invite, status, *fields, body=body)
            wait = min(interval_seconds, deadline - self._endpoint.now)
            self._alarm = self._endpoint.after(wait, lambda: repeat(2 * interval_seconds))

        repeat(timing.t1_seconds)

    def confirm(self, prack: Request) -> bool:
        """Take a PRACK; False when it is about something else, or comes again (section 3)."""
        found = _RACK.fullmatch(prack.headers.first("RAck") or "")
        cseq = self._invite.request.cseq
        wanted = self._number, cseq.number, cseq.method
        is_ours = found is not None and (int(found[1]), int(found[2]), found[3]) == wanted
        if not is_ours or self._is_confirmed:
            return False
        self._is_confirmed = True
        self.stop()
        return True

    def stop(self) -> None:
        """Repeat it no more: there is a final response. A PRACK may still come."""
        if self._alarm is not None:
            self._alarm.cancel()
