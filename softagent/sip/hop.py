"""Where messages come from and go to: the address, the transport, and the connection between them."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace

from softagent.sip.address import DEFAULT_PORT, Uri, join_host_port, numeric, parameter

DEFAULT_TLS_PORT = 5061


class Transport(enum.Enum):
    """What carries a message; the values are those of Via (RFC 3261 section 20.42)."""

    UDP = "UDP"
    TCP = "TCP"
    TLS = "TLS"

    @property
    def is_reliable(self) -> bool:
        """Whether nothing is lost on it, so that nothing has to be sent twice."""
        return self is not Transport.UDP

    @property
    def default_port(self) -> int:
        """The port where none is given (RFC 3261 section 19.1.2)."""
        return DEFAULT_TLS_PORT if self is Transport.TLS else DEFAULT_PORT

    @classmethod
    def of(cls, uri: Uri) -> Transport | None:
        """What a URI asks for: `sips:` means TLS; None when it asks for something that we don't speak."""
        asked = (parameter(uri.parameters, "transport") or "udp").upper()
        if uri.scheme == "sips":
            return cls.TLS
        return cls(asked) if asked in cls.__members__ else None


@dataclass(frozen=True, slots=True)
class Hop:
    """The next stop of a message, or the one it came from."""

    host: str
    """An IP address, of either family, without brackets."""
    port: int
    transport: Transport = Transport.UDP
    connection: int = 0
    """The connection that it came over and that answers go back on while it lives; 0 for none."""

    name: str = field(default="", compare=False)
    """The host name that led here, for its certificate; empty for none."""

    stands_for: Uri | None = field(default=None, compare=False)
    """A URI with a host name that this hop stands in for until that is looked up."""

    @property
    def address(self) -> tuple[str, int]:
        """As sockets take it."""
        return self.host, self.port

    def by_way_of(self, source: Hop) -> Hop:
        """The same hop, on the connection of `source` where that leads to the same host (RFC 5923)."""
        if (self.host, self.transport) != (source.host, source.transport):
            return self
        return replace(self, connection=source.connection)

    @classmethod
    def towards(cls, uri: Uri, source: Hop) -> Hop | None:
        """The hop that a URI names by number, by way of `source`, where it was received.

        A PBX that came by TCP and names no transport in its Contact means TCP, whatever the
        default is (RFC 3263 section 4.1).
        """
        hop = cls.literal(uri)
        if hop is None:
            return None
        is_open = uri.scheme == "sip" and parameter(uri.parameters, "transport") is None
        if is_open and hop.host == source.host:
            port = uri.port or source.transport.default_port
            hop = replace(hop, port=port, transport=source.transport)
        return hop.by_way_of(source)

    def shares(self, other: Hop) -> bool:
        """Whether both mean the same connection: by its number or by its far end."""
        if self.connection and self.connection == other.connection:
            return True
        ends = (self.host, self.port, self.transport), (other.host, other.port, other.transport)
        return self.transport.is_reliable and ends[0] == ends[1]

    def __str__(self) -> str:
        return join_host_port(self.host, self.port)

    @classmethod
    def literal(cls, uri: Uri) -> Hop | None:
        """The hop that a URI names by number; None for a host name or a transport that we don't speak."""
        transport, host = Transport.of(uri), numeric(uri.host)
        if transport is None or not host:
            return None
        return cls(host, uri.port or transport.default_port, transport)
