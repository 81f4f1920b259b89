"""How evenly the agent's packets arrive, and whether its clock runs true. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from softagent.lab.tap import Arrival

NS_PER_MS = 1_000_000


def sound_only(arrivals: Sequence[Arrival], payload_type: int) -> list[Arrival]:
    """The packets that carry sound."""
    return [arrival for arrival in arrivals if arrival.payload_type == payload_type]


def intervals_ms(arrivals: Sequence[Arrival]) -> list[float]:
    """The time between each two packets that arrived one after the other."""
    at_ns = np.array([arrival.at_ns for arrival in arrivals], dtype=np.int64)
    return [float(interval) for interval in np.diff(at_ns) / NS_PER_MS]


def drift_ppm(calls: Sequence[Sequence[Arrival]], clock_hz: int) -> float:
    """How much faster than wall time media time runs, in parts per million, over several calls.

    The slope of one straight line fitted (least squares) through the packets of all calls,
    each call counted from its own middle. 0 when there are too few packets to tell.
    """
    products, squares = 0.0, 0.0
    for arrivals in calls:
        if len(arrivals) < 2:
            continue
        wall = np.array([arrival.at_ns for arrival in arrivals], dtype=np.int64)
        elapsed = (wall - wall[0]) / 1e9
        ahead = _unwrapped(arrivals) / clock_hz - elapsed
        centred = elapsed - elapsed.mean()
        products += float(np.sum(centred * (ahead - ahead.mean())))
        squares += float(np.sum(centred**2))
    return products / squares * 1e6 if squares else 0.0


def _unwrapped(arrivals: Sequence[Arrival]) -> npt.NDArray[np.float64]:
    """Timestamps from the first packet on, without their 32-bit wrap: shape (n,)."""
    stamps = np.array([arrival.timestamp for arrival in arrivals], dtype=np.int64)
    steps = (np.diff(stamps) + 2**31) % 2**32 - 2**31
    return np.concatenate(([0.0], np.cumsum(steps, dtype=np.float64)))
