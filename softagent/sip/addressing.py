"""What goes on the outside of our requests: where we are, as Via and Contact say it, and what carries them."""

from __future__ import annotations

import secrets
import socket
from dataclasses import replace

from softagent.sip.address import Uri, join_host_port
from softagent.sip.channels import Channels
from softagent.sip.hop import Hop, Transport
from softagent.sip.message import VERSION, Headers, Request
from softagent.sip.response import USER_AGENT
from softagent.sip.transaction import MAGIC

LARGEST_UDP_REQUEST_BYTES = 1300
"""Of a path whose MTU isn't known (RFC 3261 section 18.1.1)."""


class Addressing:
    """Knows our addresses from the sockets and the routing table. Used under the endpoint's lock."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    def contact(self, user: str, hop: Hop, host: str = "") -> Uri:
        """Our address as the far end of `hop` reaches it; `host` unless the route decides. Raises OSError.

        `sip:` also with TLS: `sips:` would ask for TLS on every hop up to the caller
        (RFC 3261 section 26.2.2), which no PBX can promise for us.
        """
        port = self._channels.contact_port(hop)
        asked = hop.transport.value.lower()
        parameters = (("transport", asked),) if hop.transport.is_reliable else ()
        return Uri("sip", user, host or local_address(hop), port, parameters)

    def addressed(self, request: Request, destination: Hop) -> tuple[Request, Hop]:
        """A request as it goes out, and where to: by TCP if it is large and that is known to work."""
        complete = self._complete(request, destination)
        if self._is_too_large(complete, destination):
            destination = replace(destination, transport=Transport.TCP)
            complete = self._complete(request, destination)
        return complete, destination

    def _complete(self, request: Request, destination: Hop) -> Request:
        """A request in a transaction of its own, with our name."""
        transport = destination.transport
        port = self._channels.contact_port(destination)
        where = join_host_port(_via_host(destination), port)
        alias = ";alias" if transport.is_reliable else ""  # RFC 5923: this connection is for both
        branch = f"branch={MAGIC}{secrets.token_hex(12)}"
        via = f"{VERSION}/{transport.value} {where};rport{alias};{branch}"
        headers = Headers((("Via", via), ("Max-Forwards", "70"), *request.headers))
        return replace(request, headers=headers.with_(("User-Agent", USER_AGENT)))

    def _is_too_large(self, request: Request, hop: Hop) -> bool:
        """Whether a request should rather go by TCP (RFC 3261 section 18.1.1), and is known to get through so."""
        if hop.transport is not Transport.UDP:
            return False
        by_tcp = replace(hop, transport=Transport.TCP)
        is_large = len(request.serialize()) > LARGEST_UDP_REQUEST_BYTES
        return is_large and self._channels.is_connected(by_tcp)


def local_address(destination: Hop) -> str:
    """Our own address on the route to `destination`, an IP address. Raises OSError when there is no route.

    Connecting a UDP socket sends nothing; it only asks the routing table.
    """
    family = socket.AF_INET6 if ":" in destination.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(destination.address)
        host: str = probe.getsockname()[0]
        return host


def _via_host(destination: Hop) -> str:
    """Our address in a Via, which is a courtesy with rport: the answer goes to where the request came from."""
    try:
        return local_address(destination)
    except OSError:
        return "0.0.0.0"
