"""What to listen to where the agent's own voice may come back. Pure.

Tick.agent, Tick.caller -> EchoGauge -> no echo:            the caller's sound as it is
                                    '-> echo is suspected:  silence, for some ticks
                                    '-> echo is proven:     EchoCanceller

Hardly any line has echo, and on those that have none nothing may be done to a caller who speaks
over the agent. So there must be proof first.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from softagent.media.echo_canceller import EchoCanceller
from softagent.media.echo_gauge import LONGEST_DELAY_MS, EchoGauge, Likeness
from softagent.media.frame import Samples, ticks

LOOK_TICKS = 2
"""Between two looks for echo, as long as nothing is known of the line."""
RARE_LOOK_TICKS = 5
"""The same once the canceller does its work, or..."""
LOOKS_TO_TRUST = 100
"""... so many looks in a row have shown no echo."""
SUSPICION = 0.35
"""A likeness that only an echo has, and one that is most of what is heard."""
HINT = 0.25
"""One that does when the next look shows it again."""
PROOF = 0.27
"""Two likenesses of this strength at one delay are no chance..."""
SAME_MS = 1.0
PROOF_TICKS = ticks(160)
"""... when they have hardly any sound in common..."""
CLUE_TICKS = ticks(1000)
"""... and aren't far apart."""
SUPPORT = 0.15
"""Less likeness than this speaks against an echo at the proven delay."""
LOOKS_TO_FORGET = 100
"""Looks in a row that speak against it until it counts as gone."""
TICKS_BEFORE_CLUE = ticks(100)
"""What came before the first clue and shows the same."""
PAST_TICKS = ticks(LONGEST_DELAY_MS + 300)
"""What is kept for a new canceller."""


class EchoGuard:
    """One call's. Call thread only; about 0.3 ms a tick at 8 kHz, and 10 ms in the tick of the proof."""

    def __init__(self, *, rate_hz: int) -> None:
        self.is_echo = False
        """Whether the last frame was nothing but echo, so that silence has been given instead."""
        self._rate_hz = rate_hz
        self._gauge = EchoGauge(rate_hz=rate_hz)
        self._canceller: EchoCanceller | None = None
        self._past: deque[tuple[Samples, Samples]] = deque(maxlen=PAST_TICKS)
        """The caller's and the agent's frames."""
        self._ticks_to_look = 0
        self._last: Likeness | None = None
        """What the last look showed; None when there was nothing to see."""
        self._is_suspected = False
        """Whether that was mostly echo."""
        self._clue: Likeness | None = None
        """A strong likeness that waits for a second one."""
        self._clue_ticks = 0
        """How old it is."""
        self._clean_looks = 0
        """Looks since the last one that showed anything like an echo."""
        self._doubts = 0
        """Looks since the last one that showed the proven echo."""

    @property
    def has_echo(self) -> bool:
        """Whether it is proven that the line has echo."""
        return self._canceller is not None

    def clean(self, *, caller: Samples, agent: Samples) -> Samples:
        """The caller's frame, shape (n,), freed of what `agent`'s frames of now and before left in it."""
        self._gauge.push(caller=caller, agent=agent)
        self._look()
        canceller = self._canceller
        cleaned = caller if canceller is None else canceller.cancel(caller=caller, agent=agent)
        self._past.append((caller, agent))
        self.is_echo = self._is_suspected and not self._is_taken_out
        return np.zeros_like(caller) if self.is_echo else cleaned

    @property
    def _is_doubtful(self) -> bool:
        """Whether mere suspicion counts: not on a line that has long shown no echo."""
        return self._canceller is not None or self._clean_looks < LOOKS_TO_TRUST

    @property
    def _knows_line(self) -> bool:
        if self._canceller is None:
            return not self._is_doubtful
        return self._canceller.gate.is_useful

    @property
    def _is_taken_out(self) -> bool:
        """Whether the canceller knows of what the last look showed."""
        canceller, last = self._canceller, self._last
        return canceller is not None and last is not None and canceller.takes_out(last.delay_ms)

    def _look(self) -> None:
        """Look for echo if it is time."""
        self._clue_ticks += 1
        self._ticks_to_look -= 1
        if self._ticks_to_look > 0:
            return
        self._ticks_to_look = RARE_LOOK_TICKS if self._knows_line else LOOK_TICKS
        before, self._last = self._last, self._gauge.look()
        self._clean_looks += self._gauge.hears_nothing_back
        self._is_suspected = self._is_doubtful and _is_suspicious(before, self._last)
        if self._last is not None:
            self._weigh(self._last)

    def _weigh(self, likeness: Likeness) -> None:
        """Take a look as proof of an echo, of another delay of it, or of its end."""
        if self._canceller is not None:
            is_known = self._canceller.takes_out(likeness.delay_ms)
            if is_known and likeness.strength > SUPPORT:
                self._doubts, self._clue = 0, None
                return
            self._doubts += 1
            if self._doubts > LOOKS_TO_FORGET:
                self._canceller = None
        if likeness.strength < PROOF:
            self._clean_looks += 1
            return
        self._clean_looks = 0
        if (
            self._clue is None
            or self._clue_ticks > CLUE_TICKS
            or not _is_same(self._clue, likeness)
        ):
            self._clue, self._clue_ticks = likeness, 0
        elif self._clue_ticks >= PROOF_TICKS:
            self._prove(likeness.delay_ms)

    def _prove(self, delay_ms: float) -> None:
        """Begin to take out what comes back after `delay_ms`."""
        self._canceller = EchoCanceller(rate_hz=self._rate_hz, delay_ms=delay_ms)
        self._canceller.teach(list(self._past), last=self._clue_ticks + TICKS_BEFORE_CLUE)
        self._clue, self._doubts = None, 0


def _is_suspicious(before: Likeness | None, now: Likeness | None) -> bool:
    """Whether two looks in a row show something that is mostly echo."""
    if now is None:
        return False
    if before is not None and _is_same(before, now) and before.strength > HINT:
        return now.strength > HINT
    return now.strength > SUSPICION


def _is_same(one: Likeness, other: Likeness) -> bool:
    return abs(one.delay_ms - other.delay_ms) <= SAME_MS
