"""The E-model's short form against the values that ITU-T publishes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.media.quality import (
    listening_delay_ms,
    mos,
    quality,
    talking_delay_ms,
)


@pytest.mark.parametrize(
    ("r_factor", "expected"),
    [(100, 4.5), (93.2, 4.41), (90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58), (0, 1)],
)
def test_mos_is_that_of_g_107_and_g_109(r_factor, expected):
    """G.107 table B.1 and its default connection, R 93.2."""
    assert mos(r_factor) == pytest.approx(expected, abs=0.01)


@given(st.floats(-50, 150))
def test_mos_stays_on_its_scale(r_factor):
    assert 1.0 <= mos(r_factor) <= 4.5


def test_a_perfect_g_711_call_has_the_r_of_g_107s_defaults():
    found = quality("PCMU", delay_ms=0, loss_percent=0)
    assert (found.r_factor, round(found.mos, 2)) == (pytest.approx(93.2), 4.41)


@pytest.mark.parametrize(
    ("delay_ms", "cost"), [(100, 2.4), (150, 3.6), (177.3, 4.26), (400, 9.6 + 24.5)]
)
def test_delay_costs_what_the_short_form_says(delay_ms, cost):
    found = quality("PCMA", delay_ms=delay_ms, loss_percent=0)
    assert 93.2 - found.r_factor == pytest.approx(cost, abs=0.01)


@pytest.mark.parametrize(
    ("loss_percent", "burst_ratio", "cost"),
    [
        (1, 1, 95 / 26.1),
        (2, 1, 190 / 27.1),
        (5, 1, 475 / 30.1),
        (20, 1, 1900 / 45.1),
        (2, 2, 190 / 26.1),
        (100, 1, 9500 / 125.1),
    ],
)
def test_loss_costs_what_g_107_says_of_g_711_with_concealment(loss_percent, burst_ratio, cost):
    """Equation 7-29 with Ie 0, Bpl 25.1; 1 % costs 3.6, 5 % 15.8."""
    found = quality("PCMU", delay_ms=0, loss_percent=loss_percent, burst_ratio=burst_ratio)
    assert 93.2 - found.r_factor == pytest.approx(cost)


def test_g_722_is_rated_on_the_wideband_scale():
    """G.107.1: R 129 at best, of which G.722 at 64 kbit/s takes 13 (G.113 table IV.1)."""
    found = quality("G722", delay_ms=0, loss_percent=0)
    assert found.r_factor == pytest.approx((129 - 13) / 1.29)
    assert found.mos == pytest.approx(4.34, abs=0.01)
    assert quality("G722", delay_ms=0, loss_percent=3).mos < 3.5


@given(
    st.sampled_from(["PCMU", "PCMA", "G722"]),
    st.floats(0, 2000),
    st.floats(0, 100),
    st.floats(1, 10),
)
def test_nothing_makes_a_call_better(codec, delay_ms, loss_percent, burst_ratio):
    found = quality(codec, delay_ms=delay_ms, loss_percent=loss_percent, burst_ratio=burst_ratio)
    assert 0 <= found.r_factor <= 93.2
    worse = quality(
        codec, delay_ms=delay_ms + 1, loss_percent=loss_percent, burst_ratio=burst_ratio + 1
    )
    assert worse.r_factor <= found.r_factor


def test_delays_are_added_up_from_mouth_to_ear():
    assert listening_delay_ms(80, buffer_ms=40) == 20 + 40 + 40
    assert listening_delay_ms(None, buffer_ms=0) == 20
    assert talking_delay_ms(80, jitter_ms=30) == 20 + 40 + 60
    assert talking_delay_ms(None, jitter_ms=0) == 20 + 20
