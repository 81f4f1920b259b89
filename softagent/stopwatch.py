"""Where the time of each turn went: marks from several threads, counted from the caller's last voiced tick."""

from __future__ import annotations

import time
from collections.abc import Callable

from softagent.media.frame import FRAME_MS

STAGES = (
    "paused",
    "transcribed",
    "first_token",
    "first_clause",
    "first_audio",
    "ended",
    "filler",
    "heard",
)
"""What is marked, in the usual order: `ended` comes before or after the stages in the middle.

`filler` is there only where one was heard while the answer took long.
"""


class Stopwatch:
    """The marks of one call's turns. `mark` from any thread; the rest from the call thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._zero = clock()
        self._began: dict[int, float] = {}
        """When the silence after the caller's last voiced tick began, by turn."""
        self._marks: dict[int, dict[str, float]] = {}

    def start(self) -> None:
        """The first tick is being sent now."""
        self._zero = self._clock()

    def skip(self, ticks: int) -> None:
        """So many ticks have passed without being counted: the call was on hold."""
        self._zero += ticks * FRAME_MS / 1000

    def open(self, turn: int, *, last_voiced: int) -> None:
        """Turn `turn` began with a pause after tick `last_voiced`."""
        self._began = {turn: self._zero + (last_voiced + 1) * FRAME_MS / 1000}
        self._marks = {turn: {}}

    def mark(self, turn: int, stage: str) -> None:
        """Note that `stage` of `turn` is reached now; the first time counts, other turns don't."""
        if (marks := self._marks.get(turn)) is not None:
            marks.setdefault(stage, self._clock())

    def read(self, turn: int) -> dict[str, float] | None:
        """Milliseconds from the caller's last voiced tick to each stage of `turn`, None for others."""
        if turn not in self._marks:
            return None
        silence_began = self._began[turn]
        marks = self._marks[turn]
        return {
            stage: round((marks[stage] - silence_began) * 1000, 1)
            for stage in STAGES
            if stage in marks
        }
