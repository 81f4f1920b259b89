"""Intervals and drift, computed from packets whose clock is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.lab.pacing import drift_ppm, intervals_ms, sound_only
from softagent.lab.tap import Arrival

CLOCK_HZ = 8000
START_NS = 1_800_000_000_000_000_000


def stream(
    *, packets: int, ppm: float = 0.0, first_timestamp: int = 0, late_ms: tuple[float, ...] = ()
) -> list[Arrival]:
    """One packet every 20 ms by a clock that runs `ppm` fast; the first ones late by `late_ms`."""
    lateness = [*late_ms, *[0.0] * (packets - len(late_ms))]
    return [
        Arrival(
            at_ns=START_NS + round((number * 20 / (1 + ppm / 1e6) + late) * 1e6),
            payload_type=0,
            sequence=number % 65536,
            timestamp=(first_timestamp + number * 160) % 2**32,
            ssrc=7,
        )
        for number, late in enumerate(lateness)
    ]


@given(st.floats(-10_000, 10_000), st.integers(0, 2**32 - 1))
def test_a_known_drift_is_measured(ppm: float, first_timestamp: int) -> None:
    """To within 1 ppm, also where the timestamp wraps."""
    call = stream(packets=500, ppm=ppm, first_timestamp=first_timestamp)
    assert drift_ppm([call], CLOCK_HZ) == pytest.approx(ppm, abs=1)


def test_calls_are_pooled_each_from_its_own_start() -> None:
    """Two calls hours apart with the same drift have that drift together."""
    calls = [stream(packets=400, ppm=50), stream(packets=200, ppm=50, first_timestamp=2**31)]
    assert drift_ppm(calls, CLOCK_HZ) == pytest.approx(50, abs=1)


def test_too_few_packets_have_no_drift() -> None:
    """Nothing to fit a line through: 0."""
    assert drift_ppm([], CLOCK_HZ) == 0.0
    assert drift_ppm([stream(packets=1)], CLOCK_HZ) == 0.0


def test_a_late_packet_makes_a_long_and_a_short_interval() -> None:
    """5 ms late: 25 ms, then 15 ms."""
    assert intervals_ms(stream(packets=4, late_ms=(0, 5))) == pytest.approx([25, 15, 20])


def test_only_sound_counts() -> None:
    """Digits are sent between the sound and would halve the intervals."""
    event = Arrival(START_NS, payload_type=101, sequence=0, timestamp=0, ssrc=7)
    assert sound_only([*stream(packets=2), event], payload_type=0) == stream(packets=2)
