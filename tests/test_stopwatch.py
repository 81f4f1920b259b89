"""Stage times count from the caller's last voiced tick."""

from __future__ import annotations

from softagent.stopwatch import Stopwatch


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_marks_count_from_the_end_of_the_last_voiced_tick() -> None:
    clock = Clock()
    stopwatch = Stopwatch(clock)
    stopwatch.start()
    stopwatch.open(4, last_voiced=99)
    clock.seconds = 1002.5
    stopwatch.mark(4, "transcribed")
    clock.seconds = 1002.75
    stopwatch.mark(4, "heard")
    assert stopwatch.read(4) == {"transcribed": 500.0, "heard": 750.0}


def test_the_first_mark_of_a_stage_counts() -> None:
    clock = Clock()
    stopwatch = Stopwatch(clock)
    stopwatch.start()
    stopwatch.open(1, last_voiced=-1)
    clock.seconds += 0.25
    stopwatch.mark(1, "ended")
    clock.seconds += 0.25
    stopwatch.mark(1, "ended")
    assert stopwatch.read(1) == {"ended": 250.0}


def test_other_turns_have_no_times() -> None:
    stopwatch = Stopwatch(Clock())
    stopwatch.open(1, last_voiced=0)
    stopwatch.mark(2, "heard")
    assert stopwatch.read(2) is None


def test_time_on_hold_is_no_part_of_a_turn_after_it() -> None:
    """Ticks stand still on hold; the clock doesn't."""
    clock = Clock()
    stopwatch = Stopwatch(clock)
    stopwatch.start()
    stopwatch.skip(60 * 50)
    stopwatch.open(4, last_voiced=99)
    clock.seconds = 1062.5
    stopwatch.mark(4, "heard")
    assert stopwatch.read(4) == {"heard": 500.0}
