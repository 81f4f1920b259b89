"""A telephone that is nothing but a socket and a script."""

from __future__ import annotations

import socket

from softagent.lab.sipwire import (
    Address,
    Headers,
    Request,
    Response,
    answer_challenge,
    new_branch,
    parse,
    serialize,
)

WAIT_SECONDS = 5.0


class RawPhone:
    """A telephone that sends and answers exactly what the test tells it to."""

    def __init__(self, peer: Address) -> None:
        self.peer = peer
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(WAIT_SECONDS)
        self._number = 0
        host, port = self._socket.getsockname()
        self.address: Address = (host, port)
        self.contact = f"<sip:100@{host}:{port}>"

    def close(self) -> None:
        self._socket.close()

    def send_datagram(self, datagram: bytes) -> None:
        self._socket.sendto(datagram, self.peer)

    def send(self, message: Request | Response) -> None:
        self.send_datagram(serialize(message))

    def receive(self) -> Request | Response:
        return parse(self._socket.recv(65535))

    def receive_request(self, method: str) -> Request:
        message = self.receive()
        assert isinstance(message, Request)
        assert message.method == method
        return message

    def receive_response(self) -> Response:
        message = self.receive()
        assert isinstance(message, Response)
        return message

    def request(self, method: str, *fields: tuple[str, str], user: str = "100") -> Request:
        self._number += 1
        host, port = self._socket.getsockname()
        headers = (
            ("Via", f"SIP/2.0/UDP {host}:{port};branch={new_branch()};rport"),
            ("From", f"<sip:{user}@lab>;tag=phone"),
            ("To", f"<sip:{user}@lab>"),
            ("Call-ID", "raw-phone"),
            ("CSeq", f"{self._number} {method}"),
            *fields,
        )
        return Request(method, "sip:lab", Headers(headers))

    def register(
        self, *, user: str = "100", password: str = "secret100", expires: int = 60
    ) -> Response:
        """The whole exchange; the last response."""
        fields = (("Contact", self.contact), ("Expires", str(expires)))
        self.send(self.request("REGISTER", *fields, user=user))
        challenge = self.receive_response()
        assert challenge.status == 401
        answer = answer_challenge(
            challenge.headers.first("WWW-Authenticate"),
            user=user,
            password=password,
            method="REGISTER",
            uri="sip:lab",
        )
        self.send(self.request("REGISTER", *fields, ("Authorization", answer), user=user))
        return self.receive_response()

    def respond(
        self,
        request: Request,
        status: int,
        reason: str,
        *fields: tuple[str, str],
        body: bytes = b"",
        dialog: bool = True,
    ) -> None:
        to = request.headers.first("To") + (";tag=phone" if dialog else "")
        copied = [
            (name, value)
            for name in ("Via", "From", "Call-ID", "CSeq")
            for value in request.headers.all(name)
        ]
        headers = Headers((*copied, ("To", to), ("Contact", self.contact), *fields))
        self.send(Response(status, reason, headers, body))

    def hang_up(self, invite: Request) -> None:
        """BYE from the side that was called."""
        headers = Headers(
            (
                ("Via", f"SIP/2.0/UDP 127.0.0.1;branch={new_branch()}"),
                ("From", invite.headers.first("To") + ";tag=phone"),
                ("To", invite.headers.first("From")),
                ("Call-ID", invite.headers.first("Call-ID")),
                ("CSeq", "1 BYE"),
            )
        )
        self.send(Request("BYE", "sip:lab", headers))
