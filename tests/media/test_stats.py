"""The numbers about a stream."""

from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.media.stats import Histogram, Reception


def test_a_histogram_tells_percentiles_to_a_tenth_of_a_millisecond():
    histogram = Histogram()
    for time_ms in [0.05] * 98 + [3.14, 7.0]:
        histogram.add(time_ms)
    assert histogram.percentile_ms(50) == 0.1
    assert histogram.percentile_ms(99) == 3.2
    assert histogram.percentile_ms(100) == histogram.max_ms == 7.0


def test_a_histogram_without_packets_is_zero():
    assert Histogram().percentile_ms(99) == 0.0


def test_what_took_seconds_counts_as_the_last_step():
    histogram = Histogram()
    histogram.add(5000.0)
    assert (histogram.percentile_ms(50), histogram.max_ms) == (100.0, 5000.0)


@settings(deadline=None)
@given(st.integers(0, 65535), st.sets(st.integers(1, 198)))
def test_loss_is_what_never_came(start, missing):
    reception = Reception(8000)
    for number in range(200):
        if number not in missing:
            reception.count((start + number) % 65536)
    assert reception.lost == len(missing)
    assert reception.highest_sequence == start + 199


def test_a_source_that_counts_anew_is_no_loss():
    reception = Reception(8000)
    for number in [10, 11, 13, 40000, 40001, 40002]:
        reception.count(number)
    assert reception.lost == 1


def test_one_wild_number_is_no_loss():
    reception = Reception(8000)
    for number in [10, 11, 30000, 12, 13]:
        reception.count(number)
    assert reception.lost == 0


def test_jitter_is_the_smoothed_variation_of_the_transit_time():
    """1 ms early and late in turn: the variation is 2 ms each time (RFC 3550 A.8)."""
    reception = Reception(8000)
    for number in range(300):
        reception.time(number * 0.02 + 0.001 * (-1) ** number, number * 160)
    assert abs(reception.jitter_ms - 2.0) < 0.01


def test_a_jump_of_the_timestamp_is_no_jitter():
    reception = Reception(8000)
    reception.time(0.0, 0)
    reception.time(0.02, 1_000_000)
    reception.time(0.04, 1_000_160)
    assert reception.jitter_ms < 0.001
