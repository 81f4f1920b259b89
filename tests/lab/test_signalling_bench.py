"""The signalling benchmark: a short real run, and the arithmetic of its figures."""

from __future__ import annotations

import pytest

from softagent.lab.signalling_bench import (
    SignallingMeasurements,
    SignallingPlan,
    absences,
    measure_signalling,
)
from softagent.lab.signalling_figures import rendered, summary


def test_a_real_run() -> None:
    """Calls are taken, others refused as busy meanwhile, and a PBX without memory learns of us again."""
    told: list[str] = []
    plan = SignallingPlan(calls=3, refusals=5, restarts=1, longest_absence_seconds=0.2)
    measured = measure_signalling(plan, told.append)
    assert len(measured.answers_ms) == 3
    assert min(measured.answers_ms) > 0
    assert measured.unanswered == 0
    assert measured.refused_per_second > 0
    assert len(measured.reregistered_s) == 1
    assert measured.reregistered_s[0] is not None
    assert told[0] == "3 calls, one after the other ..."


def measurements(returns: list[float | None]) -> SignallingMeasurements:
    return SignallingMeasurements(
        answers_ms=[10.0, 20.0, 30.0],
        taken_per_second=41.26,
        refused_per_second=99.0,
        unanswered=0,
        reregistered_s=returns,
        absent_s=[1.0] * len(returns),
    )


def test_the_figures_are_those_of_the_issue() -> None:
    """Percentiles of the answers; of the returns, how many were in time."""
    result = summary(measurements([2.0, 11.0, None, 4.0]))
    assert result["answer_ms"] == {"n": 3, "p50": 20.0, "p95": 29.0, "max": 30.0}
    assert result["calls_per_second"] == {"taken": 41.3, "refused": 99.0}
    assert result["reregister_s"] == {
        "tries": 4,
        "within_10_s": 2,
        "p50": 4.0,
        "max": 11.0,
        "each": [2.0, 11.0, None, 4.0],
        "absent": [1.0] * 4,
    }


def test_the_table_shows_what_is_promised() -> None:
    """A row a figure; without restarts there is nothing to show of them."""
    text = "\n".join(rendered(summary(measurements([2.0, None]))))
    assert "INVITE to 200, p95 (ms)                     29.0   below 50" in text
    assert "within 10 s                               1 of 2        all" in text
    assert "unknown" in "\n".join(rendered(summary(measurements([None]))))
    assert "registered" not in "\n".join(rendered(summary(measurements([]))))


@pytest.mark.parametrize("seed", range(20))
def test_absences_are_spread_over_what_can_be(seed: int) -> None:
    """One in each tenth, in random order: the REGISTERs' own rhythm is met at every point."""
    times = absences(SignallingPlan(1, 0, restarts=10, seed=seed, longest_absence_seconds=10))
    assert sorted(int(seconds) for seconds in times) == list(range(10))
