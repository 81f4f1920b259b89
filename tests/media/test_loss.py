"""Runs of loss: patterns in, lengths out."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.media.loss import WINDOW_PACKETS, LossRuns


def runs(pattern, *, start=1000):
    """`x` for a packet that came, `.` for one that didn't; and as many after it as decide them."""
    found = LossRuns()
    for number, mark in enumerate(pattern + "x" * WINDOW_PACKETS):
        if mark == "x":
            found.count(start + number)
    return found


@pytest.mark.parametrize(
    ("pattern", "lost", "count"),
    [("xxxx", 0, 0), ("x.x.x", 2, 2), ("x..x.x", 3, 2), ("x" + "." * 100 + "x.x", 101, 2)],
)
def test_runs_are_told_apart(pattern, lost, count):
    found = runs(pattern)
    assert (found.lost, found.runs) == (lost, count)


def test_loss_before_the_first_packet_is_unknown():
    assert runs("...xx").lost == 0


def test_a_packet_that_is_late_is_not_lost():
    found = LossRuns()
    for number in [1, 2, 5, 3, 4, *range(6, 6 + WINDOW_PACKETS), 3]:
        found.count(number)
    assert found.lost == 0


def test_the_window_decides():
    found = LossRuns()
    for number in [1, *range(3, 2 + WINDOW_PACKETS)]:
        found.count(number)
    assert found.lost == 0
    found.count(2 + WINDOW_PACKETS)
    assert found.lost == 1
    found.count(2)
    assert found.lost == 1, "too late"


def test_another_source_begins_anew():
    found = runs("x.x")
    found.restart()
    for number in (7, 8, 10):
        found.count(number)
    assert found.lost == 1
    found.restart()
    assert (found.lost, found.runs) == (2, 2), "what was undecided is, now"


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=300), st.randoms(use_true_random=False))
def test_order_makes_no_difference_within_the_window(came, rng):
    numbers = [0, *(number for number, here in enumerate(came, 1) if here)]
    mixed = sorted(numbers, key=lambda number: number + rng.uniform(0, 20) * (number > 0))
    tail = range(len(came) + 1, len(came) + 1 + WINDOW_PACKETS)
    found = LossRuns()
    for number in (*mixed, *tail):
        found.count(number)
    assert found.lost == len(came) - sum(came)


def test_random_loss_has_a_burst_ratio_of_one():
    rng = random.Random(1)
    found = runs("x" + "".join("." if rng.random() < 0.1 else "x" for _ in range(20_000)))
    assert found.burst_ratio == pytest.approx(1.0, abs=0.03)


def test_loss_in_runs_of_four_has_a_burst_ratio_of_nearly_four():
    found = runs(("x" * 96 + "." * 4) * 50)
    assert found.burst_ratio == pytest.approx(4 * 0.96, rel=0.02)


def test_no_loss_has_none():
    assert LossRuns().burst_ratio == runs("xxx").burst_ratio == 1.0
