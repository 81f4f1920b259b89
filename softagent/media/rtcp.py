"""RTCP packets on the wire: compounds of them in, reports and goodbyes out (RFC 3550 section 6).

aiortp 0.8.0 gives up a whole compound for one packet that it doesn't like, a sender report
with an extension for one; here each packet stands for itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from aiortp import RtcpByePacket, RtcpRrPacket, RtcpSdesPacket, RtcpSrPacket
from aiortp.packet import RtcpReceiverInfo, RtcpSenderInfo, RtcpSourceInfo

SENDER_REPORT, RECEIVER_REPORT, GOODBYE = 200, 201, 203
HEADER = struct.Struct("!BBH")
SSRC = struct.Struct("!L")
SENDER_INFO_BYTES = 20
BLOCK_BYTES = 24
SDES_CNAME = 1
NTP_EPOCH_SECONDS = 2_208_988_800
"""From 1900, where NTP begins, to 1970 (RFC 868)."""


@dataclass(frozen=True, slots=True)
class ReportReceived:
    """A sender or receiver report."""

    ssrc: int
    """Who reports."""
    sender: RtcpSenderInfo | None
    """What it has sent; None in a receiver report."""
    blocks: tuple[RtcpReceiverInfo, ...]
    """What it has received, a block for each source."""


@dataclass(frozen=True, slots=True)
class GoodbyeReceived:
    """Sources that have left."""

    sources: tuple[int, ...]


def parse_compound(datagram: bytes) -> list[ReportReceived | GoodbyeReceived] | None:
    """The reports and goodbyes of a compound, in order; None when it is no RTCP. Never raises.

    Other packets (names, APP, feedback, unknown ones) are passed over; what follows the
    first that is cut short is lost. A compound that begins with no report is taken, too
    (RFC 5506).
    """
    if len(datagram) < HEADER.size or datagram[0] >> 6 != 2 or not 192 <= datagram[1] <= 223:
        return None
    found: list[ReportReceived | GoodbyeReceived] = []
    for kind, count, body in _packets(datagram):
        if kind in (SENDER_REPORT, RECEIVER_REPORT):
            report = _parse_report(kind, count, body)
            if report is not None:
                found.append(report)
        elif kind == GOODBYE and len(body) >= SSRC.size * count:
            found.append(GoodbyeReceived(struct.unpack_from(f"!{count}L", body)))
    return found


def sender_report(
    ssrc: int, info: RtcpSenderInfo, blocks: list[RtcpReceiverInfo], *, name: bytes
) -> bytes:
    """A compound of a sender report and our name (RFC 3550 section 6.4.1)."""
    report = RtcpSrPacket(ssrc=ssrc, sender_info=info, reports=blocks)
    return bytes(report) + _name(ssrc, name)


def receiver_report(ssrc: int, blocks: list[RtcpReceiverInfo], *, name: bytes) -> bytes:
    """A compound of a receiver report and our name (RFC 3550 section 6.4.2)."""
    return bytes(RtcpRrPacket(ssrc=ssrc, reports=blocks)) + _name(ssrc, name)


def goodbye(ssrc: int) -> bytes:
    """What follows the last report (RFC 3550 section 6.6)."""
    return bytes(RtcpByePacket(sources=[ssrc]))


def ntp_timestamp(unix_seconds: float) -> int:
    """64 bits of seconds since 1900, the lower half of them fractions."""
    return int((unix_seconds + NTP_EPOCH_SECONDS) * (1 << 32)) % (1 << 64)


def middle(timestamp: int) -> int:
    """The middle 32 of an NTP timestamp's 64 bits: units of 1/65536 s, as LSR has them."""
    return (timestamp >> 16) & 0xFFFFFFFF


def _name(ssrc: int, name: bytes) -> bytes:
    return bytes(RtcpSdesPacket(chunks=[RtcpSourceInfo(ssrc, [(SDES_CNAME, name)])]))


def _packets(datagram: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, count and body of each packet, padding included, as far as they are whole."""
    start = 0
    while start + HEADER.size <= len(datagram):
        first, kind, words = HEADER.unpack_from(datagram, start)
        start += HEADER.size
        body = datagram[start : start + 4 * words]
        if first >> 6 != 2 or len(body) < 4 * words:
            return
        yield kind, first & 0x1F, body
        start += 4 * words


def _parse_report(kind: int, count: int, body: bytes) -> ReportReceived | None:
    """A report, without extensions that may follow its blocks; None when it is too short."""
    start = SSRC.size + (SENDER_INFO_BYTES if kind == SENDER_REPORT else 0)
    if len(body) < start + count * BLOCK_BYTES:
        return None
    (ssrc,) = SSRC.unpack_from(body)
    sender = None
    if kind == SENDER_REPORT:
        sender = RtcpSenderInfo.parse(body[SSRC.size : start])
    offsets = range(start, start + count * BLOCK_BYTES, BLOCK_BYTES)
    blocks = tuple(RtcpReceiverInfo.parse(body[at : at + BLOCK_BYTES]) for at in offsets)
    return ReportReceived(ssrc, sender, blocks)
