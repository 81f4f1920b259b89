"""What a telephone answers to requests that need no call (RFC 3261 sections 8.2 and 11)."""

from __future__ import annotations

from dataclasses import dataclass

from softagent.sip.headers import Headers
from softagent.sip.message import METHODS_IN_USE, Request
from softagent.sip.response import METHODS
from softagent.sip.sdp import CONTENT_TYPE

ALLOW = ("Allow", ", ".join(METHODS))
ACCEPT = ("Accept", CONTENT_TYPE)
SUPPORTED = ("Supported", "path")
"""A proxy may put itself between registrar and contact (RFC 3327): nothing for us to do."""


SCHEMES = ("sip", "sips", "tel")
"""What may stand in the Request-URI of a request to us."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A final response in the making."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


def standing_reply(request: Request, *, language: str) -> Reply | None:
    """The reply that is the same at any time; None for what depends on a call, ACK and CANCEL among it."""
    required = request.headers.values("Require")
    scheme = request.uri.partition(":")[0].lower()
    match request.method:
        case "ACK" | "CANCEL":
            return None
        case method if method not in METHODS_IN_USE:
            return Reply(501, (ALLOW,))
        case "REFER":
            return Reply(603)
        case method if method not in METHODS:
            return Reply(405, (ALLOW,))
        case _ if scheme not in SCHEMES:
            return Reply(416)
        case _ if required:
            return Reply(420, (("Unsupported", ", ".join(required)),))
        case "OPTIONS":
            return Reply(200, (ALLOW, ACCEPT, ("Accept-Language", language), SUPPORTED))
        case "INVITE" | "UPDATE":
            return _content_reply(request)
        case _:
            return None


def _content_reply(request: Request) -> Reply | None:
    """What a session needs: a description in SDP, in plain, and one allowed back (sections 8.2.3 and 20.1)."""
    headers = request.headers
    if request.body and media_type(headers.first("Content-Type") or "") != CONTENT_TYPE:
        return Reply(415, (ACCEPT,))
    if request.body and headers.tokens("Content-Encoding") - {"identity"}:
        return Reply(415, (ACCEPT, ("Accept-Encoding", "identity")))
    if not _takes_sdp(headers):
        return Reply(406, (ACCEPT, ("Warning", '399 softagent "Only session descriptions in SDP"')))
    return None


def media_type(value: str) -> str:
    """`application/sdp` of a Content-Type or Accept value, in lower case and without parameters."""
    return "".join(value.partition(";")[0].lower().split())


def _takes_sdp(headers: Headers) -> bool:
    """Whether Accept lets SDP through; without a value it is what everyone accepts."""
    accepted = {media_type(value) for value in headers.values("Accept")}
    return not accepted or not accepted.isdisjoint((CONTENT_TYPE, "application/*", "*/*"))


def reply_outside_dialog(request: Request) -> Reply | None:
    """The reply to a request without a dialog, other than INVITE: None where silence is right."""
    match request.method:
        case "ACK":
            return None
        case "BYE" | "UPDATE":
            return Reply(481)
        case _:
            return Reply(200)
