"""One SIP socket on UDP with its receive thread: requests out with retransmission, requests in once.

LabCall, LabPbx, LabLine -> SipEndpoint -> socket
                        <- receive thread <-
"""

from __future__ import annotations

import contextlib
import errno
import logging
import select
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from softagent.errors import PortInUse
from softagent.lab.sipwire import (
    Address,
    Headers,
    Request,
    Response,
    WireError,
    cseq,
    parameter,
    parse,
    serialize,
)

logger = logging.getLogger(__name__)

T1_SECONDS = 0.5
T2_SECONDS = 4.0
TIMEOUT_SECONDS = 64 * T1_SECONDS
"""Timers of RFC 3261 17.1.1.1 and 17.1.2.1."""
REMEMBERED_RESPONSES = 64
DATAGRAM_BYTES = 65535

OnResponse = Callable[[Response], None]


@dataclass(slots=True)
class _Transaction:
    """A request of ours that waits for its final response, or for repetitions of it."""

    datagram: bytes
    to: Address
    on_response: OnResponse
    is_invite: bool
    repeat_at: float | None
    interval_seconds: float
    ends_at: float
    is_final: bool = False


class SipEndpoint:
    """A user agent's transport and transactions (RFC 3261 17, 18) over one UDP socket.

    Any thread may send; all callbacks come from the one receive thread.
    """

    def __init__(
        self, host: str, port: int, *, on_request: Callable[[Request, Address], None], name: str
    ) -> None:
        self._on_request = on_request
        self._socket = _bind(host, port)
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._lock = threading.Lock()
        """Guards `_transactions` and `_responses`; taken by senders and the receive thread."""
        self._transactions: dict[tuple[str, str], _Transaction] = {}
        self._responses: OrderedDict[tuple[str, str], tuple[bytes, Address]] = OrderedDict()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._receive, name=f"{name}-sip", daemon=True)
        self.address: Address = self._socket.getsockname()[:2]

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the receive thread and close the socket."""
        self._is_stopping = True
        self._wake()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)
        for endpoint in (self._socket, self._wake_receiver, self._wake_sender):
            endpoint.close()

    def via(self, branch: str) -> str:
        """The Via value for a request with this branch (rport: RFC 3581)."""
        host, port = self.address
        return f"SIP/2.0/UDP {host}:{port};branch={branch};rport"

    def request(self, request: Request, to: Address, on_response: OnResponse) -> None:
        """Send a request and repeat it until it is answered.

        `on_response` gets every response, repeated ones too, and a 408 of our own when
        nothing comes within 32 s.
        """
        now = time.monotonic()
        datagram = serialize(request)
        transaction = _Transaction(
            datagram=datagram,
            to=to,
            on_response=on_response,
            is_invite=request.method == "INVITE",
            repeat_at=now + T1_SECONDS,
            interval_seconds=T1_SECONDS,
            ends_at=now + TIMEOUT_SECONDS,
        )
        with self._lock:
            self._transactions[_key(request.headers)] = transaction
        self._send(datagram, to)
        self._wake()

    def send(self, request: Request, to: Address) -> None:
        """Send a request that has no response: an ACK."""
        self._send(serialize(request), to)

    def respond(
        self,
        request: Request,
        to: Address,
        status: int,
        reason: str,
        *,
        fields: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        tag: str = "",
    ) -> None:
        """Answer a request with a final response, which is kept for its repetitions."""
        copied = [
            (name, value)
            for name in ("Via", "Record-Route", "From", "Call-ID", "CSeq")
            for value in request.headers.all(name)
        ]
        target = request.headers.first("To")
        if tag and not parameter(target, "tag"):
            target += f";tag={tag}"
        headers = Headers((*copied, ("To", target), *fields))
        datagram = serialize(Response(status, reason, headers, body))
        with self._lock:
            self._responses[_key(request.headers)] = (datagram, to)
            while len(self._responses) > REMEMBERED_RESPONSES:
                self._responses.popitem(last=False)
        self._send(datagram, to)

    def _receive(self) -> None:
        while not self._is_stopping:
            wait_seconds = self._repeat_due()
            ready, _, _ = select.select([self._socket, self._wake_receiver], [], [], wait_seconds)
            if self._wake_receiver in ready:
                self._wake_receiver.recv(4096)
            if self._socket in ready:
                self._receive_datagram()

    def _receive_datagram(self) -> None:
        try:
            datagram, source = self._socket.recvfrom(DATAGRAM_BYTES)
        except ConnectionError:  # an ICMP error for something we sent: the timers deal with it
            return
        if not datagram.strip():  # keep-alive (RFC 5626 3.5.1)
            return
        try:
            self._handle(datagram, source[:2])
        except WireError as error:
            logger.warning("event=sip_ignored from=%s:%d reason=%s", *source[:2], error)

    def _handle(self, datagram: bytes, source: Address) -> None:
        message = parse(datagram)
        key = _key(message.headers)
        match message:
            case Response():
                self._handle_response(key, message)
            case Request():
                with self._lock:
                    known = self._responses.get(key) if message.method != "ACK" else None
                if known is not None:
                    self._send(*known)
                else:
                    self._on_request(message, source)

    def _handle_response(self, key: tuple[str, str], response: Response) -> None:
        with self._lock:
            transaction = self._transactions.get(key)
            if transaction is None:
                return
            if response.status >= 200:
                transaction.is_final = True
            if response.status >= 200 or transaction.is_invite:
                transaction.repeat_at = None
            if transaction.is_final and not transaction.is_invite:
                del self._transactions[key]
            elif transaction.is_invite and not transaction.is_final:
                transaction.ends_at = float("inf")  # it rings: the caller decides how long
            elif transaction.ends_at == float("inf"):
                transaction.ends_at = time.monotonic() + TIMEOUT_SECONDS
        transaction.on_response(response)

    def _repeat_due(self) -> float | None:
        """Repeat what is due, drop what is over; seconds until there is more to do, None for never."""
        now = time.monotonic()
        with self._lock:
            transactions = list(self._transactions.items())
            for key, transaction in transactions:
                if transaction.ends_at <= now:
                    del self._transactions[key]
        for _, transaction in transactions:
            if transaction.ends_at <= now:
                if not transaction.is_final:
                    transaction.on_response(Response(408, "No answer", Headers(())))
            elif transaction.repeat_at is not None and transaction.repeat_at <= now:
                self._send(transaction.datagram, transaction.to)
                transaction.interval_seconds *= 2
                if not transaction.is_invite:
                    transaction.interval_seconds = min(T2_SECONDS, transaction.interval_seconds)
                transaction.repeat_at = now + transaction.interval_seconds
        with self._lock:
            due = [
                min(transaction.repeat_at or float("inf"), transaction.ends_at)
                for transaction in self._transactions.values()
            ]
        earliest = min(due, default=float("inf"))
        return None if earliest == float("inf") else max(0.0, earliest - time.monotonic())

    def _send(self, datagram: bytes, to: Address) -> None:
        try:
            self._socket.sendto(datagram, to)
        except OSError as error:  # gone or unreachable: like a lost packet, the timers deal with it
            logger.warning("event=sip_not_sent to=%s:%d reason=%s", *to, error)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # stopped meanwhile: nobody is left to wake
            self._wake_sender.send(b"\0")


def _key(headers: Headers) -> tuple[str, str]:
    """What tells transactions apart: the topmost branch and the method (RFC 3261 17.1.3)."""
    return parameter(headers.first("Via").partition(",")[0], "branch"), cseq(headers)[1]


def _bind(host: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"SIP port {port} on {host} is taken by another program: choose another"
            ) from error
        raise
    return opened
