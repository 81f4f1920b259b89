"""What receivers reported about the streams, read from RTCP (RFC 3550 section 6.4). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from aiortp.packet import RtcpReceiverInfo

from softagent.media.rtcp import ReportReceived, middle, parse_compound
from softagent.trace.rtp import Report

LONGEST_ROUND_TRIP_SECONDS = 60.0


@dataclass(slots=True)
class Reception:
    """All reports about one SSRC."""

    reports: int = 0
    lost: int = 0
    """Packets, as the last report has it."""
    max_lost_pct: float = 0.0
    """The worst share between two reports."""
    jitter: int = 0
    """In units of the RTP clock, as the last report has it."""
    round_trips_ms: list[float] = field(default_factory=list)
    """From where the capture was made to the receiver and back."""


def receptions(reports: Iterable[Report]) -> tuple[dict[int, Reception], int]:
    """What was reported, by SSRC, and how many datagrams could not be read (SRTCP can't)."""
    found: dict[int, Reception] = {}
    sent: dict[tuple[int, int], int] = {}
    unread = 0
    for report in reports:
        packets = parse_compound(report.data)
        if packets is None:
            unread += 1
            continue
        for packet in packets:
            if not isinstance(packet, ReportReceived):
                continue
            if packet.sender is not None:
                sent[packet.ssrc, middle(packet.sender.ntp_timestamp)] = report.at_ns
            for block in packet.blocks:
                _count(found.setdefault(block.ssrc, Reception()), block, report.at_ns, sent)
    return found, unread


def _count(
    about: Reception, block: RtcpReceiverInfo, at_ns: int, sent: dict[tuple[int, int], int]
) -> None:
    about.reports += 1
    about.lost = block.packets_lost
    about.max_lost_pct = max(about.max_lost_pct, 100 * block.fraction_lost / 256)
    about.jitter = block.jitter
    sent_ns = sent.get((block.ssrc, block.lsr))
    if block.lsr and sent_ns is not None:
        seconds = (at_ns - sent_ns) / 1e9 - block.dlsr / 65536
        if 0 <= seconds < LONGEST_ROUND_TRIP_SECONDS:
            about.round_trips_ms.append(seconds * 1000)
