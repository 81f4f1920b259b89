"""The media benchmark: a short real run, and the arithmetic of its figures."""

from __future__ import annotations

import pytest

from softagent.errors import EngineFailed
from softagent.lab.impairment import Impairment
from softagent.lab.media_bench import MediaConditions, MediaMeasurements, measure_media
from softagent.lab.media_figures import rendered, summary
from softagent.lab.tap import Arrival
from softagent.media.stats import StreamStats

SECONDS = 2.0
NS_PER_MS = 1_000_000


def conditions(**changes: float) -> MediaConditions:
    return MediaConditions("PCMU", SECONDS, Impairment(**changes), load=0)


def measurements(times_ms: list[float], **stats: object) -> MediaMeasurements:
    """Packets of PCMU that arrived at these times."""
    arrivals = [
        Arrival(round(at * NS_PER_MS), 0, number, number * 160, 7)
        for number, at in enumerate(times_ms)
    ]
    near = StreamStats(**stats)  # type: ignore[arg-type]
    return MediaMeasurements(
        tuple(arrivals), near, ticks=1000, priority="nice -11", sent_to_near=200, lost_to_near=10
    )


def test_a_real_run_through_a_lossy_relay() -> None:
    """A process, two streams, a relay and a load: every figure is there, and they fit together."""
    asked = MediaConditions("PCMA", SECONDS, Impairment(loss_pct=20, jitter_ms=5), load=1, seed=4)
    measured = measure_media(asked)
    result = summary(asked, measured)
    assert measured.ticks >= SECONDS * 50
    assert result["packets"] == pytest.approx(SECONDS * 50, abs=10)
    assert 0 < measured.lost_to_near < measured.sent_to_near
    assert measured.near.lost > 0
    assert measured.near.concealed >= measured.near.lost / 2
    assert {"interval_ms", "drift_ppm", "jitter_buffer_ms", "mos", "machine"} <= result.keys()
    assert 1 <= result["mos"] < 4.5  # type: ignore[operator]
    assert measured.priority


def test_the_figures_are_computed_from_packets_and_counters() -> None:
    """Intervals from the kernel's times, shares from what was expected."""
    times = [0.0, 20, 40, 65, 80]
    result = summary(
        conditions(loss_pct=5),
        measurements(
            times, packets_received=190, lost=10, late=2, concealed=15, buffer_mean_ms=43.21
        ),
    )
    assert result["interval_ms"] == {"p50": 20.0, "p99": pytest.approx(24.85), "max": 25.0}
    assert (result["lost_pct"], result["late_pct"], result["concealed_pct"]) == (5.0, 1.0, 1.5)
    assert (result["jitter_buffer_ms"], result["mos"], result["round_trip_ms"]) == (
        43.2,
        None,
        None,
    )
    assert result["network"]["really_lost_pct"] == 5.0  # type: ignore[index]


def test_the_table_shows_what_is_promised_and_what_is_unknown() -> None:
    """A row a figure; conditions below."""
    lines = rendered(summary(conditions(loss_pct=5), measurements([0.0, 20, 40])))
    text = "\n".join(lines)
    assert "send interval p99 (ms)          20.00    18 to 22" in text
    assert "MOS as we hear it             unknown" in text
    assert "loss_pct 5" in text
    assert "burst" not in text
    assert "Priority of the media threads: nice -11" in text


def test_a_stream_that_sent_nothing_is_an_error() -> None:
    """Instead of a table of zeros."""
    with pytest.raises(EngineFailed, match="sent nothing"):
        summary(conditions(), measurements([]))
