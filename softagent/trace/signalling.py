"""SIP messages as they went by, by call. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from softagent.capture.files import call_id_of
from softagent.capture.observe import Address
from softagent.sip.errors import MessageError
from softagent.sip.message import Message, Request, Response, parse
from softagent.trace.described import DescribedMedia, described

SECURED = {
    "Authorization": "credentials",
    "Proxy-Authorization": "credentials",
    "WWW-Authenticate": "challenge",
    "Proxy-Authenticate": "challenge",
}
"""Headers of digest authentication, in words."""
SHOWN = ("Reason", "Retry-After", "Warning", "Unsupported", "Session-Expires", "Refer-To")
"""Headers that explain a message's effect, shown as they are."""


UP, ENDED = "up", "ended"
"""How a call stands that was answered."""


@dataclass(frozen=True, slots=True)
class SipEvent:
    """One message on the wire."""

    at_ns: int
    source: Address
    destination: Address
    title: str
    """Method, or status and reason, with the CSeq; the first line of what can't be read."""
    message: Request | Response | None
    """None when it can't be read."""
    problem: str = ""
    is_again: bool = False
    """The same bytes went the same way before: a retransmission."""

    @property
    def media(self) -> list[DescribedMedia]:
        """What its SDP says."""
        if self.message is None or not self.message.body:
            return []
        return described(self.message.body)

    @property
    def notes(self) -> list[str]:
        """What else matters about it, in words."""
        if self.message is None:
            return [f"unreadable: {self.problem}"] if self.problem else []
        return [*_remarks(self.message), *(one.summary() for one in self.media)]


@dataclass(slots=True)
class SipCall:
    """All messages with one Call-ID."""

    call_id: str
    events: list[SipEvent] = field(default_factory=list)

    @property
    def methods(self) -> list[str]:
        """Of the requests, each once, in order."""
        names = [e.message.method for e in self.events if isinstance(e.message, Request)]
        return list(dict.fromkeys(names))

    @property
    def is_call(self) -> bool:
        """Whether it has to do with an INVITE."""
        return any(_method(event) == "INVITE" for event in self.events)

    @property
    def parties(self) -> tuple[str, str]:
        """From and To of the first message, without tags."""
        for event in self.events:
            if event.message is not None:
                return _party(event.message, "From"), _party(event.message, "To")
        return "", ""

    @property
    def hosts(self) -> list[Address]:
        """Who takes part, in order of appearance."""
        ends = [end for event in self.events for end in (event.source, event.destination)]
        return list(dict.fromkeys(ends))

    @property
    def outcome(self) -> str:
        """How it went, in a word or two."""
        finals = [
            event.message
            for event in self.events
            if isinstance(event.message, Response) and event.message.status >= 200
        ]
        if not self.is_call:
            return f"{finals[-1].status}" if finals else "no answer"
        answers = [final for final in finals if _method_of(final) == "INVITE"]
        if any(answer.status < 300 for answer in answers):
            return ENDED if "BYE" in self.methods else UP
        refusals = [answer for answer in answers if answer.status not in (401, 407)]
        if refusals:
            return f"{refusals[-1].status} {refusals[-1].reason}".strip()
        return "ringing" if len(self.events) > 1 else "no answer"


class Signalling:
    """Takes messages in their order and sorts them by Call-ID."""

    def __init__(self) -> None:
        self.calls: dict[str, SipCall] = {}
        self._seen: set[tuple[Address, Address, bytes]] = set()

    def receive(self, at_ns: int, source: Address, destination: Address, data: bytes) -> None:
        """Take one message."""
        key = source, destination, hashlib.blake2b(data, digest_size=12).digest()
        is_again = key in self._seen
        self._seen.add(key)
        message, problem = None, ""
        try:
            message = parse(data)
        except MessageError as error:
            problem = str(error)
        title = printable(_title(message) if message else _first_line(data))
        call_id = call_id_of(data) if message is None else message.call_id
        call = self.calls.setdefault(call_id, SipCall(call_id))
        call.events.append(SipEvent(at_ns, source, destination, title, message, problem, is_again))


def printable(text: str) -> str:
    """On one line, without what a terminal might obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _title(message: Request | Response) -> str:
    """INVITE #1, 200 OK #1 INVITE."""
    number, _, method = (message.headers.first("CSeq") or "").partition(" ")
    if isinstance(message, Request):
        return f"{message.method} #{number}"
    return f"{message.status} {message.reason}".strip() + f" #{number} {method.strip()}"


def _first_line(data: bytes) -> str:
    line = data.lstrip(b"\r\n").partition(b"\n")[0].decode("utf-8", "replace").strip()
    return line[:60]


def _remarks(message: Message) -> list[str]:
    fields = {
        name: message.headers.first(name) for name in (*SECURED, *SHOWN, "Expires", "Replaces")
    }
    words = [f"{SECURED[name]} ({_scheme(value)})" for name in SECURED if (value := fields[name])]
    words += [f"{name}: {value}" for name in SHOWN if (value := fields[name])]
    if isinstance(message, Request) and message.method == "REGISTER" and fields["Expires"]:
        words.append(f"expires {fields['Expires']}")
    if fields["Replaces"]:
        words.append("replaces another call")
    return words


def _scheme(value: str) -> str:
    """Digest with its algorithm."""
    scheme, _, rest = value.partition(" ")
    parameters = (part.partition("=") for part in rest.split(","))
    named = [v.strip().strip('"') for k, _, v in parameters if k.strip().lower() == "algorithm"]
    return " ".join([scheme, *named])


def _method_of(message: Message) -> str:
    try:
        return message.cseq.method
    except MessageError:
        return "?"


def _method(event: SipEvent) -> str:
    return "" if event.message is None else _method_of(event.message)


def _party(message: Message, name: str) -> str:
    try:
        uri = (message.sender if name == "From" else message.recipient).uri
    except MessageError:
        return "?"
    return f"{uri.user}@{uri.host}" if uri.user else uri.host
