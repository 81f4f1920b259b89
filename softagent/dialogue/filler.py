"""When a caller who is kept waiting hears a filler, and which one: counted in ticks.

"One moment." says that the question has come across (Clark & Fox Tree 2002: speakers announce
a delay so). It is no answer: the history doesn't know of it, and no figure counts it as one.
"""

from __future__ import annotations

from collections.abc import Sequence


class FillerPolicy:
    """One call's: one filler a turn at most, each phrase in its turn. Call thread only."""

    def __init__(self, phrases: Sequence[str], *, wait_ticks: int) -> None:
        """`wait_ticks` after a turn's end one of `phrases` is due; 0 for never."""
        self._phrases = phrases
        self._wait_ticks = wait_ticks
        self._said = 0
        """Fillers so far in this call."""
        self._turn: int | None = None
        self._waited = 0
        """Ticks since the end of `_turn`."""
        self._is_open = False
        """Whether `_turn` has had none yet."""

    def push(self, turn: int | None) -> str | None:
        """Take a tick in which the caller's `turn` is over and unanswered (None: no turn is).

        Returns the phrase that is due, tick after tick until `note_said` or the answer.
        """
        if turn != self._turn:
            self._turn, self._waited, self._is_open = turn, 0, True
        if turn is None or not self._phrases or not self._wait_ticks:
            return None
        self._waited += 1
        if not self._is_open or self._waited < self._wait_ticks:
            return None
        return self._phrases[self._said % len(self._phrases)]

    def note_said(self) -> None:
        """The phrase that was due is being heard."""
        self._said += 1
        self._is_open = False
