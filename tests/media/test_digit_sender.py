"""Keys that we press: RFC 4733 to the letter, and our own receiver reads them back."""

import pytest
from aiortp.dtmf import DtmfEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.media.dtmf import LONGEST_SEGMENT, DigitReceiver, DigitSender

FRAME = 160


def sent(sender, ticks, timestamp=1000):
    """What the sender says in each of `ticks`: an event packet or None for sound."""
    return [sender.tick((timestamp + n * FRAME) % (1 << 32)) for n in range(ticks)]


def read(packets):
    """(event, duration, end) of each packet, None for sound."""
    events = [packet and DtmfEvent.parse(packet.payload) for packet in packets]
    return [event and (event.event, event.duration, event.end) for event in events]


def test_a_press_tells_its_duration_every_tick_and_its_end_three_times():
    sender = DigitSender(8000)
    sender.press("5", press_ms=80)
    packets = sent(sender, 8)
    assert read(packets) == [
        (5, 160, False),
        (5, 320, False),
        (5, 480, False),
        (5, 640, True),
        (5, 640, True),
        (5, 640, True),
        None,
        None,
    ]
    assert {packet.timestamp for packet in packets[:6]} == {1000}
    assert [packet.marker for packet in packets[:6]] == [True, False, False, False, False, False]
    assert sender.is_idle


def test_durations_count_in_units_of_the_rtp_clock():
    sender = DigitSender(16000)
    sender.press("1", press_ms=40)
    assert [event[1] for event in read([sender.tick(0), sender.tick(320)])] == [320, 640]


def test_keys_are_apart_by_the_gap_and_each_is_marked():
    sender = DigitSender(8000)
    sender.press("1#", press_ms=40, gap_ms=100)
    packets = sent(sender, 14)
    assert [packet is not None for packet in packets] == [True] * 4 + [False] * 3 + [True] * 4 + [
        False
    ] * 3
    second = packets[7]
    assert (second.marker, second.timestamp) == (True, 1000 + 7 * FRAME)
    ended = 1000 + read(packets)[3][1]
    assert second.timestamp - ended == 8 * 100, "100 ms from the end of the first to the second"


def test_keys_pressed_later_wait_for_those_before():
    sender = DigitSender(8000)
    sender.press("1")
    sent(sender, 3)
    sender.press("2")
    events = [event for event in read(sent(sender, 30)) if event]
    assert [event[0] for event in events if event[2]] == [1, 1, 1, 2, 2, 2]


def test_a_long_press_goes_on_in_segments():
    sender = DigitSender(8000)
    sender.press("7", press_ms=20000)
    packets = sent(sender, 1002)
    assert sender.is_idle
    starts = sorted({packet.timestamp for packet in packets})
    assert starts == [1000 + n * LONGEST_SEGMENT for n in range(3)]
    events = read(packets)
    assert max(event[1] for event in events) == LONGEST_SEGMENT
    assert [event[2] for event in events] == [False] * 999 + [True] * 3
    assert [packet.marker for packet in packets] == [True] + [False] * 1001
    assert starts[-1] + events[-1][1] == 1000 + 1000 * FRAME


def test_all_sixteen_keys_have_their_events_in_either_case():
    sender = DigitSender(8000)
    sender.press("0123456789*#ABcd", press_ms=20, gap_ms=0)
    ends = [event[0] for event in read(sent(sender, 48)) if event[2]]
    assert ends[::3] == list(range(16))


def test_an_unknown_key_is_refused_and_nothing_is_pressed():
    sender = DigitSender(8000)
    with pytest.raises(ValueError, match=r'keys "12x": there is no key "X"'):
        sender.press("12x")
    assert sender.is_idle


@settings(deadline=None)
@given(
    digits=st.text("0123456789*#ABCD", max_size=8),
    press_ms=st.integers(0, 300),
    gap_ms=st.integers(0, 200),
    start=st.integers(0, 2**32 - 1),
    lost=st.sets(st.integers(0, 400), max_size=3),
)
def test_our_own_receiver_reads_every_key_once(digits, press_ms, gap_ms, start, lost):
    """Through a wrap of the timestamp, and though single packets are lost."""
    sender, receiver = DigitSender(8000), DigitReceiver(8000)
    sender.press(digits, press_ms=press_ms, gap_ms=gap_ms)
    heard, sequence_number, previous = "", 65000, False
    for tick in range(400):
        packet = sender.tick((start + tick * FRAME) % (1 << 32))
        sequence_number += 1
        if packet is not None and (tick not in lost or previous):
            receiver.push(
                packet.payload,
                timestamp=packet.timestamp,
                sequence_number=sequence_number % (1 << 16),
                marker=packet.marker,
            )
        previous = tick in lost
        heard += receiver.tick()
    assert sender.is_idle
    assert heard == digits
