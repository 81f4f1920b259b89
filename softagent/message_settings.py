"""[account.messages]: where callers' messages are kept, and how they get to the people of the office."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from softagent.abilities import NO_TOKEN, Argument, Url
from softagent.rules import Between, Matching, ProgramFirst, Secret

_MAILBOX = r"[^\s@<>()\[\],;:\"\\]+@[^\s@<>()\[\],;:\"\\]+"
MailAddress = Annotated[str, Matching(_MAILBOX, 'mail addresses, e.g. ["office@example.org"]')]
Sender = Annotated[str, Matching(_MAILBOX, 'a mail address, e.g. "agent@example.org"')]
MailHost = Annotated[
    str, Matching(r"[A-Za-z0-9:._-]+", 'a host name or an IP address, e.g. "mail.example.org"')
]
USUAL_PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True)
class MessageSettings:
    """Messages are taken once one of `directory`, `folder`, `command`, `webhook` and `email_to` is set."""

    enabled: bool = True
    """False takes none, whatever else is set."""
    directory: Path | None = None
    """Where they are kept until they are delivered, and after; a folder of the user's unless set."""
    folder: Path | None = None
    """Where each is put as text, JSON and WAV; it must be there already, as a mounted disk is."""
    command: Annotated[tuple[Argument, ...], ProgramFirst()] = ()
    """A program with its arguments that is run for each; it gets JSON to read."""
    webhook: Url = ""
    """Where each is posted to, as JSON."""
    webhook_token: Secret = NO_TOKEN
    """Sent to the webhook as "Authorization: Bearer ..."."""
    email_to: tuple[MailAddress, ...] = ()
    """Who gets each as an e-mail."""
    email_from: Sender = ""
    """Who it is from."""
    email_attachment_mb: Annotated[int, Between(0, 100)] = 10
    """Largest recording that is sent along."""
    smtp_host: MailHost = ""
    """The mail server."""
    smtp_port: Annotated[int, Between(0, 65535)] = 0
    """0 takes the usual one: 587, with "tls" 465, with "none" 25."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_ca_file: Path | None = None
    """PEM file of who has signed the mail server's certificate, unless this machine knows."""
    smtp_user: str = ""
    smtp_password: Secret = NO_TOKEN

    @property
    def are_taken(self) -> bool:
        """Whether callers can leave messages."""
        return self.enabled and self.has_place

    @property
    def has_place(self) -> bool:
        """Whether there is somewhere for them to go: what waits is delivered though no more are taken."""
        return any((self.directory, self.folder, self.command, self.webhook, self.email_to))

    @property
    def smtp_place(self) -> tuple[str, int]:
        """Host and port of the mail server."""
        return self.smtp_host, self.smtp_port or USUAL_PORTS[self.smtp_security]

    def contradictions(self) -> Iterator[str]:
        """What can't be true together, one sentence each."""
        if self.email_to:
            for option in ("smtp_host", "email_from"):
                if not getattr(self, option):
                    yield f"email_to: expected {option} as well"
        if bool(self.smtp_user) != bool(self.smtp_password.value):
            yield "smtp_user: expected with smtp_password, and that with smtp_user"
        if self.webhook_token.value and not self.webhook:
            yield "webhook_token: has an effect with webhook only"
        if self.smtp_ca_file is not None and self.smtp_security == "none":
            yield 'smtp_ca_file: has no effect with smtp_security = "none": take one of them out'
