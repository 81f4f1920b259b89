"""A bad network's chances: what is asked for is what happens, and the same seed does it again."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.errors import ConfigError
from softagent.lab.impairment import HELD_BACK_SECONDS, Impairment, Road

PACKETS = 20000


def sent(impairment: Impairment, *, seed: int = 3, packets: int = PACKETS) -> list[list[float]]:
    """The arrivals of packets that set out every 20 ms."""
    road = Road(impairment, seed)
    return [road.arrivals(number * 0.02) for number in range(packets)]


def delays_ms(arrivals: list[list[float]]) -> list[float]:
    return [1000 * (times[0] - n * 0.02) for n, times in enumerate(arrivals) if times]


def test_a_perfect_network_does_nothing() -> None:
    """Each packet arrives once, at once."""
    assert sent(Impairment(), packets=50) == [[n * 0.02] for n in range(50)]


@pytest.mark.parametrize(("loss_pct", "burst"), [(1, 1), (3, 1), (10, 1), (5, 3), (20, 2)])
def test_loss_and_its_bursts_are_what_was_asked_for(loss_pct: float, burst: float) -> None:
    """Runs are `burst` times as long as by chance, which would be 1 / (1 - loss)."""
    lost = [not times for times in sent(Impairment(loss_pct=loss_pct, burst=burst))]
    runs = [len(list(run)) for is_lost, run in itertools.groupby(lost) if is_lost]
    share = sum(lost) / PACKETS
    assert share == pytest.approx(loss_pct / 100, rel=0.25)
    assert sum(runs) / len(runs) == pytest.approx(burst / (1 - loss_pct / 100), rel=0.15)


def test_the_road_counts() -> None:
    """What it lost and what it let pass."""
    road = Road(Impairment(loss_pct=50), seed=1)
    arrived = [road.arrivals(0.0) for _ in range(200)]
    assert road.lost == arrived.count([])
    assert road.lost + road.passed == 200


def test_jitter_keeps_order_and_its_mean() -> None:
    """Where packets don't queue up behind each other, the mean is the one asked for."""
    small = delays_ms(sent(Impairment(delay_ms=40, jitter_ms=2)))
    assert min(small) >= 40
    assert sum(small) / len(small) == pytest.approx(42, abs=0.2)
    arrivals = [times[0] for times in sent(Impairment(jitter_ms=50))]
    assert arrivals == sorted(arrivals)


def test_packets_held_back_are_overtaken() -> None:
    """By one or two that follow, as often as was asked for."""
    arrivals = [times[0] for times in sent(Impairment(reorder_pct=5))]
    held = [n for n, at in enumerate(arrivals) if at - n * 0.02 > HELD_BACK_SECONDS / 2]
    assert len(held) / PACKETS == pytest.approx(0.05, rel=0.2)
    overtaken = sum(before > after for before, after in itertools.pairwise(arrivals))
    assert overtaken >= 0.9 * len(held)


def test_duplicates_come_after_their_originals() -> None:
    """As often as was asked for."""
    arrivals = sent(Impairment(duplicate_pct=10))
    twice = [times for times in arrivals if len(times) == 2]
    assert len(twice) / PACKETS == pytest.approx(0.1, rel=0.2)
    assert all(first < second for first, second in twice)


@settings(deadline=None)
@given(
    st.builds(
        Impairment,
        loss_pct=st.floats(0, 50),
        burst=st.floats(1, 2),
        delay_ms=st.floats(0, 500),
        jitter_ms=st.floats(0, 200),
        reorder_pct=st.floats(0, 100),
        duplicate_pct=st.floats(0, 100),
    ),
    st.integers(0, 2**32),
)
def test_the_same_seed_does_the_same_and_nothing_arrives_before_it_set_out(
    impairment: Impairment, seed: int
) -> None:
    """Whatever is asked for."""
    once, again = (sent(impairment, seed=seed, packets=60) for _ in range(2))
    assert once == again
    assert all(0 <= len(times) <= 2 for times in once)
    floor = impairment.delay_ms / 1000
    assert all(at >= n * 0.02 + floor - 1e-9 for n, times in enumerate(once) for at in times)


@pytest.mark.parametrize(
    ("impairment", "sentences"),
    [
        (Impairment(loss_pct=100), ["loss 100: expected 0 to 99"]),
        (
            Impairment(delay_ms=-1, reorder_pct=101),
            ["delay -1: expected 0 to 10000", "reorder 101: expected 0 to 100"],
        ),
        (Impairment(loss_pct=50, burst=3), ["burst 3: expected 1 to 2 at 50 % loss"]),
        (Impairment(burst=0.5), ["burst 0.5: expected 1 to inf at 0 % loss"]),
    ],
)
def test_what_cannot_be_is_refused(impairment: Impairment, sentences: list[str]) -> None:
    """All of it at once, a sentence each."""
    with pytest.raises(ConfigError) as refused:
        Road(impairment, 1)
    assert list(refused.value.problems) == sentences
