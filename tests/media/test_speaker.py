"""What we say as packets: one clock for sound and keys, whatever length and codec are asked for."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from aiortp import RtpPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.media.codec import codec_named
from softagent.media.description import Direction, MediaDescription
from softagent.media.dtmf import DigitReceiver
from softagent.media.packetizer import SLOTS_PER_TICK
from softagent.media.sender import RtpSender
from softagent.media.speaker import RtpSpeaker

FRAME = 160
MEDIA = MediaDescription(
    codec="PCMU",
    payload_type=0,
    remote_host="192.0.2.1",
    remote_port=4000,
    local_host="192.0.2.2",
    local_port=4000,
    event_payload_type=101,
)
G722 = replace(MEDIA, codec="G722", payload_type=9)


class Line:
    """Plays counted samples into a speaker and keeps the packets with the slot they left in."""

    def __init__(self, media=MEDIA, *, rate_hz=8000, sequence_number=65530, timestamp=2**32 - 800):
        sender = RtpSender(
            payload_type=media.payload_type, sequence_number=sequence_number, timestamp=timestamp
        )
        self.speaker = RtpSpeaker(media, rate_hz=rate_hz, sender=sender)
        self.rate_hz = rate_hz
        self.slot = 0
        self.packets = []

    def run(self, ticks, *, is_silent=False):
        """Let `ticks` pass as the media clock does; returns the packets that left in them."""
        begun = len(self.packets)
        for _ in range(ticks):
            count = self.rate_hz // 50
            start = self.slot // 2 * count
            sound = (np.arange(start, start + count) % 4000).astype(np.int16)
            self.speaker.put(sound, is_silent=is_silent)
            slots = 1 if self.speaker.needs_half_ticks else SLOTS_PER_TICK
            for half in range(0, SLOTS_PER_TICK, slots):
                self.packets += [
                    (self.slot + half, RtpPacket.parse(data))
                    for data in self.speaker.pop(slots=slots)
                ]
            self.slot += SLOTS_PER_TICK
        return [packet for _, packet in self.packets[begun:]]


def steps(packets):
    """How far sequence number and timestamp go from packet to packet."""
    return {
        (
            (b.sequence_number - a.sequence_number) % (1 << 16),
            (b.timestamp - a.timestamp) % (1 << 32),
        )
        for a, b in itertools.pairwise(packets)
    }


@pytest.mark.parametrize("media", [MEDIA, G722], ids=["PCMU", "G722"])
@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 50, 60])
def test_packets_have_the_agreed_length_through_both_wraps(media, ptime_ms):
    line = Line(replace(media, ptime_ms=ptime_ms), rate_hz=codec_named(media.codec).rate_hz)
    packets = line.run(60)
    assert {len(packet.payload) for packet in packets} == {8 * ptime_ms}
    assert steps(packets) == {(1, 8 * ptime_ms)}
    slots = [slot for slot, _ in line.packets]
    assert {b - a for a, b in itertools.pairwise(slots)} == {ptime_ms // 10}
    assert packets[0].sequence_number > packets[-1].sequence_number, "it wrapped"
    assert packets[0].timestamp > packets[-1].timestamp, "it wrapped"


def test_a_new_length_loses_no_sound():
    line = Line(replace(MEDIA, ptime_ms=60), timestamp=0)
    line.run(8)
    line.speaker.change(replace(MEDIA, ptime_ms=30))
    line.run(9)
    line.speaker.change(replace(MEDIA, ptime_ms=10))
    line.run(4)
    packets = [packet for _, packet in line.packets]
    position = 0
    for packet in packets:
        assert packet.timestamp == position
        position += len(packet.payload)
    assert position == line.slot * 80
    sound = codec_named("PCMU").decode(b"".join(packet.payload for packet in packets))
    expected = np.arange(position) % 4000
    assert np.abs(sound - expected).max() < 150, "mu-law's step up there is 128"


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 9),
            st.booleans(),
            st.sampled_from([10, 20, 30, 40, 50, 60]),
            st.sampled_from([MEDIA, G722]),
        ),
        max_size=8,
    ),
    st.sampled_from([8000, 16000]),
)
def test_whatever_is_agreed_on_and_when_time_has_no_gap(changes, rate_hz):
    """Also when a new SDP comes in the middle of a tick."""
    speaker = RtpSpeaker(
        MEDIA, rate_hz=rate_hz, sender=RtpSender(payload_type=0, sequence_number=65530, timestamp=0)
    )
    packets, elapsed = [], 0
    frame = np.zeros(rate_hz // 50, dtype=np.int16)
    for ticks, is_mid_tick, ptime_ms, media in [*changes, (5, False, 20, MEDIA)]:
        for tick in range(ticks):
            speaker.put(frame, is_silent=True)
            elapsed += FRAME
            slots = 1 if speaker.needs_half_ticks else SLOTS_PER_TICK
            packets += speaker.pop(slots=slots)
            if is_mid_tick and tick == ticks - 1:
                speaker.change(replace(media, ptime_ms=ptime_ms))
            if slots == 1:
                packets += speaker.pop(slots=1)
        speaker.change(replace(media, ptime_ms=ptime_ms))
    packets += speaker.pop(slots=SLOTS_PER_TICK)
    position = 0
    for number, packet in enumerate(map(RtpPacket.parse, packets)):
        assert packet.sequence_number == (65530 + number) % (1 << 16)
        assert packet.timestamp == position
        position += len(packet.payload)
    assert position == elapsed


def test_a_new_codec_goes_on_with_the_same_numbers():
    line = Line()
    before = line.run(5)
    line.speaker.change(G722)
    after = line.run(5)
    line.speaker.change(MEDIA)
    back = line.run(5)
    assert steps(before + after + back) == {(1, FRAME)}
    assert {packet.ssrc for packet in before + after + back} == {line.speaker.sender.ssrc}
    assert [{p.payload_type for p in ps} for ps in (before, after, back)] == [{0}, {9}, {0}]
    assert {len(packet.payload) for packet in after} == {160}


def test_the_first_packet_of_a_talkspurt_is_marked():
    line = Line(replace(MEDIA, ptime_ms=40))
    marks = [
        [packet.marker for packet in line.run(4, is_silent=is_silent)]
        for is_silent in (True, False, False, True, False)
    ]
    assert [any(mark) for mark in marks] == [True, True, False, False, True]
    assert sum(itertools.chain(*marks)) == 3


def test_keys_take_the_place_of_sound_and_time_goes_on():
    line = Line()
    before = line.run(3)
    assert line.speaker.press("5")
    assert line.speaker.is_pressing
    events = line.run(7)
    assert not line.speaker.is_pressing
    after = line.run(3)
    assert {packet.payload_type for packet in events} == {101}
    assert {packet.timestamp for packet in events} == {(before[-1].timestamp + FRAME) % (1 << 32)}
    assert [packet.marker for packet in events] == [1, 0, 0, 0, 0, 0, 0]
    assert {packet.payload_type for packet in after} == {0}
    assert after[0].timestamp == (before[-1].timestamp + 8 * FRAME) % (1 << 32)
    numbers = [packet.sequence_number for packet in before + events + after]
    assert {(b - a) % (1 << 16) for a, b in itertools.pairwise(numbers)} == {1}
    assert {packet.ssrc for packet in before + events + after} == {line.speaker.sender.ssrc}


@settings(deadline=None, max_examples=40)
@given(
    ptime_ms=st.sampled_from([10, 20, 30, 40, 50, 60]),
    digits=st.text("0123456789*#ABCD", max_size=4),
    before=st.integers(0, 12),
    timestamp=st.integers(0, 2**32 - 1),
)
def test_keys_between_packets_of_any_length_reach_the_other_side(
    ptime_ms, digits, before, timestamp
):
    """Sound before and after them keeps its place in time to the sample."""
    line = Line(replace(MEDIA, ptime_ms=ptime_ms), timestamp=timestamp)
    line.run(before)
    line.speaker.press(digits)
    line.run(15 * len(digits) + 12)
    receiver, heard = DigitReceiver(8000), ""
    for slot, packet in line.packets:
        position = (packet.timestamp - timestamp) % (1 << 32)
        assert position <= slot * 80
        if packet.payload_type == 101:
            receiver.push(
                packet.payload,
                timestamp=packet.timestamp,
                sequence_number=packet.sequence_number,
                marker=bool(packet.marker),
            )
            heard += receiver.tick()
        else:
            expected = codec_named("PCMU").encode(
                (np.arange(position, position + len(packet.payload)) % 4000).astype(np.int16)
            )
            assert packet.payload == expected
    heard += "".join(receiver.tick() for _ in range(5))
    assert heard == digits


def test_keys_are_refused_when_the_other_side_takes_none():
    line = Line(replace(MEDIA, event_payload_type=None))
    assert not line.speaker.press("1")
    assert {packet.payload_type for packet in line.run(5)} == {0}


def test_keys_whose_payload_type_went_away_are_not_sent():
    line = Line()
    line.speaker.press("1")
    line.run(2)
    line.speaker.change(replace(MEDIA, event_payload_type=None))
    assert {packet.payload_type for packet in line.run(20)} == {0}
    assert not line.speaker.is_pressing


@pytest.mark.parametrize(
    "held", [replace(MEDIA, direction=Direction.RECVONLY), replace(MEDIA, remote_port=0)]
)
def test_nothing_leaves_while_it_may_not_and_the_clock_goes_on(held):
    line = Line(replace(MEDIA, ptime_ms=30))
    line.run(6)
    line.speaker.change(replace(held, ptime_ms=30))
    assert not line.run(10)
    line.speaker.change(replace(MEDIA, ptime_ms=20))
    (first, *_) = line.run(1)
    assert first.timestamp == (2**32 - 800 + 16 * FRAME) % (1 << 32)


def test_a_key_is_not_held_down_as_long_as_the_call():
    """A call put on hold in mid-press: the key has ended there, and the next one is its own."""
    line = Line(timestamp=1000)
    line.speaker.press("12")
    line.run(2)
    line.speaker.change(replace(MEDIA, direction=Direction.INACTIVE))
    assert line.run(60 * 50) == []
    line.speaker.change(MEDIA)
    packets = [packet for packet in line.run(30) if packet.payload_type == 101]
    durations = [int.from_bytes(packet.payload[2:4]) for packet in packets]
    assert durations[:3] == [2 * FRAME] * 3
    assert all(packet.payload[1] & 0x80 for packet in packets[:3])
    assert {packet.timestamp for packet in packets[:3]} == {1000}
    assert max(durations) == 5 * FRAME, "100 ms"
    digits, receiver = "", DigitReceiver(8000)
    for _, packet in line.packets:
        if packet.payload_type == 101:
            receiver.push(
                packet.payload,
                timestamp=packet.timestamp,
                sequence_number=packet.sequence_number,
                marker=bool(packet.marker),
            )
            digits += receiver.tick()
    assert digits == "12"


def test_time_the_machine_slept_is_left_out():
    line = Line(timestamp=0)
    line.run(1)
    line.speaker.skip(50)
    (packet,) = line.run(1)
    assert packet.timestamp == 51 * FRAME
