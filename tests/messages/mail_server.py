"""A real mail server on loopback, which keeps what it is sent."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"
USER, PASSWORD = "agent", "hunter2"


class Mailbox:
    """What came, and what is said to the next ones."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.contents: list[bytes] = []
        self.receivers: list[list[str]] = []
        self.senders: list[str] = []
        self.logins: list[bool] = []
        self.was_encrypted: list[bool] = []
        self.refused: set[str] = set()
        self.answer = "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        if self.answer.startswith("250"):
            self.contents.append(envelope.content)
            mail = message_from_bytes(envelope.content, policy=SMTP_POLICY)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.receivers.append(list(envelope.rcpt_tos))
            self.senders.append(str(envelope.mail_from))
            self.logins.append(session.authenticated)
            self.was_encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return self.answer


def authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and (
        data.login == USER.encode() and data.password == PASSWORD.encode()
    )
    return AuthResult(success=is_right, handled=is_right)


class Server(Controller):
    """With SMTP inside of TLS where there is an `ssl_context`."""

    def _trigger_server(self) -> None:
        """aiosmtpd 1.4.6 looks with SO_REUSEADDR's port 0 here; ours is known by then, and greets."""
        with socket.create_connection((self.hostname, self.port), timeout=10.0) as connection:
            if self.ssl_context:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                with context.wrap_socket(connection) as wrapped:
                    wrapped.recv(1024)
            else:
                connection.recv(1024)


def free_port() -> int:
    with socket.socket() as endpoint:
        endpoint.bind((HOST, 0))
        port: int = endpoint.getsockname()[1]
        return port


@contextmanager
def mail_server(
    mailbox: Mailbox, *, security: str = "none", ca: trustme.CA | None = None, login: bool = False
) -> Iterator[int]:
    """Its port."""
    context = None
    if ca is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert(HOST).configure_cert(context)
    options: dict[str, Any] = (
        {"authenticator": authenticate, "auth_require_tls": False} if login else {}
    )
    if security == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    server = Server(
        mailbox,
        hostname=HOST,
        port=free_port(),
        ssl_context=context if security == "tls" else None,
        auth_required=login,
        **options,
    )
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


def ca_file(ca: trustme.CA, folder: Path) -> Path:
    path = folder / "mail-ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return path
