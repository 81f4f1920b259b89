"""The media clock's deadlines, with numbers as time."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.media.pace import FRAME_SECONDS, SLEPT_FRAMES, Pace


def test_the_first_packet_is_due_at_once():
    assert Pace(100.0).late_seconds(100.0) == 0


def test_a_late_wake_up_delays_no_later_deadline():
    pace = Pace(0.0)
    pace.take(0.0)
    assert pace.take(0.05) == 0
    assert pace.late_seconds(0.05) == pytest.approx(0.01), "the next one is due already"
    pace.take(0.05)
    assert pace.late_seconds(0.05) == pytest.approx(-0.01)


def test_time_that_the_machine_slept_is_left_out():
    pace = Pace(0.0)
    pace.take(0.0)
    assert pace.take(5.021) == 250
    assert pace.late_seconds(5.021) == pytest.approx(-0.019)


@settings(deadline=None)
@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_slots_and_time_never_part(delays):
    """However late the thread wakes, what was sent and what was left out add up to the time."""
    pace, now, slots = Pace(0.0), 0.0, 0
    for delay in delays:
        now = max(now, slots * FRAME_SECONDS) + delay
        slots += pace.take(now) + 1
        assert pace.late_seconds(now) == pytest.approx(now - slots * FRAME_SECONDS, abs=1e-6)
        assert pace.late_seconds(now) < SLEPT_FRAMES * FRAME_SECONDS


def test_half_ticks_are_taken_when_asked_for_and_keep_the_time():
    pace = Pace(0.0)
    pace.take(0.0, slots=1)
    assert pace.is_half_tick
    assert pace.late_seconds(0.0) == pytest.approx(-0.01)
    pace.take(0.01, slots=1)
    assert not pace.is_half_tick
    pace.take(0.02)
    assert (pace.is_half_tick, pace.late_seconds(0.02)) == (False, pytest.approx(-0.02))


def test_a_sleep_in_the_middle_of_a_tick_leaves_out_whole_ticks():
    pace = Pace(0.0)
    pace.take(0.0, slots=1)
    assert pace.take(5.0, slots=1) == 249
    assert not pace.is_half_tick


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_half_an_hour_has_90_000_packets_whatever_the_wake_ups_are_like(seed):
    """Drift by construction 0: each deadline is counted from the start, none from the last."""
    rng = random.Random(seed)
    start, packets = 98765.4321, 0
    pace = Pace(start)
    now = start
    while packets < 90_000:
        late_seconds = pace.late_seconds(now)
        if late_seconds < 0:
            now += -late_seconds + rng.choice((0.0, 0.0001, 0.0007, 0.004, 0.03))
            continue
        assert pace.take(now) == 0
        packets += 1
    due_seconds = now - pace.late_seconds(now)
    assert due_seconds - start == pytest.approx(30 * 60, abs=1e-5), "0.01 % would be 180 ms"
