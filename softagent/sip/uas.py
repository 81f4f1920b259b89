"""What a telephone answers to requests that need no call (RFC 3261 sections 8.2 and 11)."""

from __future__ import annotations

from dataclasses import dataclass

from softagent.sip.message import Request
from softagent.sip.response import METHODS
from softagent.sip.sdp import CONTENT_TYPE

ALLOW = ("Allow", ", ".join(METHODS))
ACCEPT = ("Accept", CONTENT_TYPE)
SUPPORTED = ("Supported", "path")
"""A proxy may put itself between registrar and contact (RFC 3327): nothing for us to do."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A final response in the making."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


def standing_reply(request: Request, *, language: str) -> Reply | None:
    """The reply that is the same at any time; None for what depends on a call, ACK and CANCEL among it."""
    required = request.headers.values("Require")
    match request.method:
        case "ACK" | "CANCEL":
            return None
        case "REFER":
            return Reply(603)
        case method if method not in METHODS:
            return Reply(405, (ALLOW,))
        case _ if required:
            return Reply(420, (("Unsupported", ", ".join(required)),))
        case "OPTIONS":
            return Reply(200, (ALLOW, ACCEPT, ("Accept-Language", language), SUPPORTED))
        case _:
            return None


def reply_outside_dialog(request: Request) -> Reply | None:
    """The reply to a request without a dialog, other than INVITE: None where silence is right."""
    match request.method:
        case "ACK":
            return None
        case "BYE" | "UPDATE":
            return Reply(481)
        case _:
            return Reply(200)
