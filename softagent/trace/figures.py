"""What a stream of RTP was like, in figures: loss, order, timing. Pure.

Arrival means arrival where the capture was made: what is sent by the machine that
captures shows how evenly it sends, what it receives shows what the network did to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from softagent.trace.rtp import Packets

NS_PER_MS = 1_000_000
RESTART_PACKETS = 3000
"""A sequence number further off begins a new count (RFC 3550 appendix A.1)."""
LATE_MS = 60.0
"""A packet this much behind the fastest of its time would miss its turn in a jitter buffer of three frames."""
BLOCK_PACKETS = 500
"""How many packets "its time" is: ten seconds, in which no clock drifts by as much as that."""
PAUSE_TOLERANCE_MS = 100.0
"""A timestamp that advances by as much as the time that passed is a pause of the sender, not a jump."""
SHORTEST_DRIFT_SECONDS = 5.0

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Spread:
    """Times between packets that arrived one after the other, in ms."""

    p50: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One stream."""

    packets: int
    seconds: float
    lost: int
    duplicates: int
    reordered: int
    late: int
    """See LATE_MS."""
    restarts: int
    """Times that the sequence number began anew."""
    timestamp_jumps: int
    """Timestamps that fit neither the packets before nor the time that passed."""
    pauses: int
    """Times that the sender paused (silence suppression): its timestamp went on with the clock."""
    markers: int
    interval_ms: Spread | None
    """Between packets of sound with nothing between them; None where there are none."""
    max_gap_ms: float
    """The longest time without any packet."""
    max_gap_at: float
    """When that began, in seconds since the stream's first packet."""
    jitter_ms: float
    """Interarrival jitter (RFC 3550 appendix A.8) at its end, and at its worst."""
    max_jitter_ms: float
    ptime_ms: float
    """Sound in most packets; 0 when it can't be told."""
    drift_ppm: float | None
    """How much faster the sender's clock runs than ours; None for a short stream."""

    @property
    def lost_pct(self) -> float:
        """Of the packets that were sent."""
        expected = self.packets - self.duplicates + self.lost
        return 100 * self.lost / expected if expected else 0.0


def figures(stream: Packets, clock_hz: int, *, beside: frozenset[int]) -> Figures:
    """Count and measure; `beside` are payload types that are no sound: digits and comfort noise."""
    at_ns = np.array(stream.at_ns, dtype=np.int64)
    sequence, starts = _extended(np.array(stream.sequence, dtype=np.int64))
    stamps = _unwrapped(np.array(stream.timestamp, dtype=np.int64), 32)
    is_sound = ~np.isin(np.array(stream.payload_type), list(beside))
    lost, duplicates, reordered = _order(sequence, starts)
    step = _step(sequence[is_sound], stamps[is_sound])
    jumps, pauses = _timestamps(sequence, stamps, at_ns, is_sound, step=step, clock_hz=clock_hz)
    ahead_ms = stamps * 1000 / clock_hz - (at_ns - at_ns[0]) / NS_PER_MS
    jitter = _jitter_ms(ahead_ms[is_sound])
    intervals = np.diff(at_ns) / NS_PER_MS
    between_sound = is_sound[1:] & is_sound[:-1]
    return Figures(
        packets=len(at_ns),
        seconds=float(at_ns[-1] - at_ns[0]) / 1e9,
        lost=lost,
        duplicates=duplicates,
        reordered=reordered,
        late=_late(ahead_ms[is_sound]),
        restarts=len(starts) - 1,
        timestamp_jumps=jumps,
        pauses=pauses,
        markers=int(np.sum(np.array(stream.marker))),
        interval_ms=_spread(intervals[between_sound]),
        max_gap_ms=float(intervals.max()) if len(intervals) else 0.0,
        max_gap_at=_longest_at(at_ns, intervals),
        jitter_ms=jitter[0],
        max_jitter_ms=jitter[1],
        ptime_ms=step * 1000 / clock_hz,
        drift_ppm=_drift_ppm(at_ns[is_sound], ahead_ms[is_sound]),
    )


def _unwrapped(values: Ints, bits: int) -> Ints:
    """Numbers that go on past their wrap, from 0 on."""
    half = 1 << (bits - 1)
    steps = (np.diff(values) + half) % (1 << bits) - half
    return np.concatenate(([0], np.cumsum(steps))).astype(np.int64)


