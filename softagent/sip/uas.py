"""What a telephone answers to requests that need no call (RFC 3261 sections 8.2 and 11)."""

from __future__ import annotations

from dataclasses import dataclass

from softagent.sip.body import media_type, parts
from softagent.sip.headers import Headers
from softagent.sip.message import METHODS_IN_USE, Request
from softagent.sip.response import METHODS
from softagent.sip.sdp import CONTENT_TYPE

Fields = tuple[tuple[str, str], ...]

ALLOW = ("Allow", ", ".join(METHODS))
ACCEPT = ("Accept", CONTENT_TYPE)
EXTENSIONS = ("100rel", "timer", "replaces")
"""Option tags that may be required of us (RFC 3262, RFC 4028, RFC 3891)."""
SUPPORTED = ("Supported", ", ".join(EXTENSIONS))
PACKAGES = ("message-summary", "refer")
"""Event packages whose NOTIFYs we take."""
ALLOW_EVENTS = ("Allow-Events", ", ".join(PACKAGES))
UNASKED = ("message-summary", "")
"""Event packages that nobody subscribes to; some PBXs even leave the name out."""
SCHEMES = ("sip", "sips", "tel")
"""What may stand in the Request-URI of a request to us."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A final response in the making."""

    status: int
    headers: Fields = ()


def standing_reply(request: Request) -> Reply | None:
    """The reply that is the same at any time; None for what depends on a call, ACK and CANCEL among it."""
    scheme = request.uri.partition(":")[0].lower()
    match request.method:
        case "ACK" | "CANCEL":
            return None
        case method if method not in METHODS_IN_USE:
            return Reply(501, (ALLOW,))
        case "REFER":
            return Reply(603 if len(request.headers.values("Refer-To")) == 1 else 400)
        case method if method not in METHODS:
            return Reply(405, (ALLOW,))
        case _ if scheme not in SCHEMES:
            return Reply(416)
        case _ if unknown := _unknown_extensions(request):
            return Reply(420, (("Unsupported", ", ".join(unknown)),))
        case "INVITE" | "UPDATE" | "PRACK":
            return _content_reply(request)
        case _:
            return None


def capabilities(language: str) -> Fields:
    """What an OPTIONS is told (section 11.2)."""
    return (ALLOW, ACCEPT, ("Accept-Language", language), SUPPORTED, ALLOW_EVENTS)


def reply_outside_dialog(request: Request) -> Reply | None:
    """The reply to a request without a dialog, other than INVITE and OPTIONS: None where silence is right.

    A NOTIFY comes unasked from most PBXs (message-summary): 481 would only have it repeated.
    """
    match request.method:
        case "ACK":
            return None
        case "BYE" | "UPDATE" | "PRACK":
            return Reply(481)
        case _:
            return Reply(200)


def reply_to_notify(request: Request) -> Reply:
    """The reply to a NOTIFY within a call that belongs to no transfer of ours (RFC 6665 section 4.1.3)."""
    package = (request.headers.first("Event") or "").partition(";")[0].strip().lower()
    if package in UNASKED:
        return Reply(200)
    return Reply(481) if package in PACKAGES else Reply(489, (ALLOW_EVENTS,))


def _unknown_extensions(request: Request) -> tuple[str, ...]:
    """What is required and unknown here, as it is written (section 8.2.2.3)."""
    required = request.headers.values("Require")
    return tuple(option for option in required if option.lower() not in EXTENSIONS)


def _content_reply(request: Request) -> Reply | None:
    """What a session needs: a description in SDP, in plain, and one allowed back (sections 8.2.3 and 20.1)."""
    for part in parts(request):
        if part.is_optional:
            continue
        if part.kind != CONTENT_TYPE and not _has_description(request):
            return Reply(415, (ACCEPT,))
        if part.kind == CONTENT_TYPE and not part.is_plain:
            return Reply(415, (ACCEPT, ("Accept-Encoding", "identity")))
    if not _takes_sdp(request.headers):
        return Reply(406, (ACCEPT, ("Warning", '399 softagent "Only session descriptions in SDP"')))
    return None


def _has_description(request: Request) -> bool:
    """Whether SDP is among the parts: what comes with it (ISUP, PIDF-LO, a picture) may be passed over."""
    return any(part.kind == CONTENT_TYPE for part in parts(request))


def _takes_sdp(headers: Headers) -> bool:
    """Whether Accept lets SDP through; without a value it is what everyone accepts."""
    accepted = {media_type(value) for value in headers.values("Accept")}
    return not accepted or not accepted.isdisjoint((CONTENT_TYPE, "application/*", "*/*"))
