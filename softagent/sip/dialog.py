"""A dialog: what both ends remember of each other between INVITE and BYE (RFC 3261 section 12)."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from dataclasses import replace

from softagent.sip.address import NameAddress, Uri, parameter
from softagent.sip.errors import MessageError
from softagent.sip.hop import Hop
from softagent.sip.message import Headers, Message, Request, Response
from softagent.sip.phone import Caller


class Dialog:
    """One dialog, by whoever it was begun. Used under its owner's lock."""

    def __init__(
        self,
        call_id: str,
        *,
        local: str,
        remote: str,
        target: Uri,
        route: Sequence[NameAddress],
        source: Hop,
        local_sequence: int = 0,
        remote_sequence: int | None = None,
    ) -> None:
        """`local` and `remote` are the From and To of our requests, tags included; `source` is the way back.

        Raises MessageError for a target that no request can be sent to.
        """
        self.call_id = call_id
        self.local_tag = NameAddress.parse(local).tag
        self.remote_tag = NameAddress.parse(remote).tag
        self._local, self._remote = local, remote
        self._target = _usable(target)
        self._route = tuple(route)
        self._source = source
        self._local_sequence = local_sequence
        self._remote_sequence = remote_sequence

    @classmethod
    def taken(cls, invite: Request, source: Hop, local_tag: str) -> Dialog:
        """The dialog that the other side's INVITE begins (section 12.1.1).

        Raises MessageError when its Contact or route can't be read.
        """
        contacts = invite.addresses("Contact")
        return cls(
            invite.call_id,
            local=f"{invite.need('To')};tag={local_tag}",
            remote=invite.need("From"),
            target=contacts[0].uri if contacts else invite.sender.uri,
            route=invite.addresses("Record-Route"),
            source=source,
            remote_sequence=invite.cseq.number,
        )

    @classmethod
    def begun(cls, invite: Request, response: Response, destination: Hop) -> Dialog:
        """The dialog that a response to our INVITE begins (section 12.1.2).

        Raises MessageError when its Contact or route can't be read.
        """
        contacts = response.addresses("Contact")
        return cls(
            invite.call_id,
            local=invite.need("From"),
            remote=response.need("To"),
            target=contacts[0].uri if contacts else Uri.parse(invite.uri),
            route=response.addresses("Record-Route")[::-1],
            source=destination,
            local_sequence=invite.cseq.number,
        )

    @property
    def target(self) -> Uri:
        """Where the other side is, by its Contact."""
        return self._target

    @property
    def source(self) -> Hop:
        """Where its INVITE came from, or went to."""
        return self._source

    def succeed(self, early: Dialog) -> None:
        """Go on with the numbers of the early dialog that this one has grown out of (section 12.1.2)."""
        self._local_sequence = max(self._local_sequence, early._local_sequence)
        self._remote_sequence = early._remote_sequence

    def matches(self, request: Request) -> bool:
        """Whether a request of the other side belongs to this dialog (section 12.2.2)."""
        return (
            request.call_id == self.call_id
            and request.recipient.tag == self.local_tag
            and request.sender.tag == self.remote_tag
        )

    def accept(self, request: Request) -> bool:
        """Note a request's sequence number; False for one that comes too late (section 12.2.2)."""
        number = request.cseq.number
        if request.method in ("ACK", "CANCEL"):
            return True
        if self._remote_sequence is not None and number < self._remote_sequence:
            return False
        self._remote_sequence = number
        return True

    def refresh_target(self, message: Request | Response) -> None:
        """A re-INVITE or UPDATE, or the answer to ours, may move the other side. Raises MessageError for a bad Contact."""
        self._target = self.target_in(message)

    def target_in(self, message: Request | Response) -> Uri:
        """Where the other side is by that message. Raises MessageError for a bad Contact."""
        contacts = message.addresses("Contact")
        return _usable(contacts[0].uri) if contacts else self._target

    def request(self, method: str, *headers: tuple[str, str], body: bytes = b"") -> Request:
        """The next request within the dialog, without its Via (section 12.2.1.1)."""
        self._local_sequence += 1
        return self._numbered(method, self._local_sequence, headers, body)

    def acknowledge(self, sequence: int, *headers: tuple[str, str], body: bytes = b"") -> Request:
        """The ACK to a 2xx to our INVITE of that number, without its Via (section 13.2.2.4)."""
        return self._numbered("ACK", sequence, headers, body)

    def _numbered(
        self, method: str, sequence: int, headers: tuple[tuple[str, str], ...], body: bytes
    ) -> Request:
        uri, route = self._target, [str(hop) for hop in self._route]
        if self._route and parameter(self._route[0].uri.parameters, "lr") is None:
            # A strict router wants its own URI in the first line and ours at the end.
            uri, route = self._route[0].uri, [*route[1:], f"<{self._target}>"]
        fields = (
            *(("Route", hop) for hop in route),
            ("From", self._local),
            ("To", self._remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{sequence} {method}"),
            *headers,
        )
        return Request(method, str(uri), Headers(fields), body)

    @property
    def next_hop(self) -> Hop:
        """Where requests go: the first proxy of the route, or the contact.

        For a host name there the INVITE's own source stands in until that is looked up.
        """
        uri = self._route[0].uri if self._route else self._target
        return Hop.towards(uri, self._source) or replace(self._source, stands_for=uri)


def _usable(uri: Uri) -> Uri:
    """A target that requests can be sent to (section 12.1.1). Raises MessageError for another."""
    if not uri.is_sip:
        raise MessageError(f"no SIP URI as a target: {str(uri)[:60]!r}")
    return uri


IDENTITIES = ("P-Asserted-Identity", "Remote-Party-ID")
"""Where a PBX says who is on the other side: RFC 3325, and what Asterisk and others had before it."""


def caller_of(invite: Request) -> Caller:
    """Who calls: the identity that the PBX vouches for, or else From."""
    asserted = asserted_identity(invite)
    return _caller(invite.sender) if asserted is None else asserted


def asserted_identity(message: Message) -> Caller | None:
    """Who the PBX says is on the other side now (connected line); None where it doesn't say."""
    for name in IDENTITIES:
        try:
            stated = message.addresses(name)
        except MessageError:
            continue
        if stated:
            return _caller(stated[0])
    return None


def _caller(who: NameAddress) -> Caller:
    return Caller(_readable(urllib.parse.unquote(who.uri.user)), _readable(who.display_name))


def _readable(text: str) -> str:
    """Text that can be written anywhere: bytes that weren't UTF-8 replaced."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
