"""What arrives on the port: whom to hear, what to ignore, and that nothing ends a call."""

import struct

import numpy as np
import pytest
from aiortp import RtpPacket
from hypothesis import given, settings
from hypothesis import strategies as st
from rtp_source import EVENT_TYPE, FRAME, Source

from softagent.media.codec import codec_named
from softagent.media.receiver import RtpReceiver

AGREED = ("192.0.2.1", 4000)
NAT = ("198.51.100.7", 61000)
STRANGER = ("203.0.113.9", 5)


@pytest.fixture
def receiver():
    return make_receiver()


def make_receiver():
    return RtpReceiver(
        codec=codec_named("PCMU"), payload_type=0, event_payload_type=EVENT_TYPE, remote=AGREED
    )


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


def test_a_stranger_is_not_heard_once_the_caller_was(receiver):
    source = Source()
    push(receiver, source.packet(), NAT)
    push(receiver, source.packet(), STRANGER)
    assert (receiver.peer, receiver.packets, receiver.foreign) == (NAT, 1, 1)


def test_the_address_in_sdp_wins_over_a_latched_one(receiver):
    source = Source()
    push(receiver, source.packet(), STRANGER)
    push(receiver, source.packet(), AGREED)
    push(receiver, source.packet(), STRANGER)
    assert (receiver.peer, receiver.foreign) == (AGREED, 1)


def test_a_redirected_call_is_heard_from_its_new_address(receiver):
    source = Source()
    push(receiver, source.packet(), AGREED)
    receiver.redirect(NAT)
    assert receiver.peer == NAT
    push(receiver, source.packet(), NAT)
    assert (receiver.packets, receiver.foreign) == (2, 0)


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
    push(receiver, datagram, STRANGER)
    assert (receiver.malformed, receiver.packets, receiver.peer) == (1, 0, AGREED)


def test_an_unknown_payload_type_is_counted_and_does_not_latch(receiver):
    push(receiver, RtpPacket(payload_type=13, payload=b"\x20"), STRANGER)
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
    receiver = RtpReceiver(
        codec=codec_named("PCMU"), payload_type=0, event_payload_type=None, remote=AGREED
    )
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


@settings(deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 3)), max_size=30))
def test_no_datagram_ends_a_call(datagrams):
    """Random bytes, and random bytes behind the beginning of a good header."""
    receiver = make_receiver()
    starts = [b"", b"\x80\x00", b"\x90\x65", b"\xb2\xe5"]
    for data, start in datagrams:
        push(receiver, starts[start] + data)
        caller, digits = receiver.pop()
        assert caller.shape == (FRAME,)
        assert caller.dtype == np.int16
        assert set(digits) <= set("0123456789*#ABCD")
