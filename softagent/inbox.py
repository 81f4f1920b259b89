"""What waits for the call thread: events at once, ticks in order, both behind one wait."""

from __future__ import annotations

import threading
from collections import deque

from softagent.dialogue.events import Event
from softagent.media.frame import Tick

MOST_TICKS = 500
"""Ten seconds: a call thread that far behind had better skip what is past."""


class Inbox:
    """Filled by the media clock (ticks) and by every other thread of a call (events); read by the call thread."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        """Guards both queues; held for microseconds, so that it never holds up the media clock."""
        self._events: deque[Event] = deque()
        self._ticks: deque[Tick] = deque(maxlen=MOST_TICKS)
        self._dropped = 0

    @property
    def dropped_ticks(self) -> int:
        """Ticks that were thrown away, oldest first, because nobody took them in time."""
        return self._dropped

    def post(self, event: Event) -> None:
        """Add an event. Any thread."""
        with self._ready:
            self._events.append(event)
            self._ready.notify()

    def tick(self, tick: Tick) -> None:
        """Add a tick. Media clock only."""
        with self._ready:
            self._dropped += len(self._ticks) == MOST_TICKS
            self._ticks.append(tick)
            self._ready.notify()

    def take(self, timeout_seconds: float) -> Event | Tick | None:
        """The next event, or else the next tick; None when neither comes in time."""
        with self._ready:
            if not self._ready.wait_for(lambda: self._events or self._ticks, timeout_seconds):
                return None
            return self._events.popleft() if self._events else self._ticks.popleft()
