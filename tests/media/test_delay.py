"""The delay that jitter asks for: no more than it must be, grown at once, shrunk slowly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtp_source import FRAME, Source

from softagent.media.codec import codec_named
from softagent.media.delay import (
    GROW_LOUD_TICKS,
    LATE_ARRIVALS,
    SHRINK_LOUD_TICKS,
    SHRINK_QUIET_TICKS,
    Correction,
    PlayoutDelay,
)
from softagent.media.jitter import LONGEST_DELAY_MS, JitterBuffer

LOUD, QUIET = b"\x90", b"\xfe"
PHASE_MS = 5
"""Packets come this long before the tick, unless they are late."""


def delay():
    return PlayoutDelay(frame_units=FRAME, reserve_units=FRAME, jump_units=10 * FRAME)


def measured(transits):
    """A delay that has seen one packet a tick with these transits."""
    measuring = delay()
    for number, transit in enumerate(transits):
        measuring.add(number * FRAME - transit, now=number * FRAME)
    return measuring


def test_without_jitter_the_reserve_is_asked_for():
    assert measured([70] * 50).wanted_units == 70 + FRAME


def test_one_percent_of_the_arrivals_may_be_late():
    calm = [0] * 396
    assert measured(calm + [500] * LATE_ARRIVALS).least_units == 0
    assert measured(calm + [500] * (LATE_ARRIVALS + 1)).least_units == 500


def test_what_was_long_ago_is_forgotten():
    assert measured([480] * 300 + [0] * 400).wanted_units == FRAME


def test_a_burst_after_a_stall_is_one_late_arrival():
    measuring = measured([0] * 50)
    for number in range(50, 60):
        measuring.add(number * FRAME, now=60 * FRAME)
    assert measuring.wanted_units == FRAME


def test_a_jump_of_the_timestamp_is_no_jitter():
    measuring = measured([0] * 50)
    for number in range(50, 54):
        measuring.add(number * FRAME - 90000, now=number * FRAME)
    assert measuring.wanted_units == 90000 + FRAME


@settings(deadline=None)
@given(st.lists(st.integers(0, 1500), min_size=1, max_size=450))
def test_at_the_least_delay_only_so_many_are_late(transits):
    measuring = measured(transits)
    recent = np.array(transits[-400:])
    if np.abs(np.diff(transits)).max(initial=0) <= 10 * FRAME:
        late = (recent > measuring.least_units).sum()
        assert late <= LATE_ARRIVALS
        assert measuring.least_units <= measuring.wanted_units
        assert measuring.wanted_units <= max(recent.max(), recent.min() + FRAME)


def corrections(measuring, units, ticks, *, is_quiet):
    return [measuring.correction(units, is_quiet=is_quiet) for _ in range(ticks)]


def test_the_wanted_delay_is_left_alone():
    measuring = measured([0] * 50)
    for units in (FRAME, 2 * FRAME - 1):
        for is_quiet in (True, False):
            assert set(corrections(measuring, units, 500, is_quiet=is_quiet)) == {Correction.NONE}


def test_it_grows_at_once_in_a_quiet_moment_and_soon_in_speech():
    late = [0, 3 * FRAME] * 100
    assert corrections(measured(late), FRAME, 1, is_quiet=True) == [Correction.WAIT]
    speech = corrections(measured(late), FRAME, GROW_LOUD_TICKS + 1, is_quiet=False)
    assert speech == [Correction.NONE] * GROW_LOUD_TICKS + [Correction.WAIT]


def test_it_shrinks_after_a_second_in_a_quiet_moment_and_after_three_in_speech():
    quiet = corrections(measured([0] * 9), 5 * FRAME, SHRINK_QUIET_TICKS + 2, is_quiet=True)
    assert quiet == [Correction.NONE] * SHRINK_QUIET_TICKS + [Correction.SKIP] * 2
    speech = corrections(measured([0] * 9), 5 * FRAME, SHRINK_LOUD_TICKS + 11, is_quiet=False)
    assert [tick for tick, what in enumerate(speech) if what is Correction.SKIP] == [
        SHRINK_LOUD_TICKS,
        SHRINK_LOUD_TICKS + 5,
        SHRINK_LOUD_TICKS + 10,
    ]


def test_what_cannot_be_done_now_is_asked_for_until_it_can():
    late = measured([0, 3 * FRAME] * 100)
    for _ in range(2 * GROW_LOUD_TICKS):
        assert late.correction(FRAME, is_quiet=False, can_wait=False) is Correction.NONE
    assert late.correction(FRAME, is_quiet=False) is Correction.WAIT
    long = measured([0] * 9)
    for _ in range(SHRINK_QUIET_TICKS + 9):
        assert long.correction(5 * FRAME, is_quiet=True, can_skip=False) is Correction.NONE
    assert long.correction(5 * FRAME, is_quiet=True) is Correction.SKIP


def test_a_moment_of_the_right_delay_begins_the_wait_anew():
    measuring = measured([0] * 9)
    corrections(measuring, 5 * FRAME, SHRINK_QUIET_TICKS, is_quiet=True)
    measuring.correction(FRAME, is_quiet=True)
    assert measuring.correction(5 * FRAME, is_quiet=True) is Correction.NONE


class Network:
    """Speech with pauses, sent every `period_ms`, through a network that delays each packet."""

    def __init__(self, delays_ms, *, period_ms=20.0, duration=FRAME, lost=(), twice=()):
        self.buffer = JitterBuffer(codec_named("PCMU"))
        source = Source(sequence_number=64000, timestamp=2**32 - 200000, duration=duration)
        arrivals = []
        for number, delay_ms in enumerate(delays_ms):
            code = QUIET if number % 100 < 30 else LOUD
            packet = source.packet(payload=code * duration)
            at_ms = number * period_ms + PHASE_MS + delay_ms
            if number not in lost:
                arrivals.append((at_ms, number, packet))
            if number in twice:
                arrivals.append((at_ms + 15, number, packet))
        arrivals.sort(key=lambda arrival: arrival[:2])
        self.depths_ms, position = [], 0
        for tick in range(int(len(delays_ms) * period_ms / 20)):
            while position < len(arrivals) and arrivals[position][0] <= (tick + 0.5) * 20:
                self.buffer.push(arrivals[position][2])
                position += 1
            assert self.buffer.pop().shape == (FRAME,)
            self.depths_ms.append(self.buffer.depth_ms)
        self.counters = self.buffer.counters

    def mean_ms(self, start, end=None):
        """Sound that waits on average, from tick to tick."""
        return float(np.mean(self.depths_ms[start:end]))


def uniform(jitter_ms, count=3000):
    return np.random.default_rng(4).uniform(0, jitter_ms, count)


def calm(count=3000):
    return np.zeros(count)


def test_a_constant_delay_costs_twenty_milliseconds_and_nothing_else():
    network = Network(calm() + 80)
    assert set(network.depths_ms[5:]) == {20}
    assert (network.counters.concealed, network.counters.dropped) == (0, 0)


@pytest.mark.parametrize(
    ("jitter_ms", "most_ms", "most_concealed"),
    [(10, 20, 0), (30, 40, 3), (60, 60, 6), (100, 90, 9)],
)
def test_jitter_costs_about_itself_and_hardly_a_frame(jitter_ms, most_ms, most_concealed):
    network = Network(uniform(jitter_ms))
    assert network.mean_ms(200) <= most_ms
    assert network.counters.concealed <= most_concealed
    assert network.counters.late <= most_concealed


def test_a_long_tail_is_followed_up_to_one_percent():
    tail = np.random.default_rng(4).exponential(15, 6000)
    network = Network(tail)
    late = network.counters.late / 6000
    assert late < 0.015
    assert network.mean_ms(400) < np.percentile(tail, 99) + 20


def test_a_single_spike_costs_one_frame_and_no_delay():
    delays = calm()
    delays[1000] = 150
    network = Network(delays)
    assert (network.counters.concealed, network.counters.late) == (1, 1)
    assert network.mean_ms(1020) == 20


@pytest.mark.parametrize("stall_ms", [100, 200, 500, 3000])
def test_the_delay_of_a_burst_after_an_outage_is_gone_in_four_seconds(stall_ms):
    delays = calm()
    frames = stall_ms // 20
    delays[1000 : 1000 + frames] = np.arange(stall_ms, 0, -20)
    network = Network(delays)
    assert max(network.depths_ms) <= LONGEST_DELAY_MS
    assert network.mean_ms(1000 + frames + 200) == 20
    assert network.counters.resyncs == 0


def test_stalls_that_come_again_and_again_are_waited_for():
    delays = calm(6000)
    for start in range(500, 5990, 25):
        delays[start : start + 4] = [80, 60, 40, 20]
    network = Network(delays)
    assert network.counters.concealed <= 12, "of 219 stalls"


def test_reordered_packets_stop_being_late():
    delays = calm()
    delays[::10] = 50
    network = Network(delays)
    assert network.counters.late <= 2 * LATE_ARRIVALS, "of 300"
    assert network.mean_ms(200) <= 60


def test_reordered_packets_of_30_ms_stop_being_late():
    delays = calm(2000)
    delays[::10] = 70
    network = Network(delays, period_ms=30, duration=240)
    assert network.counters.late <= 2 * LATE_ARRIVALS, "of 200"


def test_duplicates_change_nothing():
    delays = uniform(30)
    alone, doubled = Network(delays), Network(delays, twice=range(0, 3000, 7))
    assert doubled.depths_ms == alone.depths_ms
    assert doubled.counters.concealed == alone.counters.concealed
    assert doubled.counters.late == alone.counters.late
    assert doubled.counters.doubled == len(range(0, 3000, 7))


def test_losses_do_not_delay():
    lost = set(np.flatnonzero(np.random.default_rng(2).random(3000) < 0.05).tolist())
    network = Network(calm(), lost=lost)
    assert max(network.depths_ms) == 20
    assert len(lost) <= network.counters.concealed + 1 <= len(lost) + 2


def test_a_delay_that_goes_up_and_comes_down_is_followed():
    network = Network(np.concatenate((calm(1000), calm(1000) + 100, calm(2000))))
    assert network.mean_ms(1500, 2000) <= 40
    assert network.mean_ms(2600) == 20
    assert network.counters.concealed <= 6


def test_jitter_that_has_ended_is_forgotten():
    network = Network(np.concatenate((uniform(100, 1000), calm(2000))))
    assert network.mean_ms(1700) == 20


@pytest.mark.parametrize("parts_per_million", [-200, 200])
def test_another_clock_builds_up_no_delay_in_half_an_hour(parts_per_million):
    """0.36 s in all: 18 frames, made up or left out where it is quiet."""
    period_ms = 20 * (1 + parts_per_million / 1e6)
    network = Network(uniform(2, 90000), period_ms=period_ms)
    assert max(network.depths_ms[100:]) <= 40
    assert network.mean_ms(85000) <= 30
    counters = network.counters
    assert 16 <= counters.dropped + counters.concealed <= 22
    assert (counters.late, counters.resyncs) == (0, 0)


@settings(deadline=None, max_examples=30)
@given(
    delays=st.lists(st.integers(0, 150), min_size=20, max_size=200),
    lost=st.sets(st.integers(0, 199), max_size=20),
)
def test_whatever_the_network_did_calm_brings_the_delay_back(delays, lost):
    network = Network([*delays, *[0] * 900], lost=lost)
    assert max(network.depths_ms) <= LONGEST_DELAY_MS
    assert network.depths_ms[-1] <= 40
