"""The jitter buffer: whatever the network does, the caller is heard in order, once and soon."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtp_source import FRAME, Source

from softagent.media.codec import codec_named
from softagent.media.conceal import RETURN_MS
from softagent.media.jitter import LONGEST_DELAY_MS, MOST_PACKETS, JitterBuffer

SEAM = 8 * RETURN_MS
"""Here the sound before may still be heard: made up, or of a frame that was left out."""


@pytest.fixture
def buffer():
    return JitterBuffer(codec_named("PCMU"))


def heard(buffer, ticks):
    """The numbers of the packets heard in `ticks`, or None for a frame of anything else."""
    names = {Source.value(number): number for number in range(100)}
    frames = [buffer.pop() for _ in range(ticks)]
    assert all(frame.shape == (FRAME,) and frame.dtype == np.int16 for frame in frames)
    tails = [frame[SEAM:] for frame in frames]
    return [names.get(int(t[0])) if (t == t[0]).all() and t[0] else None for t in tails]


def run(buffer, packets):
    """Push a packet a tick, None for a lost one, and say what was heard."""
    numbers = []
    for packet in packets:
        if packet is not None:
            buffer.push(packet)
        numbers += heard(buffer, 1)
    return numbers


def test_silence_before_the_first_packet(buffer):
    assert heard(buffer, 3) == [None] * 3
    assert buffer.counters.concealed == 0


def test_a_quiet_network_costs_one_tick(buffer):
    assert run(buffer, Source().packets(8)) == [None, 0, 1, 2, 3, 4, 5, 6]
    assert buffer.depth_ms == 20


@pytest.mark.parametrize("duration", [80, 160, 240, 320, 480])
def test_packets_of_any_length_are_heard_without_a_gap(buffer, duration):
    source = Source(duration=duration)
    sent, sound = 0, []
    for tick in range(60):
        while sent <= tick * FRAME:
            buffer.push(source.packet())
            sent += duration
        sound.append(buffer.pop())
        assert buffer.depth_ms <= 20 + duration // 8

    sound = np.concatenate(sound)[FRAME:]
    numbers = np.arange(len(sound)) // duration
    assert sound.tolist() == [Source.value(int(number)) for number in numbers]
    assert buffer.counters.concealed == 0


def test_reordered_packets_are_put_right(buffer):
    a, b, c, d, e = Source().packets(5)
    assert run(buffer, [a, b]) == [None, 0]
    buffer.push(d)
    buffer.push(c)
    assert heard(buffer, 1) == [1]
    assert run(buffer, [e, None]) == [2, 3]


def test_the_first_two_packets_may_be_reordered(buffer):
    first, second = Source().packets(2)
    buffer.push(second)
    buffer.push(first)
    assert heard(buffer, 2) == [0, 1]


def test_a_duplicate_is_heard_once(buffer):
    source = Source()
    packets = source.packets(4)
    assert run(buffer, packets[:2]) == [None, 0]
    for packet in packets[:3]:
        buffer.push(packet)
    assert heard(buffer, 2) == [1, 2]
    assert (buffer.counters.doubled, buffer.counters.late) == (2, 0)


def test_sequence_and_timestamp_wrap(buffer):
    source = Source(sequence_number=65533, timestamp=2**32 - 3 * FRAME)
    assert run(buffer, source.packets(9)) == [None, *range(8)]
    assert buffer.counters.resyncs == 0


def test_a_lost_packet_is_made_up_from_the_one_before(buffer):
    a, b, _, d, e = Source().packets(5)
    assert run(buffer, [a, b, None]) == [None, 0, 1]
    buffer.push(d)
    made_up = buffer.pop()
    assert made_up[0] == Source.value(1)
    assert (np.diff(made_up) <= 0).all(), "it fades"
    assert run(buffer, [e]) == [3]
    assert buffer.counters.concealed == 1


def test_a_late_packet_is_not_lost_but_delays_the_rest(buffer):
    """The network got slower: 20 ms more are kept from then on."""
    packets = Source().packets(6)
    run(buffer, packets[:2])
    assert heard(buffer, 2) == [1, None]
    assert run(buffer, packets[2:]) == [2, 3, 4, 5]


def test_packets_lost_while_the_buffer_was_empty_add_no_delay(buffer):
    packets = Source().packets(8)
    packets[2] = packets[3] = None
    assert run(buffer, packets) == [None, 0, 1, None, None, 4, 5, 6]
    assert buffer.counters.concealed == 2


def test_a_pause_of_the_sender_is_silence_and_then_goes_on(buffer):
    """DTX: the timestamp goes on, the sequence number doesn't."""
    source = Source()
    run(buffer, source.packets(3))
    frames = [buffer.pop() for _ in range(50)]
    assert not np.concatenate(frames[5:]).any()
    source.pause(50 * FRAME)
    assert run(buffer, source.packets(3)) == [None, 3, 4]
    assert buffer.counters.resyncs == 0


