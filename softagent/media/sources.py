"""Whom to hear: the address that SDP agreed on, and hosts that have to do with the call.

Behind a NAT, or after a failover, sound comes from another port than SDP says, or from the
host that signals (symmetric RTP, RFC 4961). From any other host nothing is heard, not even
before the first packet that belongs to the call.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = tuple[str, int]

PROBATION_PACKETS = 5
"""In a row, before another port takes over from one that has been heard."""


class SourceFilter:
    """Judges where packets come from. Pure; the owner guards it."""

    def __init__(self, agreed: Address, trusted_hosts: Iterable[str] = ()) -> None:
        """Hear `agreed`, its host and `trusted_hosts`."""
        self._established: Address | None = None
        self._candidate: tuple[Address, int, int] | None = None
        """Address, SSRC and next sequence number of a port on probation."""
        self._passed = 0
        """Packets that the candidate has sent in a row."""
        self._agree(agreed, trusted_hosts)

    @property
    def peer(self) -> Address:
        """Where the other side is, as far as we know: where our packets should go."""
        return self._established or self._agreed

    def redirect(self, agreed: Address, trusted_hosts: Iterable[str] = ()) -> None:
        """A new SDP: another address is listened for anew; the same one changes nothing."""
        hosts = self._hosts
        moved = agreed != self._agreed
        self._agree(agreed, trusted_hosts)
        if moved or hosts != self._hosts:
            self._established = self._candidate = None

    def knows(self, source: Address) -> bool:
        """Whether `source` is at a host that has to do with the call."""
        return source in (self._established, self._agreed) or _plain(source[0]) in self._hosts

    def accepts(self, source: Address, *, ssrc: int, sequence_number: int) -> bool:
        """Whether to hear an RTP packet from `source`, which may take over by it.

        The agreed address takes over at once. Another port of a known host does when nothing
        else has been heard yet, or with packets in a row, in order and of one source, while
        the established one is silent.
        """
        if source != self._established:
            if not self.knows(source):
                return False
            is_at_home = self._established is None or source == self._agreed
            if not is_at_home and not self._passes(source, ssrc, sequence_number):
                return False
            self._established = source
        self._candidate = None
        return True

    def _passes(self, source: Address, ssrc: int, sequence_number: int) -> bool:
        if self._candidate != (source, ssrc, sequence_number):
            self._passed = 0
        self._passed += 1
        self._candidate = source, ssrc, (sequence_number + 1) % (1 << 16)
        return self._passed >= PROBATION_PACKETS

    def _agree(self, agreed: Address, trusted_hosts: Iterable[str]) -> None:
        self._agreed = agreed
        self._hosts = frozenset(_plain(host) for host in (agreed[0], *trusted_hosts))


def _plain(host: str) -> str:
    """One spelling for each address: without a zone, IPv4 as IPv4 (RFC 4291 section 2.5.5.2)."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host.lower()
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
