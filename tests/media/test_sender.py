"""What we send: numbers that go up and wrap, marks where speech begins, reports that parse."""

from aiortp import RtpPacket

from softagent.media.sender import RtpSender

PAYLOAD = bytes(160)


def test_numbers_go_up_by_one_and_by_a_frame():
    sender = RtpSender(payload_type=8, sequence_number=7, timestamp=100, ssrc=42)
    packets = [RtpPacket.parse(sender.packet(PAYLOAD, duration=160)) for _ in range(3)]
    assert [p.sequence_number for p in packets] == [7, 8, 9]
    assert [p.timestamp for p in packets] == [100, 260, 420]
    assert {(p.ssrc, p.payload_type, p.payload) for p in packets} == {(42, 8, PAYLOAD)}


def test_numbers_wrap():
    sender = RtpSender(payload_type=0, sequence_number=65535, timestamp=2**32 - 160)
    packets = [RtpPacket.parse(sender.packet(PAYLOAD, duration=160)) for _ in range(2)]
    assert [(p.sequence_number, p.timestamp) for p in packets] == [(65535, 2**32 - 160), (0, 0)]
    assert [len(p.payload) for p in packets] == [160, 160]


def test_the_first_packet_and_each_talkspurt_are_marked():
    sender = RtpSender(payload_type=0)
    marks = [
        RtpPacket.parse(sender.packet(PAYLOAD, duration=160, talkspurt=talkspurt)).marker
        for talkspurt in (False, False, True, False)
    ]
    assert marks == [1, 0, 1, 0]


def test_skipped_time_moves_the_timestamp_only():
    sender = RtpSender(payload_type=0, sequence_number=1, timestamp=0)
    sender.packet(PAYLOAD, duration=160)
    sender.skip(8000)
    packet = RtpPacket.parse(sender.packet(PAYLOAD, duration=160))
    assert (packet.sequence_number, packet.timestamp) == (2, 8160)


def test_numbers_start_at_random():
    starts = {RtpSender(payload_type=0).packet(b"", duration=0)[2:12] for _ in range(5)}
    assert len(starts) == 5


def test_its_report_says_how_much_was_sent_and_when():
    sender = RtpSender(payload_type=0, timestamp=1000, ssrc=5)
    sender.packet(PAYLOAD, duration=160)
    info = sender.info(0.5)
    assert (info.packet_count, info.octet_count, info.rtp_timestamp) == (1, 160, 1160)
    assert info.ntp_timestamp == (2_208_988_800 << 32) + (1 << 31)


def test_the_first_wrap_is_far_from_the_start():
    """RFC 4568 section 6.4: else SRTP loses count when the first packets are lost."""
    for _ in range(200):
        packet = RtpPacket.parse(RtpSender(payload_type=0).packet(b"", duration=0))
        assert packet.sequence_number < 1 << 15


def test_a_renewed_sender_is_another_source_whose_sound_goes_on():
    sender = RtpSender(payload_type=0, sequence_number=65535, timestamp=1000, ssrc=5)
    assert not sender.has_wrapped
    sender.packet(PAYLOAD, duration=160)
    assert sender.has_wrapped
    sender.renew()
    first = RtpPacket.parse(sender.packet(PAYLOAD, duration=160))
    second = RtpPacket.parse(sender.packet(PAYLOAD, duration=160))
    assert not sender.has_wrapped
    assert first.ssrc == second.ssrc == sender.ssrc != 5
    assert first.sequence_number < 1 << 15
    assert second.sequence_number == first.sequence_number + 1
    assert (first.timestamp, second.timestamp, sender.packets) == (1160, 1320, 3)
    info = sender.info(0.5)
    assert (info.packet_count, info.octet_count) == (2, 320), "RFC 3550 section 6.4.1"


def test_half_an_hour_goes_right_through_the_wraps():
    """90,000 packets: each follows the one before in number and time."""
    sender = RtpSender(payload_type=0, sequence_number=30_000, timestamp=2**32 - 160 * 45_000)
    before = RtpPacket.parse(sender.packet(b"", duration=160))
    for _ in range(90_000 - 1):
        packet = RtpPacket.parse(sender.packet(b"", duration=160))
        assert (packet.sequence_number - before.sequence_number) % 65536 == 1
        assert (packet.timestamp - before.timestamp) % 2**32 == 160
        before = packet
    assert (sender.packets, sender.has_wrapped) == (90_000, True)
