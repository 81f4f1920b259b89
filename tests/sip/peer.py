"""A scripted PBX on a loopback socket: sends raw messages, expects what comes back."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable

from wire import OFFER, request_bytes

from softagent.sip.address import NameAddress, join_host_port
from softagent.sip.message import Request, Response, parse

PATIENCE_SECONDS = 3.0
"""How long a test waits for what must come; it never waits this long when all is well."""


RTP_VERSION = 2
"""The first two bits of an RTP packet, which no text begins with."""


class Peer:
    """The far end of one telephone, on a loopback address."""

    transport = "UDP"
    kind = socket.SOCK_DGRAM

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.host = host
        self.socket = socket.socket(family, self.kind)
        self.socket.bind((host, 0))
        self.port: int = self.socket.getsockname()[1]
        self.phone: tuple[str, int] = (host, 0)
        """Where the telephone is: known from its REGISTER."""
        self.granted = 120
        self._branches = itertools.count(1)

    @property
    def sent_by(self) -> str:
        return join_host_port(self.host, self.port)

    def close(self) -> None:
        self.socket.close()

    def take(self, seconds: float) -> tuple[bytes, tuple[str, int]]:
        """The next message, and where it came from. Raises TimeoutError.

        A packet of RTP is somebody's who sends to the port's last owner.
        """
        self.socket.settimeout(seconds)
        while True:
            data, source = self.socket.recvfrom(65535)
            if not data[:1] or data[0] >> 6 != RTP_VERSION:
                return data, source

    def receive(self, seconds: float = PATIENCE_SECONDS) -> Request | Response:
        """The next message that is no REGISTER: those are granted on the way. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while True:
            data, source = self.take(max(0.001, deadline - time.monotonic()))
            message = parse(data)
            if not (isinstance(message, Request) and message.method == "REGISTER"):
                return message
            self.phone = source
            self.reply(message, 200, f"Expires: {self.granted}\r\n")

    def expect(
        self, wanted: Callable[[Request | Response], bool], seconds: float = PATIENCE_SECONDS
    ) -> Request | Response:
        """Skip messages until one fits."""
        deadline = time.monotonic() + seconds
        while True:
            message = self.receive(max(0.001, deadline - time.monotonic()))
            if wanted(message):
                return message

    def response(self, status: int, method: str = "INVITE") -> Response:
        """Skip until a response of that status comes."""
        message = self.expect(
            lambda m: isinstance(m, Response) and m.status == status and m.cseq.method == method
        )
        assert isinstance(message, Response)
        return message

    def request(self, method: str) -> Request:
        """Skip until a request of that method comes."""
        message = self.expect(lambda m: isinstance(m, Request) and m.method == method)
        assert isinstance(message, Request)
        return message

    def next_request(self) -> Request:
        """The telephone's next request, a REGISTER too, left to the test to answer."""
        data, self.phone = self.take(PATIENCE_SECONDS)
        message = parse(data)
        assert isinstance(message, Request)
        return message

    def register(self, expires: int = 120) -> Request:
        """Grant the telephone's next REGISTER that asks for this time; 0 is its removal."""
        while True:
            message = self.next_request()
            assert message.method == "REGISTER"
            self.reply(message, 200, f"Expires: {self.granted}\r\n")
            if message.headers.first("Expires") == str(expires):
                return message

    def reply(self, to: Request, status: int, headers: str = "", body: bytes = b"") -> None:
        """Answer a request of the telephone's."""
        copied = "".join(
            f"{name}: {to.need(name)}\r\n" for name in ("Via", "From", "To", "Call-ID", "CSeq")
        )
        typed = "Content-Type: application/sdp\r\n" if body else ""
        head = f"SIP/2.0 {status} Scripted\r\n{copied}{headers}{typed}"
        self.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.phone)

    def branch(self) -> str:
        """A branch that no request has had yet."""
        return f"z9hG4bKpeer{next(self._branches)}"

    def ask(self, method: str, **changes: object) -> bytes:
        """Send a request in a transaction of its own; its bytes, to send them again."""
        sent_by, transport = self.sent_by, self.transport
        changes = {"branch": self.branch(), "sent_by": sent_by, "transport": transport, **changes}
        data = request_bytes(method, **changes)  # type: ignore[arg-type]
        self.send(data)
        return data

    def invite(self, **changes: object) -> bytes:
        """Call the telephone."""
        return self.ask("INVITE", **{"body": OFFER, **changes})

    def until_fence(self, method: str = "BYE") -> list[Request | Response]:
        """All that comes before the answer to a last request: silence without waiting for it.

        Every telephone here answers in the order of arrival, and a BYE at once.
        """
        self.ask(method, call="fence", from_tag="fence", to_tag="none")
        before = []
        while True:
            message = self.receive()
            if message.call_id == "fence":
                return before
            before.append(message)


def tag_of(message: Response) -> str:
    """The telephone's tag."""
    return NameAddress.parse(message.need("To")).tag


def statuses(messages: list[Request | Response]) -> list[int]:
    """The responses among the messages, by status."""
    return [message.status for message in messages if isinstance(message, Response)]