def test_a_pause_in_which_the_timestamp_stood_still(buffer):
    source = Source()
    run(buffer, source.packets(3))
    heard(buffer, 50)
    assert run(buffer, source.packets(3)) == [None, 3, 4]


def test_silence_is_never_full_scale(buffer):
    """pyVoIP fills gaps with 0x00, which is the loudest mu-law code."""
    source = Source()
    run(buffer, source.packets(3))
    gap = np.concatenate([buffer.pop() for _ in range(20)])
    assert np.abs(gap).max() <= Source.value(0)


def test_another_source_is_heard_from_its_second_packet(buffer):
    """Blind transfer: SSRC, sequence number and timestamp all change."""
    run(buffer, Source().packets(5))
    other = Source(ssrc=2, sequence_number=40000, timestamp=9)
    other.count = 50
    buffer.push(other.packet())
    assert heard(buffer, 1) == [4]
    assert buffer.push(other.packet())
    assert heard(buffer, 1) == [50]
    assert run(buffer, other.packets(2)) == [51, 52]
    assert buffer.counters.resyncs == 1


def test_a_stray_packet_of_another_source_changes_nothing(buffer):
    packets = Source().packets(6)
    run(buffer, packets[:3])
    buffer.push(Source(ssrc=9).packet())
    assert run(buffer, packets[3:]) == [2, 3, 4]


@pytest.mark.parametrize("jump", [-1_000_000, -3 * 8000, -800, 3 * 8000, 2**31, 10_000_000])
def test_a_jump_of_the_timestamp_leaves_no_one_deaf(buffer, jump):
    source = Source()
    run(buffer, source.packets(5))
    source.pause(jump)
    numbers = run(buffer, source.packets(10))
    assert numbers[-3:] == [11, 12, 13]
    assert buffer.depth_ms <= 40


def test_a_jump_ahead_within_two_seconds_costs_what_was_waiting(buffer):
    source = Source()
    run(buffer, source.packets(5))
    source.pause(8000)
    assert run(buffer, source.packets(5))[-2:] == [8, 9]


def test_a_restarted_sender_with_the_same_ssrc(buffer):
    run(buffer, Source(sequence_number=30000).packets(5))
    again = Source(sequence_number=5, timestamp=77)
    again.count = 60
    assert run(buffer, again.packets(5))[-2:] == [62, 63]


def test_a_burst_after_a_stall_keeps_the_newest_and_forgets_the_delay(buffer):
    source = Source()
    run(buffer, source.packets(5))
    heard(buffer, 30)
    for packet in source.packets(30):
        buffer.push(packet)
    assert buffer.depth_ms <= LONGEST_DELAY_MS
    assert heard(buffer, 1) == [25]


@pytest.mark.parametrize("sent_every_ms", [19.9, 20.1])
def test_a_sender_with_another_clock_keeps_its_delay(buffer, sent_every_ms):
    """Half a percent fast or slow for a minute: about 15 frames left out or made up."""
    source = Source()
    for tick in range(3000):
        while source.count * sent_every_ms <= tick * 20:
            buffer.push(source.packet())
        buffer.pop()
        assert buffer.depth_ms <= 80
    counters = buffer.counters
    assert 10 <= counters.dropped + counters.concealed <= 20
    assert counters.late == counters.resyncs == 0


def quiet(number):
    return bytes([0xF0 + number % 8]) * FRAME


def test_quiet_frames_are_left_out_until_the_delay_is_short_again(buffer):
    source = Source()
    for _ in range(8):
        buffer.push(source.packet(payload=quiet(0)))
    for _ in range(70):
        buffer.push(source.packet(payload=quiet(0)))
        buffer.pop()
    assert buffer.depth_ms <= 40
    assert buffer.counters.dropped == 7
    assert buffer.counters.concealed == 0


