"""Alarms: what has to be done at a certain time unless something happens first.

Pure: time is a number that the caller passes in.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable

NEVER = math.inf


class Alarm:
    """One thing to do at one time."""

    __slots__ = ("_action", "when")

    def __init__(self, when: float, action: Callable[[], None]) -> None:
        self.when = when
        self._action: Callable[[], None] | None = action

    @property
    def is_set(self) -> bool:
        """Whether it will still go off."""
        return self._action is not None

    def cancel(self) -> None:
        """Keep it from going off; does nothing once it has."""
        self._action = None

    def go_off(self) -> None:
        """Do what it was set for, once."""
        action, self._action = self._action, None
        if action is not None:
            action()


class Alarms:
    """All alarms of one telephone. Used under its owner's lock; goes off from within `wake`."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Alarm]] = []
        self._order = itertools.count()

    def set(self, when: float, action: Callable[[], None]) -> Alarm:
        """Have `action` called by the first `wake` that comes at `when` or later."""
        alarm = Alarm(when, action)
        heapq.heappush(self._waiting, (when, next(self._order), alarm))
        return alarm

    @property
    def next_wake(self) -> float:
        """When the next one goes off, NEVER without one."""
        while self._waiting and not self._waiting[0][2].is_set:
            heapq.heappop(self._waiting)
        return self._waiting[0][0] if self._waiting else NEVER

    def wake(self, now: float) -> None:
        """Let those go off whose time has come; one that raises leaves the others to the next call."""
        while self.next_wake <= now:
            heapq.heappop(self._waiting)[2].go_off()
