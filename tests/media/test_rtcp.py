"""RTCP on the wire: what is taken from it, and what is never stumbled over."""

import struct

from aiortp import RtcpPacket
from aiortp.packet import RtcpReceiverInfo, RtcpSenderInfo
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.media.rtcp import (
    GoodbyeReceived,
    ReportReceived,
    goodbye,
    middle,
    ntp_timestamp,
    parse_compound,
    receiver_report,
    sender_report,
)

INFO = RtcpSenderInfo(ntp_timestamp=7 << 32, rtp_timestamp=9, packet_count=10, octet_count=1600)
BLOCK = RtcpReceiverInfo(
    ssrc=5, fraction_lost=12, packets_lost=-3, highest_sequence=70_000, jitter=80, lsr=1, dlsr=2
)
NAMES = bytes.fromhex("81ca0003 00000005 0104 61626364 0000")
APP = bytes.fromhex("80cc0002 00000005 74657374")


def packet(kind, count, body):
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def test_what_we_write_the_library_reads():
    report, names, bye = RtcpPacket.parse(
        sender_report(6, INFO, [BLOCK], name=b"six@here") + goodbye(6)
    )
    assert (report.ssrc, report.sender_info, report.reports) == (6, INFO, [BLOCK])
    assert names.chunks[0].items == [(1, b"six@here")]
    assert bye.sources == [6]
    report, names = RtcpPacket.parse(receiver_report(6, [BLOCK], name=b"six@here"))
    assert (report.ssrc, report.reports) == (6, [BLOCK])


def test_a_compound_is_read_in_order():
    datagram = sender_report(6, INFO, [BLOCK], name=b"six") + APP + goodbye(6)
    assert parse_compound(datagram) == [
        ReportReceived(6, INFO, (BLOCK,)),
        GoodbyeReceived((6,)),
    ]
    assert parse_compound(receiver_report(6, [], name=b"six")) == [ReportReceived(6, None, ())]


def test_names_app_feedback_and_unknown_packets_are_passed_over():
    unknown = packet(223, 31, bytes(8))
    feedback = packet(205, 1, bytes(12))
    assert parse_compound(NAMES + APP + unknown + feedback + goodbye(6)) == [GoodbyeReceived((6,))]


def test_a_report_with_an_extension_is_read():
    """RFC 3550 section 6.4.3."""
    body = struct.pack("!L", 6) + bytes(INFO) + bytes(BLOCK) + b"extension..."
    assert parse_compound(packet(200, 1, body)) == [ReportReceived(6, INFO, (BLOCK,))]


def test_padding_at_the_end_does_no_harm():
    body = struct.pack("!L", 6) + bytes(BLOCK) + bytes([0, 0, 0, 4])
    padded = bytearray(packet(201, 1, body))
    padded[0] |= 0x20
    assert parse_compound(bytes(padded)) == [ReportReceived(6, None, (BLOCK,))]


def test_what_is_cut_short_is_lost_and_what_came_before_is_not():
    whole = receiver_report(6, [BLOCK], name=b"six")
    for end in range(len(whole)):
        found = parse_compound(whole[:end])
        assert found in (None, [], [ReportReceived(6, None, (BLOCK,))])
        assert (found is None) == (end < 4)


def test_a_count_beyond_the_body_is_no_report():
    assert parse_compound(packet(201, 2, struct.pack("!L", 6) + bytes(BLOCK))) == []
    assert parse_compound(packet(203, 2, bytes(4))) == []


def test_sound_is_no_rtcp():
    assert parse_compound(b"\x80\x00" + bytes(170)) is None
    assert parse_compound(b"") is None


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_no_datagram_raises(datagram):
    parse_compound(datagram)
    parse_compound(b"\x81\xc8" + datagram)
    parse_compound(sender_report(6, INFO, [BLOCK], name=b"six") + datagram)


def test_ntp_time_has_its_middle():
    timestamp = ntp_timestamp(1.5)
    assert timestamp == ((2_208_988_800 + 1) << 32) + (1 << 31)
    assert middle(timestamp) == ((2_208_988_801 & 0xFFFF) << 16) + (1 << 15)
