"""From the frames of a capture to UDP datagrams and TCP segments, fragments put together again. Pure.

Frame -> link layer -> IPv4 / IPv6 -> fragments -> Datagram | Segment
"""

from __future__ import annotations

import functools
import ipaddress
import struct
from collections import OrderedDict
from dataclasses import dataclass, field

from softagent.capture.observe import Address
from softagent.capture.pcap import Frame

TCP, UDP = 6, 17
FRAGMENT_HEADER = 44
EXTENSION_HEADERS = frozenset({0, 43, 60})
"""Hop-by-hop, routing and destination options (RFC 8200 section 4)."""
AUTHENTICATION_HEADER = 51
MOST_PENDING = 256
"""Fragmented packets that wait for the rest; the oldest is given up."""
LONGEST_PACKET_BYTES = 65535
_VLAN = frozenset({0x8100, 0x88A8})
_IP = frozenset({0x0800, 0x86DD})


class Unreadable(Exception):
    """A frame that holds no IP packet we can read."""


@dataclass(frozen=True, slots=True)
class Datagram:
    """One UDP datagram."""

    at_ns: int
    source: Address
    destination: Address
    payload: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment."""

    at_ns: int
    source: Address
    destination: Address
    payload: bytes
    sequence: int
    """Of the first byte of `payload`."""
    is_start: bool = False
    """SYN."""


@dataclass(slots=True)
class Tally:
    """What became of the frames."""

    frames: int = 0
    others: int = 0
    """Neither UDP nor TCP over IP, or damaged."""
    cut: int = 0
    """Captured shorter than they were."""
    links: set[int] = field(default_factory=set)
    """Link types that we can't read."""


@dataclass(slots=True)
class _Pieces:
    """A fragmented packet in the making."""

    parts: dict[int, bytes] = field(default_factory=dict)
    end: int | None = None
    """Length of the whole, once the last fragment is here."""

    def whole(self) -> bytes | None:
        if self.end is None:
            return None
        data = bytearray()
        for offset, part in sorted(self.parts.items()):
            if offset > len(data):
                return None
            data[offset:] = part if offset + len(part) >= len(data) else data[offset:]
        return bytes(data[: self.end]) if len(data) >= self.end else None


_Key = tuple[bytes, bytes, int, int]


class Network:
    """Reads frames in their order."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._pending: OrderedDict[_Key, _Pieces] = OrderedDict()
        self._given_up = 0

    @property
    def incomplete(self) -> int:
        """Packets whose fragments didn't all come."""
        return self._given_up + len(self._pending)

    def receive(self, frame: Frame) -> Datagram | Segment | None:
        """What a frame carries; None for a part of it and for everything else."""
        self.tally.frames += 1
        self.tally.cut += frame.is_cut
        try:
            found = self._ip(_network_layer(frame, self.tally.links))
        except (Unreadable, struct.error, IndexError):
            self.tally.others += 1
            return None
        if found is None:
            return None
        try:
            return _transport(frame.at_ns, *found)
        except (Unreadable, struct.error, IndexError):
            self.tally.others += 1
            return None

    def _ip(self, packet: bytes) -> tuple[str, str, int, bytes] | None:
        match packet[0] >> 4:
            case 4:
                return self._v4(packet)
            case 6:
                return self._v6(packet)
            case _:
                raise Unreadable

    def _v4(self, packet: bytes) -> tuple[str, str, int, bytes] | None:
        header = (packet[0] & 0x0F) * 4
        (length, identification, fragment) = struct.unpack_from("!HHH", packet, 2)
        source, destination = packet[12:16], packet[16:20]
        if header < 20 or len(packet) < header:
            raise Unreadable
        body = packet[header : length or None]  # 0: the network card was to fill it in
        protocol = packet[9]
        if fragment & 0x3FFF:
            key = (source, destination, protocol, identification)
            whole = self._join(key, (fragment & 0x1FFF) * 8, bool(fragment & 0x2000), body)
            if whole is None:
                return None
            body = whole
        return _host(source), _host(destination), protocol, body

    def _v6(self, packet: bytes) -> tuple[str, str, int, bytes] | None:
        length, protocol = struct.unpack_from("!HB", packet, 4)
        source, destination = packet[8:24], packet[24:40]
        if len(packet) < 40:
            raise Unreadable
        body = packet[40 : 40 + length] if length else packet[40:]
        while True:
            if protocol in EXTENSION_HEADERS:
                protocol, body = body[0], body[8 + body[1] * 8 :]
            elif protocol == AUTHENTICATION_HEADER:
                protocol, body = body[0], body[8 + body[1] * 4 :]
            elif protocol == FRAGMENT_HEADER:
                following, place, identification = struct.unpack_from("!BxHI", body)
                key = (source, destination, following, identification)
                whole = self._join(key, place & 0xFFF8, bool(place & 1), body[8:])
                if whole is None:
                    return None
                protocol, body = following, whole
            else:
                return _host(source), _host(destination), protocol, body

    def _join(self, key: _Key, offset: int, has_more: bool, part: bytes) -> bytes | None:
        pieces = self._pending.setdefault(key, _Pieces())
        if offset + len(part) > LONGEST_PACKET_BYTES:
            raise Unreadable
        pieces.parts.setdefault(offset, part)
        if not has_more:
            pieces.end = offset + len(part)
        whole = pieces.whole()
        if whole is not None:
            del self._pending[key]
        while len(self._pending) > MOST_PENDING:
            self._pending.popitem(last=False)
            self._given_up += 1
        return whole


def _network_layer(frame: Frame, unknown: set[int]) -> bytes:
    """The IP packet in a frame. Raises Unreadable."""
    data = frame.data
    match frame.link:
        case 1:  # Ethernet
            return _ethernet(data, 12)
        case 0 | 108:  # loopback: BSD's address family, in the byte order of whoever captured
            return data[4:]
        case 12 | 14 | 101 | 228 | 229:  # raw IP
            return data
        case 113:  # Linux "any", 16 bytes
            return _ethernet(data, 14)
        case 276:  # Linux "any", newer, 20 bytes: the protocol comes first
            return _checked(data[0:2], data[20:])
        case link:
            unknown.add(link)
            raise Unreadable


def _ethernet(data: bytes, at: int) -> bytes:
    """What follows the type field at `at`, tags of virtual LANs passed over."""
    while struct.unpack_from("!H", data, at)[0] in _VLAN:
        at += 4
    return _checked(data[at : at + 2], data[at + 2 :])


def _checked(kind: bytes, packet: bytes) -> bytes:
    if int.from_bytes(kind, "big") not in _IP:
        raise Unreadable
    return packet


def _transport(
    at_ns: int, source: str, destination: str, protocol: int, body: bytes
) -> Datagram | Segment:
    if protocol not in (TCP, UDP):
        raise Unreadable
    sport, dport = struct.unpack_from("!HH", body)
    ends = (source, sport), (destination, dport)
    if protocol == UDP:
        (length,) = struct.unpack_from("!H", body, 4)
        return Datagram(at_ns, *ends, body[8 : length if length >= 8 else None])
    (sequence,) = struct.unpack_from("!I", body, 4)
    header, flags = (body[12] >> 4) * 4, body[13]
    is_start = bool(flags & 2)
    return Segment(at_ns, *ends, body[header:], (sequence + is_start) % (1 << 32), is_start)


@functools.lru_cache(maxsize=4096)
def _host(packed: bytes) -> str:
    return str(ipaddress.ip_address(packed))
