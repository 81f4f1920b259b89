"""What arrives on the port: whom to hear, what to ignore, and that nothing ends a call."""

import struct
from dataclasses import replace

import numpy as np
import pytest
from aiortp import RtpPacket
from hypothesis import given, settings
from hypothesis import strategies as st
from rtp_source import EVENT_TYPE, FRAME, Source

from softagent.media.codec import codec_named
from softagent.media.description import MediaDescription
from softagent.media.receiver import RtpReceiver

AGREED = ("192.0.2.1", 4000)
NAT = ("198.51.100.7", 61000)
STRANGER = ("203.0.113.9", 5)
MEDIA = MediaDescription(
    codec="PCMU",
    payload_type=0,
    remote_host=AGREED[0],
    remote_port=AGREED[1],
    local_host="192.0.2.2",
    local_port=4000,
    event_payload_type=EVENT_TYPE,
    trusted_hosts=frozenset({NAT[0]}),
)


@pytest.fixture
def receiver():
    return make_receiver()


def make_receiver(**changes):
    return RtpReceiver(replace(MEDIA, **changes), rate_hz=8000)


def push(receiver, packet, source=AGREED, arrival_seconds=0.0):
    data = packet if isinstance(packet, bytes) else packet.serialize()
    receiver.push(data, source=source, arrival_seconds=arrival_seconds)


def key(digit=5, *, end=True, sequence_number=900, timestamp=90000, payload_type=EVENT_TYPE):
    return RtpPacket(
        payload_type=payload_type,
        sequence_number=sequence_number,
        timestamp=timestamp,
        ssrc=1,
        payload=struct.pack("!BBH", digit, 0x80 * end, 800),
    )


def test_packets_go_where_sdp_says_until_the_caller_is_heard(receiver):
    assert receiver.peer == AGREED
    push(receiver, Source().packet(), NAT)
    assert receiver.peer == NAT


def test_a_stranger_is_neither_heard_nor_answered_even_before_the_caller(receiver):
    source = Source()
    for packet in source.packets(20):
        push(receiver, packet, STRANGER)
    push(receiver, key(5), STRANGER)
    assert (receiver.peer, receiver.packets, receiver.foreign) == (AGREED, 0, 21)
    assert receiver.pop() == (pytest.approx(np.zeros(FRAME)), "")
    push(receiver, source.packet(), NAT)
    push(receiver, source.packet(), STRANGER)
    assert (receiver.peer, receiver.packets, receiver.foreign) == (NAT, 1, 22)
    assert receiver.reception.lost == 0


def test_the_address_in_sdp_wins_over_a_latched_one(receiver):
    source = Source()
    push(receiver, source.packet(), NAT)
    push(receiver, source.packet(), AGREED)
    push(receiver, source.packet(), NAT)
    assert (receiver.peer, receiver.foreign) == (AGREED, 1)


def test_a_redirected_call_is_heard_from_its_new_address(receiver):
    source = Source()
    push(receiver, source.packet(), AGREED)
    receiver.change(replace(MEDIA, remote_host=STRANGER[0], remote_port=STRANGER[1]))
    assert receiver.peer == STRANGER
    push(receiver, source.packet(), STRANGER)
    assert (receiver.packets, receiver.foreign) == (2, 0)


def test_a_caller_whose_port_changes_is_heard_again_after_a_few_packets(receiver):
    """A NAT that forgot its mapping, or a PBX that failed over at the same host."""
    source, moved = Source(), (AGREED[0], AGREED[1] + 2)
    for packet in source.packets(10):
        push(receiver, packet)
    for packet in source.packets(10):
        push(receiver, packet, moved)
    assert (receiver.peer, receiver.packets, receiver.foreign) == (moved, 16, 4)
    assert receiver.reception.lost == 4


def test_a_new_ssrc_from_the_agreed_address_is_heard_at_once(receiver):
    for packet in Source(ssrc=1).packets(5):
        push(receiver, packet)
    for packet in Source(ssrc=2, sequence_number=9, timestamp=77).packets(3):
        push(receiver, packet)
    assert (receiver.packets, receiver.foreign, receiver.reception.lost) == (8, 0, 0)
    assert receiver.jitter_buffer.counters.resyncs == 1


