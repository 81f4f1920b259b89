"""Packets of any agreed length leave exactly that far apart, and no sample is missing or doubled."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.media.packetizer import SLOTS_PER_TICK, Packetizer


def run(packetizer, ticks, *, rate_hz=8000):
    """(slot, sound) of each packet, for frames of counted samples."""
    size, packets = rate_hz // 50, []
    for tick in range(ticks):
        packetizer.push(np.arange(tick * size, (tick + 1) * size).astype(np.int16))
        for half in range(SLOTS_PER_TICK):
            sound = packetizer.pop()
            if sound is not None:
                packets.append((tick * SLOTS_PER_TICK + half, sound))
    return packets


@settings(deadline=None)
@given(
    ptime_ms=st.sampled_from([10, 20, 30, 40, 50, 60]),
    rate_hz=st.sampled_from([8000, 16000]),
    ticks=st.integers(1, 90),
)
def test_packets_leave_at_equal_distances_and_miss_nothing(ptime_ms, rate_hz, ticks):
    packets = run(Packetizer(ptime_ms, rate_hz=rate_hz), ticks, rate_hz=rate_hz)
    slots = [slot for slot, _ in packets]
    assert all(b - a == ptime_ms // 10 for a, b in itertools.pairwise(slots))
    assert all(len(sound) == rate_hz * ptime_ms // 1000 for _, sound in packets)
    sound = np.concatenate([np.zeros(0, np.int16), *(sound for _, sound in packets)])
    assert np.array_equal(sound, np.arange(len(sound)).astype(np.int16))
    assert ticks * 20 - len(sound) * 1000 // rate_hz < ptime_ms + 10, "nothing waits longer"


@pytest.mark.parametrize(
    ("ptime_ms", "first_ms"), [(10, 0), (20, 0), (30, 20), (40, 20), (50, 40), (60, 40)]
)
def test_the_first_packet_leaves_as_soon_as_the_rest_can_follow(ptime_ms, first_ms):
    """One slot earlier, and a later packet would want sound that isn't there yet."""
    packets = run(Packetizer(ptime_ms, rate_hz=8000), 40)
    assert packets[0][0] * 10 == first_ms
    ends_ms = [(number + 1) * ptime_ms for number in range(len(packets))]
    there_ms = [(slot - 1) // SLOTS_PER_TICK * 20 + 20 for slot, _ in packets]
    if ptime_ms % 20:
        assert any(end > there for end, there in zip(ends_ms, there_ms, strict=True))


@pytest.mark.parametrize("ptime_ms", [20, 40, 60])
def test_whole_ticks_need_no_half_ones(ptime_ms):
    packetizer = Packetizer(ptime_ms, rate_hz=8000)
    assert not packetizer.needs_half_ticks
    assert all(slot % SLOTS_PER_TICK == 0 for slot, _ in run(packetizer, 60))


def test_a_flush_gives_what_waits_and_the_next_frame_begins_anew():
    packetizer = Packetizer(60, rate_hz=8000)
    packets = run(packetizer, 4)
    assert [slot for slot, _ in packets] == [4]
    assert packetizer.flush().tolist() == list(range(480, 640))
    assert [slot for slot, _ in run(packetizer, 6)] == [4, 10]
    assert packetizer.flush().shape == (0,)


@pytest.mark.parametrize("ptime_ms", [0, 5, 25, 70])
def test_other_lengths_are_refused(ptime_ms):
    with pytest.raises(ValueError, match=f"ptime of {ptime_ms} ms: expected 10 to 60 in steps"):
        Packetizer(ptime_ms, rate_hz=8000)
