"""SIP messages: a tolerant parser, and values that turn back into datagrams.

    datagram -> parse -> Request | Response -> serialize -> datagram

Read as RFC 3261 section 7 asks and a little more kindly: any case, compact names,
folded lines, no space after the colon, bare line feeds, a missing Content-Length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from softagent.sip.address import LARGEST_SECONDS, NameAddress, Uri, natural
from softagent.sip.errors import MessageError
from softagent.sip.headers import VERSION, CSeq, Headers, Via, canonical

__all__ = [
    "VERSION",
    "BadRequest",
    "CSeq",
    "Headers",
    "Message",
    "Request",
    "Response",
    "Via",
    "parse",
]

LARGEST_DATAGRAM_BYTES = 65535
LARGEST_HEAD_BYTES = 48 * 1024
"""Of all header fields; what a datagram holds beside them is a body."""
MOST_FIELDS = 300
MOST_HOPS = 100
"""Vias; a request that isn't in a loop has fewer than 70 (RFC 3261 section 8.1.1.6)."""
SINGLE = ("From", "To", "Call-ID", "CSeq")
"""Exactly one each; without them and a Via no message can be told apart (RFC 3261 section 8.1.1)."""
METHODS_IN_USE = (
    *("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "SUBSCRIBE", "NOTIFY"),
    *("PUBLISH", "INFO", "REFER", "MESSAGE", "UPDATE"),
)
"""All methods that IANA lists. Others are unknown: 501 instead of 405 (section 21.5.2)."""

_METHOD = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


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

    @property
    def retry_after_seconds(self) -> int | None:
        """When to try again (section 20.33), parameters and comment left out; None where that isn't said."""
        stated = (self.headers.first("Retry-After") or "").partition(";")[0].partition("(")[0]
        try:
            return natural(stated, "Retry-After", largest=LARGEST_SECONDS)
        except MessageError:
            return None

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


class BadRequest(MessageError):
    """A request that can't be served, but told so: what of it is needed for an answer can be read."""

    def __init__(self, request: Request, status: int, reason: str) -> None:
        super().__init__(reason)
        self.request = request
        """With a topmost Via that can be read; any other header may be missing or damaged."""
        self.status = status


def parse(data: bytes) -> Request | Response:
    """Parse one datagram, its mandatory headers included.

    Raises BadRequest for a bad request that has to be answered, another MessageError for
    what is to be dropped, and nothing else (RFC 3261 sections 8.2, 16.3 and 18.3).
    """
    head, body = _split_body(data.lstrip(b"\r\n"))
    lines = list(_unfold(head[:LARGEST_HEAD_BYTES].decode("utf-8", "surrogateescape")))
    if not lines:
        raise MessageError("no message in the datagram")
    headers = Headers(tuple(_fields(lines[1 : 1 + MOST_FIELDS])))
    if len(head) > LARGEST_HEAD_BYTES or len(lines) > 1 + MOST_FIELDS:
        raise _too_large(lines[0], headers)
    if lines[0][: len(VERSION)].upper() == VERSION:
        return _response(lines[0], headers, body)
    return _request(lines[0], headers, body)


def _too_large(line: str, headers: Headers) -> MessageError:
    """513 by what of it has been read, for reading all of it would be work for an attacker's sake."""
    method, uri = (*line.split(None, 2), "", "")[:2]
    reason = f"more than {LARGEST_HEAD_BYTES} bytes or {MOST_FIELDS} fields of headers"
    if not _METHOD.fullmatch(method):
        return MessageError(reason)
    return _refusal(Request(method, uri, headers), 513, reason)


def _response(line: str, headers: Headers, body: bytes) -> Response:
    _, number, reason = (*line.split(None, 2), "", "")[:3]
    status = natural(number, "status", largest=699)
    if status < 100:
        raise MessageError(f"bad status: {status}")
    response = Response(status, reason, headers, _cut(body, headers))
    _check(response)
    return response


def _request(line: str, headers: Headers, body: bytes) -> Request:
    start, version = (*line.rsplit(None, 1), "")[:2]
    method, uri = (*start.split(None, 1), "", "")[:2]
    if not re.fullmatch(r"SIP/[0-9.]{1,9}", version, re.IGNORECASE):
        raise MessageError(f"neither request nor response: {line[:40]!r}")
    damaged = Request(method, uri, headers)
    if version.upper() != VERSION:
        raise _refusal(damaged, 505, f"version {version}")
    try:
        request = Request(method, uri, headers, _cut(body, headers))
        _check_target(request)
        _check(request)
        if request.cseq.method != method and method in METHODS_IN_USE:
            raise MessageError(f"CSeq says {request.cseq.method[:20]!r} in a {method!r}")
    except MessageError as error:
        raise _refusal(damaged, 400, str(error)) from None
    return request


def _refusal(request: Request, status: int, reason: str) -> MessageError:
    """BadRequest where an answer is due and can be sent: an ACK gets none (section 17.1.1.3)."""
    if request.method != "ACK":
        try:
            _ = request.via
        except MessageError:
            return MessageError(reason)
        return BadRequest(request, status, reason)
    return MessageError(reason)


def _check_target(request: Request) -> None:
    """Method and Request-URI as far as the grammar goes; whether we know them comes later."""
    uri = request.uri
    scheme = _SCHEME.match(uri)
    if not _METHOD.fullmatch(request.method) or scheme is None or len(uri.split()) != 1:
        raise MessageError(f"bad request line: {request.method[:20]!r} {uri[:60]!r}")
    if scheme[1].lower() in ("sip", "sips"):
        Uri.parse(uri)
        if "?" in uri.rpartition("@")[2]:
            raise MessageError(f"headers in the Request-URI: {uri[:60]!r}")


def _check(message: Request | Response) -> None:
    """What every message must bring along."""
    for name in SINGLE:
        message.need(name)
        if message.headers.count(name) > 1:
            raise MessageError(f"more than one {name}")
    hops = message.headers.values("Via")
    if not 0 < len(hops) <= MOST_HOPS:
        raise MessageError(f"{len(hops)} Vias")
    vias = [Via.parse(value) for value in hops]
    if vias[0].version != "2.0" or not vias[0].transport:
        raise MessageError(f"bad Via: {str(vias[0])[:60]!r}")
    _, _, _ = message.cseq, message.sender, message.recipient


def _split_body(data: bytes) -> tuple[bytes, bytes]:
    ends = [(at, mark) for mark in (b"\r\n\r\n", b"\n\n") if (at := data.find(mark)) >= 0]
    if not ends:
        return data, b""
    position, mark = min(ends)
    return data[:position], data[position + len(mark) :]


def _unfold(text: str) -> Iterator[str]:
    """Logical lines: one that begins with white space goes on with the one before (section 7.3.1)."""
    pending: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        clean = line.replace("\r", " ").rstrip()
        if line[:1] in (" ", "\t") and pending:
            pending.append(clean.strip())
            continue
        if pending:
            yield " ".join(pending)
        pending = [clean] if clean else []
    if pending:
        yield " ".join(pending)


def _fields(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and name.strip():
            yield canonical(name), value.strip()


def _cut(body: bytes, headers: Headers) -> bytes:
    """The body's stated length; on UDP all of the rest where none is stated (section 18.3)."""
    stated = set(headers.values("Content-Length"))
    if not stated:
        return body
    if len(stated) > 1:
        raise MessageError("Content-Length says this and that")
    length = natural(stated.pop(), "Content-Length", largest=LARGEST_DATAGRAM_BYTES)
    if length > len(body):
        raise MessageError(f"body cut short: {len(body)} of {length} bytes")
    return body[:length]