def test_a_codec_that_changes_is_heard_without_a_gap(receiver):
    """Its first packets overtake the last ones of the codec before."""
    wide, narrow = codec_named("G722"), codec_named("PCMU")
    tone = (8000 * np.sin(2 * np.pi * 500 * np.arange(16000) / 16000)).astype(np.int16)
    source, packets = Source(), []
    for number in range(40):
        piece = tone[number * 320 : (number + 1) * 320]
        is_wide = number >= 20
        packet = source.packet(payload=wide.encode(piece) if is_wide else narrow.encode(piece[::2]))
        packet.payload_type = 9 if is_wide else 0
        packets.append(packet)
    packets[19], packets[20] = packets[20], packets[19]
    frames = []
    for number, packet in enumerate(packets):
        if number == 19:
            receiver.change(replace(MEDIA, codec="G722", payload_type=9))
        push(receiver, packet)
        frames.append(receiver.pop()[0])
    assert receiver.jitter_buffer.counters.concealed <= 1
    assert (receiver.unknown_type, receiver.reception.lost) == (0, 0)
    heard = np.concatenate(frames[2:]).astype(float)
    assert {len(frame) for frame in frames} == {FRAME}
    assert (np.abs(heard.reshape(-1, FRAME)).max(axis=1) > 7000).all()


def test_a_change_back_and_forth_keeps_hearing(receiver):
    wide = replace(MEDIA, codec="G722", payload_type=9)
    source = Source()
    for description in (wide, MEDIA, wide, MEDIA):
        receiver.change(description)
        for _ in range(3):
            packet = source.packet()
            packet.payload_type = description.payload_type
            push(receiver, packet)
            receiver.pop()
    assert (receiver.packets, receiver.unknown_type) == (12, 0)
    assert receiver.jitter_buffer.counters.concealed == 0


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x80",
        b"\x80\x00\x00\x01\x00",
        bytes(11),
        b"\x00" + bytes(171),
        b"\x40" + bytes(171),
        b"\x8f" + bytes(20),
        b"\x90" + bytes(12),
        b"\xa0" + bytes(11) + bytes(159) + b"\xff",
        b"\x80\xc8\x00\x06" + bytes(24),
        b"\x80\xc9\x00\x01" + bytes(4),
    ],
    ids=["empty", "1", "5", "11", "v0", "v1", "csrc", "extension", "padding", "SR", "RR"],
)
def test_what_is_no_rtp_is_counted_and_moves_nothing(receiver, datagram):
    push(receiver, datagram, NAT)
    assert (receiver.malformed, receiver.packets, receiver.peer) == (1, 0, AGREED)


def test_an_unknown_payload_type_is_counted_and_does_not_latch(receiver):
    push(receiver, RtpPacket(payload_type=18, payload=b"\x20"), NAT)
    assert (receiver.unknown_type, receiver.packets, receiver.peer) == (1, 0, AGREED)


def test_header_extension_padding_and_csrc_are_not_sound(receiver):
    plain = Source().packet()
    body = bytes([0x80]) * FRAME
    csrc, extension, padding = b"\0\0\0\7", b"\xbe\xde\0\1\x10\x7f\0\0", b"\0\0\0\4"
    data = plain.serialize()[:12]
    push(receiver, bytes([0xB1]) + data[1:] + csrc + extension + body + padding)
    receiver.pop()
    caller, _ = receiver.pop()
    assert caller.tolist() == codec_named("PCMU").decode(body).tolist()


def test_digits_come_with_the_tick(receiver):
    push(receiver, key(5))
    caller, digits = receiver.pop()
    assert (digits, caller.any()) == ("5", False)


def test_events_are_unknown_when_sdp_did_not_offer_them():
    receiver = make_receiver(event_payload_type=None)
    push(receiver, key(5))
    assert receiver.pop()[1] == ""
    assert receiver.unknown_type == 1


def test_a_press_between_sound_costs_no_packet_loss(receiver):
    source = Source()
    for _ in range(3):
        push(receiver, source.packet())
    push(receiver, key(1, sequence_number=source.sequence_number))
    source.sequence_number += 1
    for _ in range(3):
        push(receiver, source.packet())
    assert receiver.reception.lost == 0


def test_a_transferred_caller_is_heard_and_may_press_keys(receiver):
    old, new = Source(ssrc=1), Source(ssrc=2, sequence_number=9, timestamp=3)
    for _ in range(4):
        push(receiver, old.packet())
    push(receiver, key(1, sequence_number=104, timestamp=90000))
    for _ in range(3):
        push(receiver, new.packet())
    push(receiver, key(2, sequence_number=12, timestamp=89000))
    assert receiver.pop()[1] == "12"
    assert receiver.jitter_buffer.counters.resyncs == 1
    assert receiver.reception.lost == 0


