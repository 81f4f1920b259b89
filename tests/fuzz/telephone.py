"""A whole telephone without its sockets and its thread: datagrams in, datagrams out, time by hand.

Everything else is the real thing, from the endpoint to the calls: what a test delivers goes
the way of what a socket receives, and timers go off when the time that the test lets pass
has come to them.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from softagent.config import AccessSettings, Account, PortRange, Secret
from softagent.sip.errors import MessageError
from softagent.sip.hop import Hop
from softagent.sip.message import Request, Response, parse
from softagent.sip.phone import Call, CallEnd, OnResult, Result
from softagent.sip.pyvoip import PyVoipPhone

PBX, STRANGER = Hop("127.0.0.1", 5060), Hop("127.0.0.2", 5070)
OURS = "z9hG4bKact"
"""Begins the branches of requests that the test has made itself, and so knows to be different ones."""
TRANSACTION_SECONDS = 32.0
"""How long a repeated request is known (timers H, J and L)."""
MOST_TURNS = 5000
"""Of the timers, in one wait: more would be a loop."""


class Complaints(logging.Handler):
    """What the telephone has logged from INFO on, and the worst of it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines = 0
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += 1
        if record.levelno >= logging.ERROR or record.exc_info:
            self.errors.append(self.format(record))


@dataclass
class Sent:
    """One final response: when it went out first, and what it said."""

    when: float
    status: int


class Telephone:
    """Our telephone, and everything it says."""

    def __init__(self, **access: object) -> None:
        account = Account(
            name="fuzz",
            registrar=PBX.host,
            username="1000",
            password=Secret("letmein"),
            local_address="127.0.0.1",
            rtp_ports=PortRange(23800, 23839),
            access=AccessSettings(**{"requests_per_second": 1000, **access}),  # type: ignore[arg-type]
        )
        self.now = 1000.0
        self.phone = PyVoipPhone(account)
        self.endpoint = self.phone.sip.line.endpoint
        self.endpoint._clock = lambda: self.now
        self.endpoint._flush = self._take  # type: ignore[method-assign]
        self.calls: list[Call] = []
        self.ends: list[list[CallEnd]] = []
        """What each call was told of its end."""
        self.results: list[list[Result]] = []
        """What came of each thing that we have asked of the other side."""
        self.phone._on_call = self.take
        self.requests: list[Request] = []
        """Ours."""
        self._grants: list[bytes] = []
        """Answers to our REGISTERs, on their way."""
        self.tags: dict[str, str] = {}
        """Our tag by Call-ID, as far as we have told it."""
        self.statuses: list[int] = []
        """Of all responses."""
        self._finals: dict[tuple[object, ...], Sent] = {}
        self.phone.sip.register()
        self.wait(0.0)

    def close(self) -> None:
        self.endpoint.close(0.0)

    def take(self, call: Call) -> None:
        """A new call, in either direction."""
        self.calls.append(call)
        ends: list[CallEnd] = []
        self.ends.append(ends)
        call.on_end(ends.append)

    def result(self) -> OnResult:
        """For the next thing that we ask."""
        results: list[Result] = []
        self.results.append(results)
        return results.append

    def call(self) -> None:
        """Call somebody."""
        self.take(self.phone.call("1002", self.result(), ring_seconds=20.0))

    @property
    def last_invite(self) -> Request | None:
        """That of the last call of ours."""
        invites = (r for r in reversed(self.requests) if r.method == "INVITE")
        return next((invite for invite in invites if not invite.recipient.tag), None)

    def deliver(self, data: bytes, source: Hop = PBX) -> None:
        """Have a datagram arrive."""
        with self.endpoint.lock:
            self.endpoint._receive(data, source)
        self.wait(0.0)

    def wait(self, seconds: float) -> None:
        """Let time pass, from one timer to the next."""
        end = self.now + seconds
        for _ in range(MOST_TURNS):
            with self.endpoint.lock:
                while self._grants:
                    self.endpoint._receive(self._grants.pop(), PBX)
                wake = self._wake()
            self.endpoint._give_notices()
            if self._grants:
                continue
            if wake > end:
                self.now = end
                return
            self.now = max(self.now, wake)
        raise AssertionError("the timers don't come to rest")

    def _wake(self) -> float:
        """Do what is due; when there is something to do next."""
        endpoint = self.endpoint
        due = endpoint._on_wake(self.now)
        endpoint.transactions.wake(self.now)
        endpoint._alarms.wake(self.now)
        self._take()
        return min(due, endpoint.transactions.next_wake, endpoint._alarms.next_wake)

    def _take(self) -> None:
        """In place of the socket."""
        outbox = self.endpoint.transactions.outbox
        for data, hop in outbox:
            message = _read(data)
            if isinstance(message, Request):
                self.requests.append(message)
                if message.method == "REGISTER":
                    self._grants.append(_granted(message))
            elif message is not None:
                self._note(message, hop)
        outbox.clear()

    def _note(self, response: Response, hop: Hop) -> None:
        """At most one final response to a request, whatever else comes in its name (RFC 3261 section 17.2)."""
        self.statuses.append(response.status)
        if tag := response.recipient.tag:
            self.tags[response.call_id] = tag
        if response.status < 200 or not response.via.branch.startswith(OURS):
            return
        key = (hop, response.via.branch, response.call_id, response.cseq)
        known = self._finals.get(key)
        if known is None or self.now >= known.when + TRANSACTION_SECONDS:
            self._finals[key] = Sent(self.now, response.status)
        else:
            assert response.status == known.status

    def leftovers(self) -> dict[str, int]:
        """What is still kept of requests and calls; the registration goes on for ever."""
        phone, transactions = self.phone, self.endpoint.transactions
        clients = [key for key in transactions._clients if key[-1] != "REGISTER"]
        return {
            "servers": len(transactions._servers),
            "clients": len(clients),
            "invites": len(transactions._invites),
            "calls": len(phone.calls),
            "sessions": sum(not session.is_over for session in phone.switchboard.sessions),
            "ports": len(phone.ports._used),
            "timers": len([wake for wake in transactions._wakes if wake[2][-1] != "REGISTER"]),
            "alarms": len(self.endpoint._alarms._waiting),
            "notices": len(self.endpoint._notices),
        }


def _granted(register: Request) -> bytes:
    names = ("Via", "From", "To", "Call-ID", "CSeq", "Contact")
    copied = "".join(f"{name}: {register.need(name)}\r\n" for name in names)
    return f"SIP/2.0 200 OK\r\n{copied}Expires: 120\r\n\r\n".encode()


def _read(data: bytes) -> Request | Response | None:
    """Our own message; a response to a damaged request may be incomplete as well."""
    try:
        return parse(data)
    except MessageError:
        assert data.startswith((b"SIP/2.0 400", b"SIP/2.0 505", b"SIP/2.0 403"))
        return None


@contextlib.contextmanager
def telephone(**access: object) -> Iterator[Telephone]:
    """A telephone that must not have complained of itself in the end."""
    complaints, log = Complaints(), logging.getLogger("softagent")
    level = log.level
    log.addHandler(complaints)
    log.setLevel(logging.INFO)
    subject = Telephone(**access)
    try:
        yield subject
        assert complaints.errors == []
        assert complaints.lines <= 20 + 3 * (len(subject.statuses) + len(subject.requests))
    finally:
        log.removeHandler(complaints)
        log.setLevel(level)
        subject.close()
