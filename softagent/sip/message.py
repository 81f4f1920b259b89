"""SIP messages: a tolerant parser, and values that turn back into datagrams.

    datagram -> parse -> Request | Response -> serialize -> datagram

Read as RFC 3261 section 7 asks and a little more kindly: any case, compact names,
folded lines, no space after the colon, bare line feeds, a missing Content-Length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from softagent.sip.address import (
    NameAddress,
    Parameters,
    join_host_port,
    natural,
    parameter,
    parse_parameters,
    serialize_parameters,
    split,
    split_host_port,
)
from softagent.sip.errors import MessageError

VERSION = "SIP/2.0"
LARGEST_SEQUENCE = 2**31 - 1
LARGEST_DATAGRAM_BYTES = 65535
MANDATORY = ("Via", "From", "To", "Call-ID", "CSeq")
"""Without them no message can be answered (RFC 3261 section 8.1.1)."""

_COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
"""Compact forms: RFC 3261 section 7.3.3 and the RFCs that added more of them."""

_NAMES = {
    name.lower(): name
    for name in (
        *_COMPACT.values(),
        *("Accept", "Allow", "Authorization", "CSeq", "Expires", "Max-Forwards", "Min-Expires"),
        *("P-Asserted-Identity", "Proxy-Authenticate", "Proxy-Authorization", "Record-Route"),
        *("Require", "Retry-After", "Route", "Unsupported", "User-Agent", "WWW-Authenticate"),
    )
}

_UNSPLIT = ("WWW-Authenticate", "Proxy-Authenticate", "Authorization", "Proxy-Authorization")
"""Commas separate the parameters of these, not values (RFC 3261 section 7.3.1)."""


def canonical(name: str) -> str:
    """The usual spelling of a header name, from any case or the compact form."""
    short = name.strip().lower()
    return _COMPACT.get(short) or _NAMES.get(short) or name.strip()


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields in their order, names in their usual spelling."""

    fields: tuple[tuple[str, str], ...] = ()

    def first(self, name: str) -> str | None:
        """The first field of that name, whole; None where there is none."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)

    def values(self, name: str) -> tuple[str, ...]:
        """All values of that name: from several fields, and from fields with several values."""
        found = [value for key, value in self.fields if key.lower() == name.lower()]
        if name in _UNSPLIT:
            return tuple(found)
        return tuple(value for field in found for value in split(field, ","))

    def tokens(self, name: str) -> frozenset[str]:
        """The values of a list of option tags or methods, in lower case."""
        return frozenset(value.lower() for value in self.values(name))

    def with_(self, *fields: tuple[str, str]) -> Headers:
        """These fields after the present ones."""
        return Headers(self.fields + fields)

    def without(self, *names: str) -> Headers:
        """All but the fields of these names."""
        dropped = {name.lower() for name in names}
        return Headers(tuple(field for field in self.fields if field[0].lower() not in dropped))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)


@dataclass(frozen=True, slots=True)
class CSeq:
    """Sequence number and method (RFC 3261 section 20.16)."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """Parse `314159 INVITE`. Raises MessageError for a number out of range or no method."""
        number, _, method = text.strip().partition(" ")
        if not method.strip():
            raise MessageError(f"bad CSeq: {text[:40]!r}")
        return cls(natural(number, "CSeq", largest=LARGEST_SEQUENCE), method.strip())

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@dataclass(frozen=True, slots=True)
class Via:
    """One hop that a request has taken (RFC 3261 section 20.42)."""

    transport: str
    host: str
    port: int | None
    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> Via:
        """Parse one value. Raises MessageError when it isn't of SIP 2.0 or names no host."""
        head, _, tail = text.partition(";")
        name, _, rest = (part.strip() for part in head.partition("/"))
        version, _, rest = (part.strip() for part in rest.partition("/"))
        transport, _, sent_by = rest.partition(" ")
        host, port = split_host_port(sent_by.strip())
        if name.upper() != "SIP" or version != "2.0" or not host:
            raise MessageError(f"bad Via: {text[:60]!r}")
        return cls(transport.upper(), host, port, parse_parameters(tail))

    def parameter(self, name: str) -> str | None:
        """Value of a parameter, "" for a bare flag, None where it is missing."""
        return parameter(self.parameters, name)

    def with_parameter(self, name: str, value: str) -> Via:
        """The same hop with a parameter set."""
        kept = tuple(item for item in self.parameters if item[0].lower() != name)
        return Via(self.transport, self.host, self.port, (*kept, (name, value)))

    @property
    def branch(self) -> str:
        """The transaction's id; empty when an old client sent none."""
        return self.parameter("branch") or ""

    def __str__(self) -> str:
        where = join_host_port(self.host, self.port)
        return f"{VERSION}/{self.transport} {where}{serialize_parameters(self.parameters)}"


