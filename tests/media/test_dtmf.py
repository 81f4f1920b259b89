"""Digits from telephone-events: each press once, whatever gets lost, repeated or overtaken."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.media.dtmf import QUIET_TICKS, DigitReceiver


class Keypad:
    """A caller pressing keys: event payloads with the headers that go with them."""

    def __init__(self, *, sequence_number=10, timestamp=1000):
        self.sequence_number = sequence_number
        self.timestamp = timestamp

    def press(self, event, *, updates=5, ends=3, marker=True):
        """The packets of one press: (payload, headers), one every 20 ms, the end three times."""
        steps = [(160 * (n + 1), False) for n in range(updates)]
        steps += [(160 * (updates + 1), True)] * ends
        packets = [
            self.packet(event, duration, end, marker=marker and n == 0)
            for n, (duration, end) in enumerate(steps)
        ]
        self.timestamp += 160 * (len(steps) + 10)
        return packets

    def packet(self, event, duration, end, *, marker=False):
        self.sequence_number += 1
        return struct.pack("!BBH", event, 0x80 * end | 10, duration), {
            "timestamp": self.timestamp % (1 << 32),
            "sequence_number": self.sequence_number % (1 << 16),
            "marker": marker,
        }


def digits(packets, receiver=None):
    """The digits of packets that come 20 ms apart, None for one that is lost, and the quiet after."""
    receiver = receiver or DigitReceiver(8000)
    found = ""
    for packet in [*packets, *[None] * (QUIET_TICKS + 1)]:
        if packet is not None:
            receiver.push(packet[0], **packet[1])
        found += receiver.tick()
    return found


@pytest.mark.parametrize("marker", [True, False])
def test_every_key_is_one_digit(marker):
    keypad = Keypad()
    packets = [p for event in range(16) for p in keypad.press(event, marker=marker)]
    assert digits(packets) == "0123456789*#ABCD"


def test_a_digit_is_told_in_the_tick_of_its_first_end_packet():
    *updates, end, again, _ = Keypad().press(5)
    receiver = DigitReceiver(8000)
    for payload, headers in updates:
        receiver.push(payload, **headers)
        assert receiver.tick() == ""
    receiver.push(end[0], **end[1])
    assert receiver.tick() == "5"
    receiver.push(again[0], **again[1])
    assert receiver.tick() == ""


def test_the_same_key_twice_is_two_digits():
    keypad = Keypad()
    assert digits(keypad.press(1) + keypad.press(1)) == "11"


def test_a_press_of_a_single_end_packet_counts():
    assert digits(Keypad().press(3, updates=0, ends=1)) == "3"


def test_a_press_without_its_end_counts_when_nothing_more_comes():
    packets = Keypad().press(7, ends=0)
    receiver = DigitReceiver(8000)
    for payload, headers in packets:
        receiver.push(payload, **headers)
    assert [receiver.tick() for _ in range(QUIET_TICKS + 2)] == [""] * QUIET_TICKS + ["7", ""]


def test_a_press_without_its_end_counts_when_the_next_one_begins():
    keypad = Keypad()
    first, second = keypad.press(7, ends=0), keypad.press(8)
    receiver = DigitReceiver(8000)
    for payload, headers in first + second[:1]:
        receiver.push(payload, **headers)
    assert receiver.tick() == "7"


def test_end_packets_that_come_after_the_press_was_given_up_count_no_more():
    *updates, first_end, second_end, third_end = Keypad().press(4)
    assert digits([*updates, *[None] * 6, first_end, second_end, third_end]) == "4"


def test_packets_out_of_order_make_no_second_digit():
    packets = Keypad().press(6)
    assert digits([packets[0], packets[2], packets[1], packets[6], packets[3], packets[5]]) == "6"


def test_a_straggler_of_the_press_before_is_ignored():
    keypad = Keypad()
    first, second = keypad.press(1), keypad.press(2)
    assert digits([*first[:-1], second[0], first[-1], *second[1:]]) == "12"


def test_the_first_packet_repeated_late_makes_no_second_digit():
    """A network that duplicates: the marker bit alone begins no press."""
    packets = Keypad().press(9)
    assert digits([*packets, packets[0]]) == "9"


def test_a_sender_that_never_moves_its_timestamp():
    keypad = Keypad()
    first = keypad.press(1)
    keypad.timestamp = 1000
    assert digits(first + keypad.press(1)) == "11"


def test_a_press_of_many_segments_is_one_digit():
    """Past 8.2 s the duration is full and a new segment begins (RFC 4733 section 2.5.1.3)."""
    keypad = Keypad()
    packets = [keypad.packet(2, 65000, end=False, marker=True)]
    packets += [keypad.packet(2, 65535, end=False)]
    keypad.timestamp += 65535
    packets += [keypad.packet(2, 160 * n, end=False) for n in range(1, 5)]
    packets += [keypad.packet(2, 800, end=True)] * 3
    assert digits(packets) == "2"


def test_a_long_press_whose_duration_wraps_is_one_digit():
    keypad = Keypad()
    durations = [65200, 65360, 65520, 144, 304]
    packets = [keypad.packet(2, duration, end=False) for duration in durations]
    assert digits([*packets, keypad.packet(2, 464, end=True)]) == "2"


def test_numbers_that_wrap():
    keypad = Keypad(sequence_number=65530, timestamp=(1 << 32) - 500)
    assert digits(keypad.press(1) + keypad.press(1)) == "11"


@pytest.mark.parametrize(
    "payload", [b"", b"\x01", b"\x01\x8a\x00", bytes([16, 0x80, 1, 0]), bytes([255] * 4)]
)
def test_what_is_no_key_is_ignored(payload):
    receiver = DigitReceiver(8000)
    receiver.push(payload, timestamp=1, sequence_number=1, marker=True)
    assert digits(Keypad().press(1), receiver) == "1"


def test_an_event_of_another_kind_does_not_end_a_press():
    """A flash (event 16) in between."""
    keypad = Keypad()
    packets = keypad.press(5)
    flash = Keypad(timestamp=77777).packet(16, 160, end=True)
    assert digits([*packets[:3], flash, *packets[3:]]) == "5"


def test_another_source_may_count_backwards():
    receiver = DigitReceiver(8000)
    assert digits(Keypad(timestamp=9000).press(5), receiver) == "5"
    receiver.reset()
    assert digits(Keypad(timestamp=8000, sequence_number=2).press(5), receiver) == "5"


@settings(deadline=None)
@given(
    events=st.lists(st.integers(0, 15), min_size=1, max_size=8),
    lost=st.sets(st.integers(0, 63)),
    doubled=st.sets(st.integers(0, 63)),
)
def test_each_press_of_which_anything_arrives_is_one_digit(events, lost, doubled):
    keypad = Keypad(sequence_number=65500, timestamp=(1 << 32) - 3000)
    packets, expected = [], ""
    for press, event in enumerate(events):
        numbered = list(enumerate(keypad.press(event), start=8 * press))
        arrived = [p for n, p in numbered for _ in range(1 + (n in doubled)) if n not in lost]
        packets += arrived + [None] * (10 - len(numbered))
        expected += "0123456789*#ABCD"[event] * bool(arrived)
    assert digits(packets) == expected
