"""What receivers report, from RTCP as it is on the wire."""

from __future__ import annotations

import pytest
from aiortp.packet import RtcpReceiverInfo, RtcpRrPacket, RtcpSenderInfo, RtcpSrPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.trace.reception import receptions
from softagent.trace.rtp import Report

A, B = ("10.0.0.1", 4001), ("10.0.0.2", 5001)
NTP = 0x0123_4567_89AB_CDEF
SECOND = 1_000_000_000


def block(*, lsr: int = 0, dlsr: int = 0, lost: int = 3, fraction: int = 26) -> RtcpReceiverInfo:
    return RtcpReceiverInfo(
        ssrc=7,
        fraction_lost=fraction,
        packets_lost=lost,
        highest_sequence=9,
        jitter=40,
        lsr=lsr,
        dlsr=dlsr,
    )


def sender_report(at_ns: int) -> Report:
    info = RtcpSenderInfo(ntp_timestamp=NTP, rtp_timestamp=0, packet_count=1, octet_count=160)
    return Report(at_ns, A, B, bytes(RtcpSrPacket(ssrc=7, sender_info=info)))


def receiver_report(at_ns: int, info: RtcpReceiverInfo) -> Report:
    return Report(at_ns, B, A, bytes(RtcpRrPacket(ssrc=8, reports=[info])))


def test_the_round_trip_is_from_report_to_report() -> None:
    """Without the time that the receiver kept it (RFC 3550 section 6.4.1)."""
    answer = block(lsr=NTP >> 16 & 0xFFFFFFFF, dlsr=65536 // 2)
    found, unread = receptions([sender_report(SECOND), receiver_report(SECOND * 2, answer)])
    assert unread == 0
    assert found[7].round_trips_ms == [pytest.approx(500)]


def test_an_extension_behind_a_report_hides_nothing() -> None:
    """Of the sender's profile (RFC 3550 section 6.4.1)."""
    extended = bytearray(bytes(RtcpRrPacket(ssrc=8, reports=[block(lost=10)])) + b"more")
    extended[2:4] = (len(extended) // 4 - 1).to_bytes(2)
    found, unread = receptions([Report(SECOND, B, A, bytes(extended))])
    assert (unread, found[7].lost) == (0, 10)


def test_the_last_loss_and_the_worst_share_count() -> None:
    """Loss is a running total; the share is of the time between two reports."""
    reports = [
        receiver_report(SECOND, block(lost=10, fraction=128)),
        receiver_report(2 * SECOND, block(lost=12, fraction=5)),
    ]
    found, _ = receptions(reports)
    about = found[7]
    assert (about.reports, about.lost, about.jitter) == (2, 12, 40)
    assert about.max_lost_pct == pytest.approx(50)
    assert about.round_trips_ms == []


@pytest.mark.parametrize(("lsr", "dlsr"), [(1, 0), (NTP >> 16 & 0xFFFFFFFF, 65536 * 100)])
def test_an_impossible_round_trip_is_left_out(lsr: int, dlsr: int) -> None:
    """An answer to a report that nobody saw, or one that took less than no time."""
    found, _ = receptions(
        [sender_report(SECOND), receiver_report(2 * SECOND, block(lsr=lsr, dlsr=dlsr))]
    )
    assert found[7].round_trips_ms == []


@settings(deadline=None)
@given(st.lists(st.binary(max_size=80)))
def test_any_rtcp_is_survived(datagrams: list[bytes]) -> None:
    """SRTCP, cut off, or none at all."""
    receptions(Report(0, A, B, data) for data in datagrams)
