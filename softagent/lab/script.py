"""What a scripted caller says and when: pure, fed tick by tick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from softagent.media.frame import Samples, ticks

VOICED_DBFS = -45.0
SPOKEN_TICKS = 3
"""Voiced ticks in a row that count as the agent speaking: 60 ms."""


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance of the caller."""

    text: str
    samples: Samples = field(repr=False)
    """Shape (n,), at the call's rate."""
    interrupts_after_ms: int | None = None
    """Speak so long after the agent has begun, instead of letting it finish."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a caller takes turns."""

    quiet_ms: int = 900
    """The agent is done when it has been silent for so long."""
    patience_ms: int = 15_000
    """How long to wait for the agent to begin before going on all the same."""


@dataclass(slots=True)
class Delivery:
    """What became of a line. Times are tick indices."""

    line: int
    started: int
    ended: int = 0
    is_answered: bool = False


class Script:
    """Says which line comes when. Before each line the agent must have spoken and be done."""

    def __init__(self, lines: Sequence[Line], manners: Manners) -> None:
        self._lines = lines
        self._quiet_ticks = ticks(manners.quiet_ms)
        self._patience_ticks = ticks(manners.patience_ms)
        self.deliveries: list[Delivery] = []
        self._voiced_run = 0
        self._silent_run = 0
        self._waiting_since = 0
        self._agent_began: int | None = None
        """The tick at which the agent began its current answer."""
        self._is_speaking = False
        self.is_over = False
        """Every line is said, and the last one answered or given up."""

    def hear(self, tick: int, *, is_voiced: bool) -> int | None:
        """Take in 20 ms of the agent; the index of the line to begin now, if any."""
        self._voiced_run = self._voiced_run + 1 if is_voiced else 0
        self._silent_run = 0 if is_voiced else self._silent_run + 1
        if self._is_speaking or self.is_over:
            return None
        if self._agent_began is None and self._voiced_run >= SPOKEN_TICKS:
            self._agent_began = tick
            if self.deliveries:
                self.deliveries[-1].is_answered = True
        if not self._may_speak(tick):
            return None
        following = len(self.deliveries)
        if following == len(self._lines):
            self.is_over = True
            return None
        self.deliveries.append(Delivery(following, started=tick))
        self._is_speaking = True
        self._agent_began = None
        return following

    def finish(self, tick: int) -> None:
        """The last sound of the current line has been sent."""
        self._is_speaking = False
        self._waiting_since = tick
        self._voiced_run = 0
        self.deliveries[-1].ended = tick

    def _may_speak(self, tick: int) -> bool:
        if self._agent_began is None:
            return tick - self._waiting_since >= self._patience_ticks
        following = len(self.deliveries)
        if following < len(self._lines):
            after_ms = self._lines[following].interrupts_after_ms
            if after_ms is not None:
                return tick - self._agent_began >= ticks(after_ms)
        return self._silent_run >= self._quiet_ticks


def is_voiced(samples: Samples) -> bool:
    """Whether a frame, shape (n,), is louder than -45 dBFS (RMS)."""
    mean_square = float(np.mean(np.square(samples, dtype=np.float64)))
    return mean_square > 32768.0**2 * 10 ** (VOICED_DBFS / 10)
