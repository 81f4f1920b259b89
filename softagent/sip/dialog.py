"""A dialog: what both ends remember of each other between INVITE and BYE (RFC 3261 section 12)."""

from __future__ import annotations

import urllib.parse

from softagent.sip.address import Uri, parameter
from softagent.sip.errors import MessageError
from softagent.sip.hop import Hop
from softagent.sip.message import Headers, Request
from softagent.sip.phone import Caller


class Dialog:
    """One dialog that the other side's INVITE began. Used under its owner's lock."""

    def __init__(self, invite: Request, source: Hop, local_tag: str) -> None:
        """Take over the other side's data. Raises MessageError when its Contact or route can't be read."""
        self.call_id = invite.call_id
        self.local_tag = local_tag
        self._source = source
        self._remote = invite.need("From")
        self._remote_tag = invite.sender.tag
        self._local = f"{invite.need('To')};tag={self.local_tag}"
        contacts = invite.addresses("Contact")
        self._target = _usable(contacts[0].uri if contacts else invite.sender.uri)
        self._route = invite.addresses("Record-Route")
        self._local_sequence = 0
        self._remote_sequence = invite.cseq.number

    def matches(self, request: Request) -> bool:
        """Whether a request of the other side belongs to this dialog (section 12.2.2)."""
        return (
            request.call_id == self.call_id
            and request.recipient.tag == self.local_tag
            and request.sender.tag == self._remote_tag
        )

    def accept(self, request: Request) -> bool:
        """Note a request's sequence number; False for one that comes too late (section 12.2.2)."""
        number = request.cseq.number
        if request.method in ("ACK", "CANCEL"):
            return True
        if number < self._remote_sequence:
            return False
        self._remote_sequence = number
        return True

    def refresh_target(self, request: Request) -> None:
        """A re-INVITE or UPDATE may move the other side. Raises MessageError for a bad Contact."""
        for contact in request.addresses("Contact"):
            self._target = _usable(contact.uri)

    def request(self, method: str, *headers: tuple[str, str]) -> Request:
        """A request within the dialog, without its Via (section 12.2.1.1)."""
        self._local_sequence += 1
        uri, route = self._target, [str(hop) for hop in self._route]
        if self._route and parameter(self._route[0].uri.parameters, "lr") is None:
            # A strict router wants its own URI in the first line and ours at the end.
            uri, route = self._route[0].uri, [*route[1:], f"<{self._target}>"]
        fields = (
            *(("Route", hop) for hop in route),
            ("From", self._local),
            ("To", self._remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self._local_sequence} {method}"),
            *headers,
        )
        return Request(method, str(uri), Headers(fields))

    @property
    def next_hop(self) -> Hop:
        """Where requests go: the first proxy of the route, or the contact.

        A host name there would need a look-up; the INVITE's own source stands in for it.
        """
        uri = self._route[0].uri if self._route else self._target
        return Hop.towards(uri, self._source) or self._source


def _usable(uri: Uri) -> Uri:
    """A target that requests can be sent to (section 12.1.1). Raises MessageError for another."""
    if not uri.is_sip:
        raise MessageError(f"no SIP URI as a target: {str(uri)[:60]!r}")
    return uri


def caller_of(invite: Request) -> Caller:
    """Who calls: the identity that the PBX vouches for (RFC 3325), or else From."""
    try:
        asserted = invite.addresses("P-Asserted-Identity")
    except MessageError:
        asserted = ()
    who = asserted[0] if asserted else invite.sender
    return Caller(_readable(urllib.parse.unquote(who.uri.user)), _readable(who.display_name))


def _readable(text: str) -> str:
    """Text that can be written anywhere: bytes that weren't UTF-8 replaced."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
