"""Our own address as the PBX reaches it: on this machine, or in front of a NAT."""

from __future__ import annotations

from dataclasses import replace

from softagent.config import Account
from softagent.sip.address import Uri, natural, numeric
from softagent.sip.alarm import NEVER
from softagent.sip.endpoint import Endpoint
from softagent.sip.errors import MessageError
from softagent.sip.hop import Hop
from softagent.sip.message import Response


class Contact:
    """Our own address towards the PBX: as the routing table has it, or as the other side of a NAT sees it."""

    def __init__(self, account: Account, endpoint: Endpoint) -> None:
        self._account = account
        self._endpoint = endpoint
        self._local: Uri | None = None
        self._public: tuple[str, int] | None = None
        self._hop: Hop | None = None
        self._learned_at = -NEVER

    def towards(self, hop: Hop) -> Uri:
        """The Contact for requests to `hop`. Raises OSError when there is no route."""
        local = self._find(hop)
        if (self._local, self._hop) != (local, hop):
            self._local, self._hop, self._public = local, hop, None
        return self._shown(local)

    def for_peer(self, source: Hop) -> Uri:
        """The Contact for whoever is at `source`. Raises OSError when there is no route."""
        is_pbx = self._hop is not None and self._hop.host == source.host
        local = self._find(source)
        return self._shown(local) if is_pbx else local

    def has_moved(self, hop: Hop) -> bool:
        """Whether our own address has changed: another lease, another interface. Not while there is none."""
        try:
            return self._find(hop) != self._local
        except OSError:
            return False

    def learn(self, response: Response, now: float) -> bool:
        """See in the topmost Via where the other side saw us (RFC 3581); True when that asks for another REGISTER.

        What can't be an address is ignored; some write IPv6 in brackets (RFC 5118 section 4.5).
        A NAT that changes the port each time isn't run after more often than every few seconds.
        """
        local, host = self._local, numeric(response.via.parameter("received") or "")
        port = _port(response.via.parameter("rport") or "")
        if not self._account.follow_nat or local is None or not host or not port:
            return False
        seen = host, port
        is_stream = self._hop is not None and self._hop.transport.is_reliable
        if is_stream and host == local.host:  # the port is our connection's, not where we listen
            return False
        shown = self._shown(local)
        if seen == (shown.host, shown.port):
            return False
        self._public = seen
        is_soon = now - self._learned_at < self._account.registration_check_seconds
        if not is_soon:
            self._learned_at = now
        return not is_soon

    def _find(self, hop: Hop) -> Uri:
        account = self._account
        return self._endpoint.addressing.contact(account.username, hop, account.local_address)

    def _shown(self, local: Uri) -> Uri:
        if self._public is None:
            return local
        host, port = self._public
        return replace(local, host=host, port=port)


def _port(text: str) -> int:
    """A port number, 0 for anything else."""
    try:
        return natural(text, "port", largest=65535)
    except MessageError:
        return 0
