"""How long sound has to wait in the jitter buffer, from how late packets have come.

push -> add(transit) -> PlayoutDelay -> correction(delay) -> pop: go on, wait or leave out a frame

Arrivals and playing are counted on one clock, that of the ticks: a packet's transit is the
time of its arrival less its timestamp. Its absolute value means nothing; a packet is in time
when its transit is at most the delay at which sound is played.
"""

from __future__ import annotations

import enum
import math

import numpy as np

from softagent.media.frame import ticks

ARRIVALS = 400
"""How far back it looks, in ticks in which something came: 8 s of packets of 20 ms."""
LATE_ARRIVALS = 4
"""In so many of them packets may come too late, 1 %: to wait for these too would delay all."""
MEASURED_ARRIVALS = 10
"""While nothing is out of the ordinary, the delay is measured anew after so many."""
GROW_LOUD_TICKS = ticks(100)
"""How long packets must come too late before sound is held up while someone speaks."""
GROW_QUIET_TICKS = ticks(1000)
"""How long the reserve must have been gone before it is restored in a quiet moment."""
SHRINK_QUIET_TICKS = ticks(1000)
SHRINK_LOUD_TICKS = ticks(3000)
"""How long the delay must have been too long before a quiet or any frame is left out."""
SHRINK_AGAIN_TICKS = ticks(100)
"""While someone speaks, no more than a frame is left out in so long."""


class Correction(enum.Enum):
    """What to do about the delay in this tick."""

    NONE = enum.auto()
    WAIT = enum.auto()
    """Make up a frame: the delay grows by one."""
    SKIP = enum.auto()
    """Leave out a frame: the delay shrinks by one."""


class PlayoutDelay:
    """The transits of the last packets, and the delay that they ask for. In RTP units. Pure.

    What comes in one tick counts once, so that the burst after a stall is one late arrival.
    """

    def __init__(self, *, frame_units: int, reserve_units: int, jump_units: int) -> None:
        """Ask for `reserve_units` more than the quickest packet takes, at least.

        A transit that differs by more than `jump_units` from the one before is no jitter.
        """
        self._frame_units = frame_units
        self._reserve_units = reserve_units
        self._jump_units = jump_units
        self._slowest = np.zeros(ARRIVALS, dtype=np.int64)
        self._quickest = np.zeros(ARRIVALS, dtype=np.int64)
        """Transits of each tick's packets, as a ring."""
        self._count = 0
        self._now = 0
        self._last = 0
        self._quick = 0
        self._least = 0
        self._wanted = 0
        self._is_measured = False
        self.restart()

    @property
    def least_units(self) -> int:
        """The delay at which all but the latest packets are in time."""
        self._measure()
        return self._least

    @property
    def wanted_units(self) -> int:
        """The delay to play at: the least one, or the reserve where there is hardly any jitter."""
        self._measure()
        return self._wanted

    def restart(self) -> None:
        """Another timeline begins: forget what was measured in the one before."""
        self._count = 0
        self._is_measured = False
        self._short_ticks = self._scarce_ticks = self._long_ticks = 0

    def add(self, timestamp: int, *, now: int) -> None:
        """Count a packet that came at `now`, one that came too late as well."""
        transit = now - timestamp
        if self._count and abs(transit - self._last) > self._jump_units:
            self.restart()
        self._last = transit
        is_ordinary = self._count > ARRIVALS and self._quick <= transit <= self._least
        self._is_measured &= is_ordinary and self._count % MEASURED_ARRIVALS != 0
        place = (self._count - 1) % ARRIVALS
        if self._count and now == self._now:
            self._slowest[place] = max(self._slowest[place], transit)
            self._quickest[place] = min(self._quickest[place], transit)
            return
        place = self._count % ARRIVALS
        self._slowest[place] = self._quickest[place] = transit
        self._count += 1
        self._now = now

    def correction(
        self, delay_units: int, *, is_quiet: bool, can_wait: bool = True, can_skip: bool = True
    ) -> Correction:
        """Judge the delay at which this tick's sound is played. Quick to grow, slow to shrink.

        What can't be done in this tick is asked for in a later one.
        """
        self._measure()
        self._short_ticks = self._short_ticks + 1 if delay_units < self._least else 0
        self._scarce_ticks = self._scarce_ticks + 1 if delay_units < self._wanted else 0
        is_long = delay_units >= self._wanted + self._frame_units
        self._long_ticks = self._long_ticks + 1 if is_long else 0
        patience = (0, GROW_QUIET_TICKS) if is_quiet else (GROW_LOUD_TICKS, math.inf)
        if can_wait and (self._short_ticks > patience[0] or self._scarce_ticks > patience[1]):
            self._short_ticks = self._scarce_ticks = 0
            return Correction.WAIT
        if can_skip and self._long_ticks > (SHRINK_QUIET_TICKS if is_quiet else SHRINK_LOUD_TICKS):
            self._long_ticks -= 1 if is_quiet else SHRINK_AGAIN_TICKS
            return Correction.SKIP
        return Correction.NONE

    def _measure(self) -> None:
        if self._is_measured or not self._count:
            return
        count = min(self._count, ARRIVALS)
        self._quick = self._least = int(self._quickest[:count].min())
        if count > LATE_ARRIVALS:
            late = np.partition(self._slowest[:count], -LATE_ARRIVALS - 1)
            self._least = int(late[-LATE_ARRIVALS - 1])
        self._wanted = max(self._least, self._quick + self._reserve_units)
        self._is_measured = True