class Message:
    """What requests and responses have in common."""

    __slots__ = ()
    headers: Headers
    body: bytes

    def need(self, name: str) -> str:
        """The first field of that name. Raises MessageError where it is missing."""
        value = self.headers.first(name)
        if value is None:
            raise MessageError(f"no {name}")
        return value

    @property
    def call_id(self) -> str:
        return self.need("Call-ID")

    @property
    def cseq(self) -> CSeq:
        return CSeq.parse(self.need("CSeq"))

    @property
    def via(self) -> Via:
        """The topmost Via."""
        return Via.parse(next(iter(self.headers.values("Via")), ""))

    @property
    def sender(self) -> NameAddress:
        """The From header; its tag is the sender's."""
        return NameAddress.parse(self.need("From"))

    @property
    def recipient(self) -> NameAddress:
        """The To header; without a tag the request is outside any dialog."""
        return NameAddress.parse(self.need("To"))

    def addresses(self, name: str) -> tuple[NameAddress, ...]:
        """All values of Contact, Route, Record-Route and the like. Raises MessageError."""
        return tuple(NameAddress.parse(value) for value in self.headers.values(name))

    def _serialize(self, first_line: str) -> bytes:
        fields = self.headers.without("Content-Length").with_(
            ("Content-Length", f"{len(self.body)}")
        )
        lines = [first_line, *(f"{name}: {value}" for name, value in fields), "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body


@dataclass(frozen=True, slots=True)
class Request(Message):
    """A request, as received or to be sent."""

    method: str
    uri: str
    headers: Headers
    body: bytes = b""

    def serialize(self) -> bytes:
        """The datagram; Content-Length is set here."""
        return self._serialize(f"{self.method} {self.uri} {VERSION}")


@dataclass(frozen=True, slots=True)
class Response(Message):
    """A response, as received or to be sent."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""

    def serialize(self) -> bytes:
        """The datagram; Content-Length is set here."""
        return self._serialize(f"{VERSION} {self.status} {self.reason}")


def parse(data: bytes) -> Request | Response:
    """Parse one datagram, its mandatory headers included. Raises MessageError and nothing else."""
    text_bytes, body = _split_body(data.lstrip(b"\r\n"))
    lines = list(_unfold(text_bytes.decode("utf-8", "surrogateescape")))
    if not lines:
        raise MessageError("no message in the datagram")
    headers = Headers(tuple(_fields(lines[1:])))
    message = _first_line(lines[0], headers, _cut(body, headers))
    for name in MANDATORY:
        message.need(name)
    via, cseq, _, _ = message.via, message.cseq, message.sender, message.recipient
    if isinstance(message, Request) and cseq.method != message.method:
        raise MessageError(f"CSeq says {cseq.method[:20]!r} in a {message.method[:20]!r}")
    if not via.transport:
        raise MessageError("Via without a transport")
    return message


def _split_body(data: bytes) -> tuple[bytes, bytes]:
    ends = [(at, mark) for mark in (b"\r\n\r\n", b"\n\n") if (at := data.find(mark)) >= 0]
    if not ends:
        return data, b""
    position, mark = min(ends)
    return data[:position], data[position + len(mark) :]


def _unfold(text: str) -> Iterator[str]:
    """Logical lines: one that begins with white space goes on with the one before (section 7.3.1)."""
    pending = ""
    for line in text.replace("\r\n", "\n").split("\n"):
        clean = line.replace("\r", " ").replace("\0", " ")
        if clean[:1] in (" ", "\t") and pending:
            pending = f"{pending} {clean.strip()}"
            continue
        if pending:
            yield pending
        pending = clean.rstrip()
    if pending:
        yield pending


def _fields(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and name.strip():
            yield canonical(name), value.strip()


def _cut(body: bytes, headers: Headers) -> bytes:
    """The body's stated length; on UDP all of the rest where none is stated (section 18.3)."""
    stated = headers.first("Content-Length")
    if stated is None:
        return body
    length = natural(stated, "Content-Length", largest=LARGEST_DATAGRAM_BYTES)
    if length > len(body):
        raise MessageError(f"body cut short: {len(body)} of {length} bytes")
    return body[:length]


def _first_line(line: str, headers: Headers, body: bytes) -> Request | Response:
    parts = line.split(None, 2)
    if len(parts) >= 2 and parts[0].upper() == VERSION:
        status = natural(parts[1], "status", largest=699)
        if status < 100:
            raise MessageError(f"bad status: {status}")
        return Response(status, parts[2] if len(parts) == 3 else "", headers, body)
    if len(parts) != 3 or parts[2].upper() != VERSION:
        raise MessageError(f"neither request nor response: {line[:40]!r}")
    return Request(parts[0], parts[1], headers, body)