def test_loss_and_jitter_are_reported(receiver):
    assert receiver.report() == []
    packets = Source(sequence_number=65530).packets(10)
    for number, packet in enumerate(packets):
        if number not in (4, 5):
            push(receiver, packet, arrival_seconds=number * 0.02 + 0.001 * (number % 2))
    (report,) = receiver.report()
    assert (report.ssrc, report.packets_lost, report.fraction_lost) == (1, 2, 256 * 2 // 10)
    assert report.highest_sequence == 65530 + 9
    assert 0 < report.jitter <= 8
    assert receiver.report()[0].fraction_lost == 0


def test_a_report_tells_nothing_of_the_source_before(receiver):
    """After a transfer: the count is that of the SSRC it stands beside (RFC 3550 section 6.4.1)."""
    packets = Source(ssrc=1).packets(10)
    for packet in (*packets[:4], *packets[6:]):
        push(receiver, packet)
    for packet in Source(ssrc=2).packets(4):
        push(receiver, packet)
    (report,) = receiver.report()
    assert (report.ssrc, report.packets_lost) == (2, 0)
    assert receiver.reception.lost == 2, "of the call"


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.binary(max_size=60), st.integers(0, 3), st.sampled_from([AGREED, NAT, STRANGER])
        ),
        max_size=30,
    )
)
def test_no_datagram_ends_a_call(datagrams):
    """Random bytes, and random bytes behind the beginning of a good header."""
    receiver = make_receiver()
    starts = [b"", b"\x80\x00", b"\x90\x65", b"\xb2\xe5"]
    for data, start, source in datagrams:
        push(receiver, starts[start] + data, source)
        caller, digits = receiver.pop()
        assert caller.shape == (FRAME,)
        assert caller.dtype == np.int16
        assert set(digits) <= set("0123456789*#ABCD")
    strangers = sum(source == STRANGER for _, _, source in datagrams)
    assert receiver.foreign >= strangers
    judged = receiver.foreign + receiver.malformed + receiver.unknown_type + receiver.packets
    assert judged == len(datagrams), "each is counted, once"
    assert receiver.peer != STRANGER


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 65535)), min_size=1, max_size=60))
def test_a_stranger_who_knows_every_number_changes_nothing(strangers):
    """The same call, with and without forged packets in it, sounds the same."""
    alone, attacked = make_receiver(), make_receiver()
    source = Source()
    for is_forged, offset in strangers:
        packet = source.packet()
        if is_forged:
            forged = RtpPacket.parse(packet.serialize())
            forged.sequence_number = (forged.sequence_number + offset) % (1 << 16)
            forged.payload = bytes(FRAME)
            push(attacked, forged, STRANGER)
        push(alone, packet)
        push(attacked, packet)
        assert np.array_equal(alone.pop()[0], attacked.pop()[0])
    assert attacked.packets == len(strangers)
    assert attacked.foreign == sum(is_forged for is_forged, _ in strangers)


@pytest.mark.parametrize("codec", ["PCMU", "G722"])
@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 50, 60])
def test_packets_of_any_length_are_heard_to_the_sample(codec, ptime_ms):
    """Through the wrap of both numbers; what is heard is what the codec makes of the whole."""
    sending, whole = codec_named(codec), codec_named(codec)
    speech = np.random.default_rng(1).normal(0, 3000, 16000 * 3).astype(np.int16)
    size = sending.rate_hz * ptime_ms // 1000
    payloads = [sending.encode(speech[i : i + size]) for i in range(0, len(speech) - size, size)]
    receiver = RtpReceiver(
        replace(MEDIA, codec=codec, payload_type=sending.payload_type), rate_hz=sending.rate_hz
    )
    source = Source(
        sequence_number=65520, timestamp=2**32 - 20 * 8 * ptime_ms, duration=8 * ptime_ms
    )
    sent_ms, heard = 0, []
    for tick in range(len(payloads) * ptime_ms // 20):
        while sent_ms <= tick * 20 and source.count < len(payloads):
            packet = source.packet(payload=payloads[source.count])
            packet.payload_type = sending.payload_type
            push(receiver, packet, arrival_seconds=sent_ms / 1000)
            sent_ms += ptime_ms
        heard.append(receiver.pop()[0])
        assert receiver.jitter_buffer.depth_ms <= 20 + ptime_ms
    expected = whole.decode(b"".join(payloads))
    sound = np.concatenate(heard)[len(heard[0]) :]
    assert np.array_equal(sound, expected[: len(sound)])
    counters = receiver.jitter_buffer.counters
    assert (counters.concealed, counters.late, counters.dropped) == (0, 0, 0)
    assert receiver.reception.lost == 0
    assert receiver.reception.jitter_ms < 1


def test_comfort_noise_is_no_loss_and_no_unknown_type(receiver):
    """On its static payload type, agreed on or not, and on an agreed dynamic one."""
    source = Source()
    receiver.change(replace(MEDIA, noise_payload_type=98))
    for payload_type in (13, 98):
        for _ in range(4):
            push(receiver, source.packet())
            receiver.pop()
        packet = source.packet(payload=b"\x3c")
        packet.payload_type = payload_type
        push(receiver, packet)
        quiet = [receiver.pop()[0] for _ in range(20)][1:]
        assert 0 < np.abs(np.concatenate(quiet)).max() < 256
        source.pause(19 * FRAME)
    assert (receiver.unknown_type, receiver.reception.lost) == (0, 0)
    assert receiver.jitter_buffer.counters.concealed == 0
    assert receiver.packets == 10
