"""Whom to call: a number or an address as a person writes it, turned into a URI."""

from __future__ import annotations

import re
import urllib.parse

from softagent.sip.address import Uri
from softagent.sip.errors import MessageError

_PUNCTUATION = re.compile(r"[\s().\-/]+")
"""What people put between the digits of a number (RFC 3966 section 5.1.1 calls them visual separators)."""
_NUMBER = re.compile(r"\+?[0-9*#]+")
_PLAIN = re.compile(r"[!#-;=?-~]+")
"""Printable ASCII without quotes and angle brackets: nothing that could end a header."""
_USER_SAFE = "-_.!~*'()&=+$,;?/%"
"""What may stand in a URI's user as it is (RFC 3261 section 25.1), an escape that is there already among it."""


def target_uri(text: str, domain: str) -> Uri:
    """The URI of `1003`, `+49 (30) 12-34`, `*97`, `anna`, `anna@example.org` or `sip:anna@example.org`.

    Without a domain of its own it is one of `domain`, which is the PBX's; so is `tel:`.
    Raises MessageError for what can be none of them.
    """
    written = text.strip()
    if _NUMBER.fullmatch(number := _PUNCTUATION.sub("", written.removeprefix("tel:"))):
        return _user_at(number, domain)
    if not _PLAIN.fullmatch(written):
        raise MessageError(f"neither a number nor a SIP address: {text[:60]!r}")
    scheme, colon, _ = written.partition(":")
    if colon and scheme.lower() in ("sip", "sips"):
        return Uri.parse(written)
    if "@" in written:
        return Uri.parse(f"sip:{written}")
    if colon:
        raise MessageError(f"neither a number nor a SIP address: {text[:60]!r}")
    return _user_at(written, domain)


def _user_at(user: str, domain: str) -> Uri:
    return Uri("sip", urllib.parse.quote(user, safe=_USER_SAFE), domain)
