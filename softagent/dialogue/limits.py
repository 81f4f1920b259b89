"""How long a caller may be silent, and how long a call may last."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Due(enum.Enum):
    """What the time that has passed asks for."""

    NOTHING = "nothing"
    PROMPT = "prompt"
    """Ask whether the caller is still there."""
    WARNING = "warning"
    """Say that the longest call is nearly over."""
    GOODBYE = "goodbye"
    LAST_GOODBYE = "last-goodbye"
    """The longest call is over: even in mid-sentence."""
    END = "end"
    """Whatever keeps the goodbye from being heard out."""


@dataclass(slots=True)
class Limits:
    """One call's; times in ticks."""

    silence_ticks: int
    call_ticks: int
    warning_ticks: int = 0
    """Before the end of the longest call; 0 for no warning."""
    _has_warned: bool = False
    _quiet_since: int = 0
    _has_prompted: bool = False

    def hear_agent(self, tick: int) -> None:
        """The agent spoke: silence counts from here."""
        self._quiet_since = tick

    def hear_caller(self) -> None:
        """The caller said something: the next silence is asked about first."""
        self._has_prompted = False

    def feel_key(self, tick: int) -> None:
        """The caller pressed a key."""
        self._quiet_since, self._has_prompted = tick, False

    def due(self, tick: int, *, is_quiet: bool, is_farewell: bool) -> Due:
        """What is due at `tick`: `is_quiet` while neither side speaks, `is_farewell` in a goodbye."""
        if tick >= self.call_ticks + self.silence_ticks:
            return Due.END
        if tick >= self.call_ticks and not is_farewell:
            return Due.LAST_GOODBYE
        if not is_quiet:
            return Due.NOTHING
        if (
            self.warning_ticks
            and not self._has_warned
            and tick >= self.call_ticks - self.warning_ticks
        ):
            self._has_warned = True
            return Due.WARNING
        quiet_ticks = tick - self._quiet_since
        if not self._has_prompted and quiet_ticks >= self.silence_ticks:
            self._has_prompted = True
            return Due.PROMPT
        if self._has_prompted and quiet_ticks >= 2 * self.silence_ticks:
            return Due.GOODBYE
        return Due.NOTHING