def test_loud_frames_are_left_out_only_after_three_seconds(buffer):
    source = Source()
    for packet in source.packets(4):
        buffer.push(packet)
    run(buffer, source.packets(140))
    assert buffer.counters.dropped == 0
    run(buffer, source.packets(20))
    assert buffer.counters.dropped > 0


def test_tiny_and_empty_packets_are_bounded(buffer):
    source = Source(duration=1)
    for packet in source.packets(1000):
        buffer.push(packet)
    assert buffer.depth_ms <= MOST_PACKETS
    empty = source.packet()
    empty.payload = b""
    assert not buffer.push(empty)
    buffer.pop()


def test_wideband_with_an_8_khz_clock():
    """G.722's timestamp counts at half its sampling rate (RFC 3551 section 4.5.2)."""
    buffer = JitterBuffer(Doubled())
    source = Source()
    buffer.push(source.packet())
    buffer.pop()
    frame = buffer.pop()
    assert frame.shape == (320,)
    assert (frame == Source.value(0)).all()
    assert buffer.pop()[0] == Source.value(0), "made up"


class Doubled:
    """Mu-law with every sample twice: shaped like G.722."""

    name, payload_type, rate_hz, clock_hz = "G722", 9, 16000, 8000

    def encode(self, samples):
        return codec_named("PCMU").encode(samples[::2])

    def decode(self, payload):
        return np.repeat(codec_named("PCMU").decode(payload), 2)

    def duration(self, payload):
        return len(payload)


class Listening(Doubled):
    """Mu-law that notes the first byte of all it decodes."""

    rate_hz = 8000

    def __init__(self):
        self.decoded = []

    def decode(self, payload):
        self.decoded.append(payload[0])
        return codec_named("PCMU").decode(payload)


@settings(deadline=None)
@given(
    duration=st.sampled_from([80, 160, 240, 320, 480]),
    delays=st.lists(st.integers(0, 60), min_size=5, max_size=60),
    lost=st.sets(st.integers(0, 59), max_size=10),
    start=st.sampled_from([0, 65530]),
)
def test_packets_are_heard_in_order_and_at_most_once(duration, delays, lost, start):
    """Delays up to 60 ms also reorder them; some are lost, and the numbers wrap."""
    source = Source(duration=duration, sequence_number=start, timestamp=start * 65537)
    arrivals = sorted(
        (number * duration / 8 + delay, number, source.packet())
        for number, delay in enumerate(delays)
    )
    codec = Listening()
    buffer = JitterBuffer(codec)
    for tick in range(len(delays) * duration // FRAME + 15):
        while arrivals and arrivals[0][0] <= tick * 20:
            _, number, packet = arrivals.pop(0)
            if number not in lost:
                buffer.push(packet)
        assert buffer.pop().shape == (FRAME,)
        assert buffer.depth_ms <= LONGEST_DELAY_MS
    came = {Source.code(number)[0] for number in range(len(delays)) if number not in lost}
    assert codec.decoded == sorted(set(codec.decoded) & came)
    accounted = len(codec.decoded) + buffer.counters.late + buffer.counters.dropped
    assert accounted >= len(came), "nothing goes missing without being counted"


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 65535),
            st.integers(0, 2**32 - 1),
            st.integers(0, 3),
            st.integers(0, 400),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_any_numbers_leave_the_buffer_small_and_ticking(headers):
    """Sound and comfort noise alike."""
    buffer = JitterBuffer(codec_named("PCMU"))
    for sequence_number, timestamp, ssrc, length, is_noise in headers:
        source = Source(sequence_number=sequence_number, timestamp=timestamp, ssrc=ssrc)
        packet = source.packet(payload=bytes(length) or None)
        if is_noise:
            buffer.push_noise(packet)
        else:
            buffer.push(packet)
        assert buffer.pop().shape == (FRAME,)
        assert buffer.depth_ms <= LONGEST_DELAY_MS
    after = Source(ssrc=77)
    assert [number for number in run(buffer, after.packets(20)) if number is not None][-3:] == [
        16,
        17,
        18,
    ]
