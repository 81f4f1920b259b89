"""A capture file, looked at as a whole: calls with their streams, and what else was in it.

Capture -> Network -> Datagram -> Signalling (SIP) -> SipCall
                   -> Segment  -> Connections   -'
                   -> Datagram -> RtpTraffic    -> Stream
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from softagent.capture.network import Datagram, Network
from softagent.capture.observe import Address
from softagent.capture.pcap import Capture
from softagent.errors import CaptureUnreadable
from softagent.trace.connection import FIRST_LINE, Connections
from softagent.trace.described import EVENT, NOISE, STATIC, DescribedMedia
from softagent.trace.figures import Figures, figures
from softagent.trace.reception import Reception, receptions
from softagent.trace.rtp import Event, Packets, RtpTraffic
from softagent.trace.signalling import ENDED, UP, Signalling, SipCall

HEARING = ("sendrecv", "recvonly")
"""What a side says that wants to hear the other one."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One sender's packets on one way."""

    source: Address
    destination: Address
    ssrc: int
    started_ns: int
    codec: str
    """Of its sound, as SDP says, or the static payload types; several with "+"."""
    clock_hz: int
    is_encrypted: bool
    figures: Figures
    noise_packets: int
    events: tuple[Event, ...]
    reception: Reception | None
    """What the receiver reported by RTCP."""
    is_changed_source: bool
    """Another SSRC took over on the same way."""


@dataclass(slots=True)
class TracedCall:
    """A call's messages and the streams that belong to it."""

    sip: SipCall
    streams: list[Stream] = field(default_factory=list)

    @property
    def unheard(self) -> list[Address]:
        """Where a side of an answered call wanted sound, by its last SDP, and none was sent."""
        if self.sip.outcome not in (UP, ENDED):
            return []
        wanted = {
            event.source: media
            for event in self.sip.events
            for media in event.media
            if media.kind == "audio"
        }
        reached = {stream.destination for stream in self.streams}
        return [
            media.address
            for media in wanted.values()
            if media.port and media.direction in HEARING and media.address not in reached
        ]


@dataclass(slots=True)
class Analysis:
    """Everything that was found."""

    path: Path
    started_ns: int
    ended_ns: int
    packets: int
    calls: list[TracedCall]
    others: list[SipCall]
    """Registrations and whatever else has to do with no INVITE."""
    streams: list[Stream]
    """Those that no call's SDP announced."""
    notes: list[str]
    """What may be missing, a sentence each."""


def analyse(path: Path) -> Analysis:
    """Read a capture file. Raises CaptureMissing and CaptureUnreadable."""
    capture, network = Capture(path), Network()
    signalling, traffic, connections = Signalling(), RtpTraffic(), Connections()
    started_ns = ended_ns = 0
    for frame in capture:
        ended_ns = max(ended_ns, frame.at_ns)
        started_ns = min(started_ns or frame.at_ns, frame.at_ns)
        packet = network.receive(frame)
        if packet is None:
            continue
        if not isinstance(packet, Datagram):
            for message in connections.receive(packet):
                signalling.receive(packet.at_ns, packet.source, packet.destination, message)
        elif FIRST_LINE.match(packet.payload.lstrip(b"\r\n")[:2048]):
            signalling.receive(packet.at_ns, packet.source, packet.destination, packet.payload)
        elif packet.payload.strip(b"\r\n\0"):
            traffic.receive(packet)
    calls = [TracedCall(call) for call in signalling.calls.values() if call.is_call]
    result = Analysis(
        path=path,
        started_ns=started_ns,
        ended_ns=ended_ns,
        packets=network.tally.frames,
        calls=calls,
        others=[call for call in signalling.calls.values() if not call.is_call],
        streams=[],
        notes=[],
    )
    _match(result, traffic)
    result.notes = list(_notes(capture, network, connections, traffic))
    if network.tally.links and network.tally.others == network.tally.frames:
        kinds = ", ".join(map(str, sorted(network.tally.links)))
        raise CaptureUnreadable(
            f"{path}: its link type ({kinds}) can't be read: capture on Ethernet, loopback or any"
        )
    return result


