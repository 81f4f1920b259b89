"""When to send again what may have got lost, and when to give up (RFC 3261 section 17 and table 4). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from softagent.sip.alarm import NEVER


@dataclass(frozen=True, slots=True)
class Timing:
    """The timers' unit values (RFC 3261 table 4)."""

    t1_seconds: float = 0.5
    """Estimate of the round trip, and the first interval of repetition."""
    t2_seconds: float = 4.0
    """Longest interval of repetition."""
    t4_seconds: float = 5.0
    """How long a message may stay in the network."""

    @property
    def timeout_seconds(self) -> float:
        """Timers B, F, H, J and L: 64 * T1."""
        return 64 * self.t1_seconds


RFC_TIMING = Timing()


class Repetition:
    """When to send the same thing again: intervals that double up to T2, until a deadline."""

    def __init__(
        self, timing: Timing, now: float, *, limit_seconds: float, repeats: bool = True
    ) -> None:
        """Without `repeats` there is the deadline only."""
        self._interval = timing.t1_seconds
        self._longest = timing.t2_seconds
        self.next_seconds = now + self._interval if repeats else NEVER
        self.deadline_seconds = now + limit_seconds

    @property
    def next_wake(self) -> float:
        return min(self.next_seconds, self.deadline_seconds)

    def slow_down(self) -> None:
        """Go to the longest interval: a provisional response has come (section 17.1.2.2)."""
        self._interval = self._longest

    def is_due(self, now: float) -> bool:
        """Whether to send again now; sets the next time when it is."""
        if now < self.next_seconds:
            return False
        self._interval = min(2 * self._interval, self._longest)
        self.next_seconds = now + self._interval
        return True
