"""Bursts of steady tones, and the gaps between them: what the cadence of a signal is read from.

Sounding -> Bursts -> the tone that goes on, those before it, the gap since
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from softagent.media.frame import ticks
from softagent.media.pitch import QUIET_DBFS, Sounding

STEADY_HZ = 12.0
"""A burst's pitch moves no further; a voice moves more in 40 ms."""
SHORTEST = ticks(100)
"""What is shorter is a part of the gap: a vowel, a click."""
BRIDGED = 1
"""Ticks that may be missing inside a burst: a lost packet, a phase reversal of ANSam."""
EDGE = BRIDGED + 1
"""Ticks at each end of a gap that the burst reaches into."""
QUIETER_DB = 12.0
"""A quiet gap is so much softer than its bursts."""
KEPT = 8
WINDOW = ticks(5000)
"""What came before a burst is known for so long."""
SPEECH_TICKS = ticks(500)
SPEECH_DB = 10.0
"""Speech is so much louder than the noise between its words."""

Band = tuple[float, float]


@dataclass(slots=True)
class Burst:
    """A steady tone, or a pair of them."""

    pitches: tuple[float, ...]
    gap: int
    """Ticks between the one before and this one."""
    is_gap_quiet: bool
    level_dbfs: float
    ticks: int = 1
    follows_speech: bool = False
    """There was speech in the five seconds before."""

    def takes(self, sounding: Sounding) -> bool:
        """Whether a tick sounds like it."""
        return len(sounding.pitches) == len(self.pitches) and all(
            abs(a - b) <= STEADY_HZ for a, b in zip(sounding.pitches, self.pitches, strict=True)
        )

    def is_single(self, band: Band) -> bool:
        """Whether it is one tone, within `band`."""
        return len(self.pitches) == 1 and band[0] <= self.pitches[0] <= band[1]

    def is_pair(self, low: Band, high: Band) -> bool:
        """Whether it is two tones, one in each band."""
        return len(self.pitches) == 2 and all(
            band[0] <= pitch <= band[1]
            for pitch, band in zip(self.pitches, (low, high), strict=True)
        )


@dataclass(slots=True)
class _Tick:
    level_dbfs: float
    is_tonal: bool


@dataclass(slots=True)
class Bursts:
    """One direction of one call, one thread; pure."""

    past: deque[Burst] = field(default_factory=lambda: deque(maxlen=KEPT))
    """Those that are over, the last one at the end."""
    current: Burst | None = None
    gap: int = 0
    """Ticks since the last one was over."""
    has_ended: bool = False
    """The last tick showed that `past[-1]` is over."""
    _candidate: Burst | None = None
    """A tone that isn't long enough to be a burst yet."""
    _missing: int = 0
    """Ticks without the current burst since the last one that had it."""
    _heard: deque[_Tick] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def push(self, sounding: Sounding) -> None:
        """Take the next tick."""
        self._heard.append(_Tick(sounding.level_dbfs, bool(sounding.pitches)))
        self.has_ended = False
        if self.current is None:
            self._in_gap(sounding)
        else:
            self._in_burst(self.current, sounding)

    def is_gap_quiet(self, level_dbfs: float) -> bool:
        """Whether the gap up to now is clearly softer than `level_dbfs`."""
        levels = [tick.level_dbfs for tick in self._heard][-self.gap :][EDGE:-EDGE]
        return max(levels, default=-100.0) <= level_dbfs - QUIETER_DB

    def _in_burst(self, burst: Burst, sounding: Sounding) -> None:
        if burst.takes(sounding):
            burst.ticks += 1 + self._missing
            burst.level_dbfs = max(burst.level_dbfs, sounding.level_dbfs)
            self._missing = 0
            return
        self._missing += 1
        if self._missing > BRIDGED:
            self.past.append(burst)
            self.current, self.gap, self._missing = None, self._missing, 0
            self.has_ended = True
            self._begin(sounding)

    def _in_gap(self, sounding: Sounding) -> None:
        candidate = self._candidate
        self.gap += 1
        if candidate is None or not candidate.takes(sounding):
            self._begin(sounding)
            return
        candidate.ticks += 1
        candidate.level_dbfs = max(candidate.level_dbfs, sounding.level_dbfs)
        if candidate.ticks >= SHORTEST:
            candidate.follows_speech = self._was_speech()
            self.current, self._candidate = candidate, None

    def _begin(self, sounding: Sounding) -> None:
        """A tick that may be the first of a burst."""
        self._candidate = None
        if sounding.pitches:
            self._candidate = Burst(
                sounding.pitches,
                gap=self.gap - 1,
                is_gap_quiet=self.is_gap_quiet(sounding.level_dbfs),
                level_dbfs=sounding.level_dbfs,
            )

    def _was_speech(self) -> bool:
        floor = float(np.percentile([tick.level_dbfs for tick in self._heard], 10))
        least = max(floor + SPEECH_DB, QUIET_DBFS)
        spoken = sum(not tick.is_tonal and tick.level_dbfs >= least for tick in self._heard)
        return spoken >= SPEECH_TICKS
