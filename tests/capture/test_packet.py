"""IP packets made up around a datagram: what an IP stack would make of them."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.capture.packet import LONGEST_PAYLOAD_BYTES, checksum, ip_packet

HOSTS = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)),
    st.tuples(st.ip_addresses(v=6), st.ip_addresses(v=6)),
)
PORTS = st.integers(0, 65535)


def ones_complement_sum(data: bytes) -> int:
    """The sum of RFC 1071, word by word."""
    total = 0
    padded = data + b"\0" * (len(data) % 2)
    for (word,) in struct.iter_unpack("!H", padded):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_the_checksum_makes_the_sum_of_all_words_minus_zero(data: bytes) -> None:
    """What a receiver adds up over data and checksum is 0xFFFF (RFC 1071)."""
    even = data + b"\0" * (len(data) % 2)
    assert ones_complement_sum(even + struct.pack("!H", checksum(data))) == 0xFFFF


def test_the_checksum_of_the_rfc() -> None:
    """The example of RFC 1071 section 3: the sum is ddf2."""
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2


@settings(deadline=None)
@given(st.binary(max_size=200), HOSTS, PORTS, PORTS)
def test_a_receiver_would_take_the_packet(payload: bytes, hosts, sport: int, dport: int) -> None:
    """Lengths, addresses, ports and both checksums are right, in IPv4 and IPv6."""
    source, destination = hosts
    packet = ip_packet(payload, (str(source), sport), (str(destination), dport))
    mapped = getattr(source, "ipv4_mapped", None) or getattr(destination, "ipv4_mapped", None)
    if source.version == 4 or packet[0] >> 4 == 4:
        assert packet[0] == 0x45
        assert struct.unpack_from("!H", packet, 2) == (len(packet),)
        assert ones_complement_sum(packet[:20]) == 0xFFFF
        addresses, udp = packet[12:20], packet[20:]
    else:
        assert packet[0] >> 4 == 6
        assert struct.unpack_from("!H", packet, 4) == (len(packet) - 40,)
        addresses, udp = packet[8:40], packet[40:]
    if mapped is None:
        assert addresses == source.packed + destination.packed
    assert struct.unpack_from("!HHH", udp) == (sport, dport, len(udp))
    assert udp[8:] == payload
    pseudo = addresses + struct.pack("!IHBB", len(udp), 0, 0, 17)
    assert ones_complement_sum(pseudo + udp) == 0xFFFF


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [
        ("::ffff:10.0.0.1", "10.0.0.2", (4, "10.0.0.1", "10.0.0.2")),
        ("0.0.0.0", "fd00::2", (6, "::", "fd00::2")),
        ("fe80::1%eth0", "fe80::2", (6, "fe80::1", "fe80::2")),
        ("pbx.example", "10.0.0.2", (4, "0.0.0.0", "10.0.0.2")),
        ("10.0.0.1", "fd00::2", (6, "::ffff:10.0.0.1", "fd00::2")),
    ],
)
def test_addresses_of_all_kinds(source: str, destination: str, expected: object) -> None:
    """Mapped, unspecified, with a zone, no address at all, of two families."""
    packet = ip_packet(b"x", (source, 1), (destination, 2))
    version = packet[0] >> 4
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    fields = (packet[8:24], packet[24:40]) if version == 6 else (packet[12:16], packet[16:20])
    assert (version, *(socket.inet_ntop(family, field) for field in fields)) == expected


def test_a_longer_message_is_cut() -> None:
    """A message of TCP may be longer than UDP can carry."""
    packet = ip_packet(b"x" * 70000, ("10.0.0.1", 1), ("10.0.0.2", 2))
    assert len(packet) == 28 + LONGEST_PAYLOAD_BYTES
    assert struct.unpack_from("!H", packet, 2) == (65535,)
