"""Responses to requests: what has to be copied, and where they go (RFC 3261 sections 8.2.6 and 18.2, RFC 3581)."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from softagent import __version__
from softagent.sip.hop import Hop
from softagent.sip.message import Headers, Request, Response, Via

USER_AGENT = f"softagent/{__version__}"
METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "UPDATE", "INFO", "NOTIFY", "MESSAGE")
"""What the telephone understands, in the words of the Allow header."""

_REASONS = {
    180: "Ringing",
    420: "Bad Extension",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
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
    recipient = request.need("To")
    if tag and not request.recipient.tag:
        recipient = f"{recipient};tag={tag}"
    fields += [
        ("From", request.need("From")),
        ("To", recipient),
        ("Call-ID", request.call_id),
        ("CSeq", str(request.cseq)),
        *headers,
        ("Server", USER_AGENT),
    ]
    return Response(status, reason_phrase(status), Headers(tuple(fields)), body)


def destination(request: Request, source: Hop) -> Hop:
    """Where the response goes: back on its connection, else RFC 3261 section 18.2.2 with rport of RFC 3581 section 4.

    `maddr` is for multicast, which we don't receive; heeding it would let a stranger
    direct our responses at others.
    """
    via = request.via
    if via.parameter("rport") is not None:
        return source
    return replace(source, port=via.port or source.transport.default_port)


def _vias(request: Request, source: Hop) -> list[Via]:
    """All hops, the topmost with where the request really came from (sections 18.2.1 and 3581.4)."""
    first, *others = (Via.parse(value) for value in request.headers.values("Via"))
    asks_port = first.parameter("rport") is not None
    if asks_port:
        first = first.with_parameter("rport", str(source.port))
    if asks_port or first.host != source.host:
        first = first.with_parameter("received", source.host)
    return [first, *others]
