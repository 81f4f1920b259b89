"""RTP packets sorted into streams, one for each sender's SSRC and way, with RTCP beside them. Pure."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from aiortp import RtpPacket, is_rtcp
from aiortp.dtmf import DtmfEvent

from softagent.capture.network import Datagram
from softagent.capture.observe import Address

SHORTEST_STREAM = 10
"""Packets of something that no SDP announced, before it counts as RTP."""
NEIGHBOURS_SHARE = 0.8
"""And how many of them must follow the one before by sequence number."""
MOST_STREAMS = 4096
MOST_EVENTS = 10_000

Key = tuple[Address, Address, int]


@dataclass(slots=True)
class Event:
    """A key that was pressed, as its packets tell (RFC 4733)."""

    digit: str
    at_ns: int
    duration: int
    """In units of the RTP clock."""
    is_ended: bool = False


@dataclass(slots=True)
class Packets:
    """One stream: the columns have an entry a packet, in the order of arrival."""

    source: Address
    destination: Address
    ssrc: int
    at_ns: array[int] = field(default_factory=lambda: array("q"))
    sequence: array[int] = field(default_factory=lambda: array("H"))
    timestamp: array[int] = field(default_factory=lambda: array("I"))
    payload_type: array[int] = field(default_factory=lambda: array("B"))
    marker: array[int] = field(default_factory=lambda: array("B"))
    small: dict[tuple[int, int], list[tuple[int, bytes]]] = field(default_factory=dict)
    """First bytes of packets that may be telephone-events, by payload type and timestamp."""

    def add(self, packet: RtpPacket, at_ns: int) -> None:
        self.at_ns.append(at_ns)
        self.sequence.append(packet.sequence_number)
        self.timestamp.append(packet.timestamp)
        self.payload_type.append(packet.payload_type)
        self.marker.append(packet.marker)
        if packet.payload_type >= 96 and len(packet.payload) == 4 and len(self.small) < MOST_EVENTS:
            key = packet.payload_type, packet.timestamp
            self.small.setdefault(key, []).append((at_ns, packet.payload))

    def events(self, payload_types: frozenset[int]) -> list[Event]:
        """The keys pressed in packets of these types, in order."""
        found: list[Event] = []
        for (payload_type, _), parts in sorted(self.small.items(), key=lambda item: item[1][0][0]):
            if payload_type in payload_types:
                told = [DtmfEvent.parse(part) for _, part in parts]
                duration = max(one.duration for one in told)
                is_ended = any(one.end for one in told)
                found.append(Event(told[0].digit, parts[0][0], duration, is_ended))
        return found

    @property
    def looks_like_rtp(self) -> bool:
        """Whether it would be one even if no SDP said so."""
        count = len(self.sequence)
        if count < SHORTEST_STREAM:
            return False
        pairs = zip(self.sequence, self.sequence[1:], strict=False)
        near = sum(1 <= (after - before) % 65536 <= 3 for before, after in pairs)
        return near >= NEIGHBOURS_SHARE * (count - 1)


@dataclass(frozen=True, slots=True)
class Report:
    """A datagram of RTCP."""

    at_ns: int
    source: Address
    destination: Address
    data: bytes


class RtpTraffic:
    """Takes the datagrams that are no SIP."""

    def __init__(self) -> None:
        self.streams: dict[Key, Packets] = {}
        self.reports: list[Report] = []
        self.others = 0
        """Datagrams that are neither RTP nor RTCP."""

    def receive(self, datagram: Datagram) -> None:
        """Take one datagram."""
        data = datagram.payload
        if len(data) >= 8 and data[0] >> 6 == 2 and is_rtcp(data):
            self.reports.append(Report(datagram.at_ns, datagram.source, datagram.destination, data))
            return
        try:
            packet = RtpPacket.parse(data)
        except ValueError:
            self.others += 1
            return
        key = datagram.source, datagram.destination, packet.ssrc
        stream = self.streams.get(key)
        if stream is None:
            if len(self.streams) >= MOST_STREAMS:
                self.others += 1
                return
            stream = self.streams[key] = Packets(*key)
        stream.add(packet, datagram.at_ns)
