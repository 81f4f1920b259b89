"""Responses to requests: what has to be copied, and where they go (RFC 3261 sections 8.2.6 and 18.2, RFC 3581)."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from http import HTTPStatus

from softagent import __version__
from softagent.sip.address import NameAddress
from softagent.sip.errors import MessageError
from softagent.sip.hop import Hop
from softagent.sip.message import Headers, Request, Response, Via

USER_AGENT = f"softagent/{__version__}"
METHODS = (
    *("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "PRACK", "UPDATE", "INFO", "NOTIFY", "MESSAGE"),
)
"""What the telephone understands, in the words of the Allow header."""

_REASONS = {
    180: "Ringing",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    469: "Bad Info Package",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    482: "Loop Detected",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    500: "Server Internal Error",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    603: "Decline",
}


def reason_phrase(status: int) -> str:
    """The words that RFC 3261 section 21 gives a status; HTTP's where they are the same."""
    if status in _REASONS:
        return _REASONS[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def respond(
    request: Request,
    status: int,
    *,
    source: Hop,
    tag: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
) -> Response:
    """Build the response to a request that came from `source`.

    `tag` goes into To unless one is there. Record-Route is copied where a dialog
    may come of it (section 12.1.1).
    """
    fields = [("Via", str(via)) for via in _vias(request, source)]
    if request.method == "INVITE" and 101 <= status <= 299:
        fields += [("Record-Route", value) for value in request.headers.values("Record-Route")]
    for name in ("From", "To", "Call-ID", "CSeq"):  # a damaged request may lack some
        if (value := request.headers.first(name)) is not None:
            fields.append((name, _tagged(value, tag) if name == "To" else value))
    fields += [*headers, ("Server", USER_AGENT)]
    return Response(status, reason_phrase(status), Headers(tuple(fields)), body)


def _tagged(recipient: str, tag: str) -> str:
    """To with our tag, unless one is there or the value can't be read."""
    try:
        has_tag = NameAddress.parse(recipient).tag != ""
    except MessageError:
        return recipient
    return recipient if has_tag or not tag else f"{recipient};tag={tag}"


def _readable(values: Iterable[str]) -> Iterator[Via]:
    for value in values:
        with contextlib.suppress(MessageError):
            yield Via.parse(value)


_SECRET = secrets.token_bytes(16)


def stateless_tag(request: Request) -> str:
    """A To tag for an answer that nothing is kept of: the same each time the request comes (section 8.2.7)."""
    via, call_id = request.headers.values("Via")[:1], request.headers.first("Call-ID") or ""
    identity = "\0".join((*via, call_id)).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(identity, key=_SECRET, digest_size=8).hexdigest()


def destination(request: Request, source: Hop) -> Hop:
    """Where the response goes: back on its connection, else RFC 3261 section 18.2.2 with rport of RFC 3581 section 4.

    `maddr` is for multicast, which we don't receive; heeding it would let a stranger
    direct our responses at others.
    """
    via = request.via
    if via.parameter("rport") is not None and not source.transport.is_reliable:
        return source  # over a connection that is gone, only where the sender listens is left
    return replace(source, port=via.port or source.transport.default_port)


def _vias(request: Request, source: Hop) -> list[Via]:
    """All hops, the topmost with where the request really came from (sections 18.2.1 and 3581.4)."""
    first, *others = _readable(request.headers.values("Via"))
    asks_port = first.parameter("rport") is not None
    if asks_port:
        first = first.with_parameter("rport", str(source.port))
    if asks_port or first.host != source.host:
        first = first.with_parameter("received", source.host)
    return [first, *others]
