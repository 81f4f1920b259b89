"""Keys told in INFO requests: what PBXs with dtmf_mode=info send instead of RFC 4733."""

from __future__ import annotations

import re

from softagent.sip.body import Part, parts
from softagent.sip.message import Request
from softagent.sip.uas import Reply

KEYS = "0123456789*#ABCD"
"""By the numbers of their events (RFC 4733 section 3.2)."""
RELAY, PLAIN, EVENT = "application/dtmf-relay", "application/dtmf", "audio/telephone-event"
KINDS = (RELAY, PLAIN, EVENT)
"""Types of bodies with keys in them; none was ever written down in an RFC."""

_SIGNAL = re.compile(r"(?im)^[ \t]*signal[ \t]*=[ \t]*(\S+)")
_DIGITS = re.compile(r"[0-9*#A-Da-d]+")
_EVENT_BYTES = 4


def read_info(request: Request) -> tuple[str, Reply]:
    """The keys that an INFO tells of, and the reply to it: one may also be empty.

    We have agreed on no package (RFC 6086 sections 4.2.2 and 5.2).
    """
    known = [part for part in parts(request) if part.kind in KINDS]
    found = [pressed for part in known if (pressed := keys(part)) is not None]
    if request.headers.first("Info-Package") is not None:
        return "", Reply(469, (("Recv-Info", ""),))
    if request.body and not known:
        return "", Reply(415, (("Accept", ", ".join(KINDS)),))
    if known and not found:
        return "", Reply(400)
    return "".join(found), Reply(200)


def keys(part: Part) -> str | None:
    """The keys that a part tells of: none or more; None when it can't be read.

    "Signal=5" with its duration, the bare key, or four bytes as RFC 4733 sends them. Some
    number * and # as events: 10 and 11.
    """
    text = part.content.decode("ascii", "replace").strip()
    if part.kind == RELAY:
        found = _SIGNAL.search(text)
        return None if found is None else _keys(found[1])
    if part.kind == EVENT and len(part.content) == _EVENT_BYTES and part.content[0] < len(KEYS):
        is_end = bool(part.content[1] & 0x80)
        return KEYS[part.content[0]] if is_end else ""
    return _keys(text)


def _keys(text: str) -> str | None:
    if text.isdigit() and len(text) == 2 and int(text) < len(KEYS):
        return KEYS[int(text)]
    if text.lower() in ("star", "pound", "hash"):
        return "*" if text.lower() == "star" else "#"
    return text.upper() if _DIGITS.fullmatch(text) else None
