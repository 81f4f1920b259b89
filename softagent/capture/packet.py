"""A UDP datagram as the IP packet that carried it: made-up headers, right checksums (RFC 768, 791, 8200)."""

from __future__ import annotations

import functools
import ipaddress
import struct

from softagent.capture.observe import Address

UDP = 17
TTL = 64
LONGEST_PAYLOAD_BYTES = 65535 - 20 - 8
"""What fits behind an IPv4 and a UDP header; a longer message (of TCP) is cut."""

_UDP_HEADER = struct.Struct("!HHHH")
_V4_HEADER = struct.Struct("!BBHHHBBH4s4s")
_V6_HEADER = struct.Struct("!IHBB16s16s")

Host = ipaddress.IPv4Address | ipaddress.IPv6Address


def ip_packet(payload: bytes, source: Address, destination: Address) -> bytes:
    """The IPv4 or IPv6 packet with `payload`, without a link layer.

    A host that is no IP address is written as the unspecified one.
    """
    payload = payload[:LONGEST_PAYLOAD_BYTES]
    sender, receiver = _same_family(parse_host(source[0]), parse_host(destination[0]))
    ports = source[1] & 0xFFFF, destination[1] & 0xFFFF
    length = _UDP_HEADER.size + len(payload)
    addresses = sender.packed + receiver.packed
    pseudo = addresses + struct.pack("!HH", UDP, length)
    bare = _UDP_HEADER.pack(*ports, length, 0)
    udp = _UDP_HEADER.pack(*ports, length, checksum(pseudo + bare + payload)) + payload
    if sender.version == 6:
        return _V6_HEADER.pack(6 << 28, length, UDP, TTL, sender.packed, receiver.packed) + udp
    return _v4_header(length, sender.packed, receiver.packed) + udp


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071), never 0, which UDP keeps for "none".

    2^16 is 1 modulo 65535: the one's complement sum of all words is the whole number's remainder.
    """
    padded = data + b"\0" * (len(data) % 2)
    return 0xFFFF - int.from_bytes(padded, "big") % 0xFFFF


@functools.lru_cache(maxsize=1024)
def parse_host(host: str) -> Host:
    """The address, without zone; IPv4 in IPv6's clothes as IPv4; 0.0.0.0 for anything else."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ipaddress.IPv4Address(0)
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address
    return address


def _same_family(one: Host, other: Host) -> tuple[Host, Host]:
    """Both in one family: what is unspecified follows the other, and IPv4 goes into IPv6."""
    if one.version == other.version:
        return one, other
    return _as_v6(one), _as_v6(other)


def _as_v6(host: Host) -> ipaddress.IPv6Address:
    if isinstance(host, ipaddress.IPv6Address):
        return host
    mapped = 0 if host.is_unspecified else (0xFFFF << 32) + int(host)
    return ipaddress.IPv6Address(mapped)


def _v4_header(udp_bytes: int, sender: bytes, receiver: bytes) -> bytes:
    length = _V4_HEADER.size + udp_bytes
    bare = _V4_HEADER.pack(0x45, 0, length, 0, 0, TTL, UDP, 0, sender, receiver)
    return _V4_HEADER.pack(0x45, 0, length, 0, 0, TTL, UDP, checksum(bare), sender, receiver)
