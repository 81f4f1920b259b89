"""From frames to datagrams: link layers, IP of both versions, fragments, and rubbish."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.capture.network import MOST_PENDING, Datagram, Network, Segment
from softagent.capture.packet import ip_packet
from softagent.capture.pcap import Frame

V4 = ip_packet(b"hello", ("10.0.0.1", 5060), ("10.0.0.2", 5061))
V6 = ip_packet(b"hello", ("fd00::1", 5060), ("fd00::2", 5061))
EXPECTED = {
    4: Datagram(7, ("10.0.0.1", 5060), ("10.0.0.2", 5061), b"hello"),
    6: Datagram(7, ("fd00::1", 5060), ("fd00::2", 5061), b"hello"),
}
TYPES = {4: b"\x08\0", 6: b"\x86\xdd"}


def framed(link: str, version: int) -> Frame:
    """The packet of that IP version in a frame of that kind."""
    packet, kind = {4: V4, 6: V6}[version], TYPES[version]
    family = {4: 2, 6: 30}[version]
    return {
        "ethernet": Frame(7, 1, bytes(12) + kind + packet),
        "ethernet, padded": Frame(7, 1, bytes(12) + kind + packet + bytes(9)),
        "vlan": Frame(7, 1, bytes(12) + b"\x81\0\0\x05" + kind + packet),
        "vlan in vlan": Frame(7, 1, bytes(12) + b"\x88\xa8\0\x05\x81\0\0\x06" + kind + packet),
        "null": Frame(7, 0, struct.pack("<I", family) + packet),
        "loop": Frame(7, 108, struct.pack(">I", family) + packet),
        "raw": Frame(7, 101, packet),
        "raw of a version": Frame(7, {4: 228, 6: 229}[version], packet),
        "cooked": Frame(7, 113, bytes(14) + kind + packet),
        "cooked 2": Frame(7, 276, kind + bytes(18) + packet),
    }[link]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(
    "link",
    [
        *("ethernet", "ethernet, padded", "vlan", "vlan in vlan", "null", "loop"),
        *("raw", "raw of a version", "cooked", "cooked 2"),
    ],
)
def test_every_link_layer(link: str, version: int) -> None:
    """Whatever tcpdump, tshark and we ourselves write."""
    assert Network().receive(framed(link, version)) == EXPECTED[version]


def v4_fragments(packet: bytes, size: int) -> list[bytes]:
    """An IPv4 packet in pieces of `size` bytes, a multiple of 8."""
    header, body = packet[:20], packet[20:]
    found = []
    for offset in range(0, len(body), size):
        part = body[offset : offset + size]
        more = 0x2000 if offset + size < len(body) else 0
        head = bytearray(header)
        struct.pack_into("!HHH", head, 2, 20 + len(part), 77, more | offset // 8)
        found.append(bytes(head) + part)
    return found


def v6_fragments(packet: bytes, size: int) -> list[bytes]:
    header, body = packet[:40], packet[40:]
    found = []
    for offset in range(0, len(body), size):
        part = body[offset : offset + size]
        extension = struct.pack("!BBHI", 17, 0, offset | (offset + size < len(body)), 77)
        head = bytearray(header)
        struct.pack_into("!HB", head, 4, 8 + len(part), 44)
        found.append(bytes(head) + extension + part)
    return found


@pytest.mark.parametrize("hosts", [("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")])
@settings(deadline=None)
@given(data=st.data(), payload=st.binary(min_size=100, max_size=400))
def test_fragments_are_joined_in_any_order(
    hosts: tuple[str, str], data: st.DataObject, payload: bytes
) -> None:
    """A large INVITE over UDP arrives in pieces, the last one first if need be, some twice."""
    packet = ip_packet(payload, (hosts[0], 1), (hosts[1], 2))
    cut = v4_fragments if ":" not in hosts[0] else v6_fragments
    pieces = cut(packet, 8 * data.draw(st.integers(1, 8)))
    shuffled = data.draw(st.permutations(pieces))
    again = data.draw(st.sampled_from(pieces))
    network = Network()
    found = [network.receive(Frame(7, 101, piece)) for piece in [*shuffled[:-1], again]]
    found.append(network.receive(Frame(7, 101, shuffled[-1])))
    whole = [one for one in found if one is not None]
    assert whole[:1] == [Datagram(7, (hosts[0], 1), (hosts[1], 2), payload)]


def test_missing_fragments_are_counted_and_do_not_pile_up() -> None:
    """Whoever captured lost a piece of each."""
    network = Network()
    for number in range(MOST_PENDING + 10):
        piece = bytearray(v4_fragments(V4 + bytes(64), 16)[0])
        struct.pack_into("!H", piece, 4, number)
        assert network.receive(Frame(7, 101, bytes(piece))) is None
    assert network.incomplete == MOST_PENDING + 10


def test_extension_headers_of_ipv6_are_passed_over() -> None:
    """Hop-by-hop options, then an authentication header."""
    hop = bytes([51, 0, 0, 0, 0, 0, 0, 0])
    authentication = bytes([17, 1]) + bytes(10)
    head = bytearray(V6[:40])
    struct.pack_into("!HB", head, 4, len(V6) - 40 + 20, 0)
    frame = Frame(7, 101, bytes(head) + hop + authentication + V6[40:])
    assert Network().receive(frame) == EXPECTED[6]


def tcp(payload: bytes, sequence: int, flags: int = 0x18) -> bytes:
    """A TCP segment in IPv4, with four bytes of options."""
    head = struct.pack("!HHIIBBHHH", 5060, 40000, sequence, 0, 6 << 4, flags, 0, 0, 0) + bytes(4)
    body = head + payload
    return (
        struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, 6, 0, bytes(4), bytes(4))
        + body
    )


def test_tcp_segments_know_their_place() -> None:
    """A SYN takes a number of its own."""
    network = Network()
    start = network.receive(Frame(7, 101, tcp(b"", 2**32 - 1, flags=2)))
    data = network.receive(Frame(7, 101, tcp(b"abc", 0)))
    assert isinstance(start, Segment)
    assert (start.sequence, start.is_start) == (0, True)
    assert isinstance(data, Segment)
    assert (data.payload, data.sequence, data.is_start) == (b"abc", 0, False)


@pytest.mark.parametrize(
    "frame",
    [
        Frame(7, 1, bytes(12) + b"\x08\x06" + bytes(28)),  # ARP
        Frame(7, 1, bytes(5)),
        Frame(7, 101, b""),
        Frame(7, 101, b"\x45"),
        Frame(7, 101, b"\x70" + bytes(40)),
        Frame(7, 101, V4[:9] + b"\x01" + V4[10:]),  # ICMP
        Frame(7, 101, V4[:24]),
        Frame(7, 147, V4),
    ],
)
def test_everything_else_is_counted(frame: Frame) -> None:
    """Other protocols, cut frames, unknown links."""
    network = Network()
    assert network.receive(frame) is None
    assert network.tally.others == 1
    assert network.tally.links == ({147} if frame.link == 147 else set())


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=80)),
    st.sampled_from([0, 1, 101, 108, 113, 276]),
    st.sampled_from([b"", V4[:20], V6[:40], bytes(12) + b"\x08\0" + V4[:20]]),
)
def test_hostile_frames_are_survived(tails: list[bytes], link: int, head: bytes) -> None:
    """Any bytes, also behind a header that looks right."""
    network = Network()
    for tail in tails:
        network.receive(Frame(0, link, head + tail))
    assert network.tally.frames == len(tails)