def _extended(sequence: Ints) -> tuple[Ints, Ints]:
    """Sequence numbers without wrap, and where counts begin anew: positions, the first one 0."""
    extended = _unwrapped(sequence, 16)
    is_restart = np.abs(np.diff(extended)) >= RESTART_PACKETS
    return extended, np.concatenate(([0], np.flatnonzero(is_restart) + 1))


def _order(sequence: Ints, starts: Ints) -> tuple[int, int, int]:
    """Lost, duplicates, reordered."""
    lost = duplicates = reordered = 0
    for part in np.split(sequence, starts[1:]):
        unique, first = np.unique(part, return_index=True)
        lost += int(unique[-1] - unique[0]) + 1 - len(unique)
        duplicates += len(part) - len(unique)
        in_arrival = part[np.sort(first)]
        reordered += int(np.sum(in_arrival < np.maximum.accumulate(in_arrival)))
    return lost, duplicates, reordered


def _step(sequence: Ints, stamps: Ints) -> int:
    """The timestamp's usual advance from one packet to the next; 0 when there is none."""
    steps = np.diff(stamps)[np.diff(sequence) == 1]
    steps = steps[(steps > 0) & (steps < 1 << 20)]
    return int(np.argmax(np.bincount(steps))) if len(steps) else 0


def _timestamps(
    sequence: Ints,
    stamps: Ints,
    at_ns: Ints,
    is_sound: npt.NDArray[np.bool_],
    *,
    step: int,
    clock_hz: int,
) -> tuple[int, int]:
    """Jumps and pauses, between packets of sound that follow each other by number."""
    if not step:
        return 0, 0
    places = np.flatnonzero(is_sound)
    order = places[np.argsort(sequence[places], kind="stable")]
    numbers = np.diff(sequence[order])
    advance = np.diff(stamps[order])
    elapsed_ms = np.diff(at_ns[order]) / NS_PER_MS
    is_regular = (advance == numbers * step) | (numbers == 0)
    off_ms = np.abs(advance * 1000 / clock_hz - elapsed_ms)
    is_pause = ~is_regular & (off_ms < PAUSE_TOLERANCE_MS)
    return int(np.sum(~is_regular & ~is_pause)), int(np.sum(is_pause))


def _jitter_ms(ahead_ms: Floats) -> tuple[float, float]:
    """At the end, and at its worst."""
    jitter = worst = 0.0
    for variation in np.abs(np.diff(ahead_ms)):
        if variation < 1000:  # more is a jump of the timestamp, not of the network
            jitter += (float(variation) - jitter) / 16
            worst = max(worst, jitter)
    return jitter, worst


def _late(ahead_ms: Floats) -> int:
    count = 0
    for first in range(0, len(ahead_ms), BLOCK_PACKETS):
        block = ahead_ms[first : first + BLOCK_PACKETS]
        breaks = np.flatnonzero(np.abs(np.diff(block)) >= 1000) + 1
        for part in np.split(block, breaks):
            count += int(np.sum(part.max() - part > LATE_MS))
    return count


def _spread(intervals: Floats) -> Spread | None:
    if not len(intervals):
        return None
    p50, p99 = np.percentile(intervals, (50, 99))
    return Spread(float(p50), float(p99), float(intervals.max()))


def _longest_at(at_ns: Ints, intervals: Floats) -> float:
    if not len(intervals):
        return 0.0
    return float(at_ns[int(np.argmax(intervals))] - at_ns[0]) / 1e9


def _drift_ppm(at_ns: Ints, ahead_ms: Floats) -> float | None:
    """Slope of one line through what lies between jumps, each part counted from its own middle."""
    products = squares = longest = 0.0
    breaks = np.flatnonzero(np.abs(np.diff(ahead_ms)) >= PAUSE_TOLERANCE_MS) + 1
    for places in np.split(np.arange(len(at_ns)), breaks):
        if len(places) < 2:
            continue
        elapsed = (at_ns[places] - at_ns[places[0]]) / NS_PER_MS
        centred = elapsed - elapsed.mean()
        products += float(np.sum(centred * (ahead_ms[places] - ahead_ms[places].mean())))
        squares += float(np.sum(centred**2))
        longest = max(longest, float(elapsed[-1]) / 1000)
    return products / squares * 1e6 if squares and longest >= SHORTEST_DRIFT_SECONDS else None