def _match(result: Analysis, traffic: RtpTraffic) -> None:
    """Give each stream to the call whose SDP announced it."""
    homes: dict[Address, tuple[TracedCall, dict[int, tuple[str, int]], bool]] = {}
    for call in result.calls:
        for media in _all_media(call.sip):
            known = homes.get(media.address)
            formats = {**known[1], **media.formats} if known and known[0] is call else media.formats
            homes[media.address] = (call, formats, media.is_encrypted or _agreed_on_keys(call.sip))
    reported, _ = receptions(traffic.reports)
    last_on_way: dict[tuple[Address, Address], int] = {}
    ordered = sorted(traffic.streams.values(), key=lambda packets: packets.at_ns[0])
    for packets in ordered:
        home = homes.get(packets.destination) or homes.get(packets.source)
        if home is None and not packets.looks_like_rtp:
            traffic.others += len(packets.at_ns)
            continue
        way = packets.source, packets.destination
        stream = _stream(
            packets,
            home[1] if home else {},
            is_encrypted=bool(home and home[2]),
            reception=reported.get(packets.ssrc),
            is_changed_source=way in last_on_way,
        )
        last_on_way[way] = packets.ssrc
        (home[0].streams if home else result.streams).append(stream)


def _agreed_on_keys(call: SipCall) -> bool:
    """Whether both sides sent keys for plain RTP/AVP, and so encrypt after all."""
    return all(media.has_keys for media in _all_media(call))


def _all_media(call: SipCall) -> Iterator[DescribedMedia]:
    for event in call.events:
        yield from (media for media in event.media if media.port and media.kind == "audio")


def _stream(
    packets: Packets,
    formats: dict[int, tuple[str, int]],
    *,
    is_encrypted: bool,
    reception: Reception | None,
    is_changed_source: bool,
) -> Stream:
    known = {**STATIC, **formats}
    used = dict.fromkeys(packets.payload_type)
    events = frozenset(number for number in used if known.get(number, ("", 0))[0] == EVENT)
    if not formats:  # no SDP: what looks like keys most probably is
        events = frozenset(number for number, _ in packets.small if number >= 96)
    noise = frozenset(number for number in used if known.get(number, ("", 0))[0] == NOISE)
    sound = [number for number in used if number not in events | noise]
    names = [known.get(number, (f"type {number}", 8000)) for number in sound]
    clock_hz = names[0][1] if names else 8000
    return Stream(
        source=packets.source,
        destination=packets.destination,
        ssrc=packets.ssrc,
        started_ns=packets.at_ns[0],
        codec="+".join(dict.fromkeys(name for name, _ in names)) or "no sound",
        clock_hz=clock_hz,
        is_encrypted=is_encrypted,
        figures=figures(packets, clock_hz, beside=events | noise),
        noise_packets=sum(number in noise for number in packets.payload_type),
        events=() if is_encrypted else tuple(packets.events(events)),
        reception=None if is_encrypted else reception,
        is_changed_source=is_changed_source,
    )


def _notes(
    capture: Capture, network: Network, connections: Connections, traffic: RtpTraffic
) -> Iterator[str]:
    if capture.is_broken_off:
        yield "the file is damaged or breaks off: shown is what comes before that"
    if network.tally.cut:
        yield f"{network.tally.cut} packets were captured only in part: capture with tcpdump -s 0"
    if network.incomplete:
        yield f"{network.incomplete} packets whose fragments are not all here"
    if connections.encrypted:
        yield f"{connections.encrypted} packets of TLS, which can't be read; softagent's own trace has them in clear"
    if network.tally.others:
        yield f"{network.tally.others} packets of other protocols left out"
    if traffic.others:
        yield f"{traffic.others} UDP packets that are neither SIP nor RTP left out"
