"""Keys that belong together: until enough of them are there, # is pressed, or the caller stops pressing."""

from __future__ import annotations

from dataclasses import dataclass

TERMINATOR = "#"
ERASER = "*"
"""Takes back what was pressed."""


@dataclass(slots=True)
class Keypad:
    """One call's keys; times in ticks."""

    timeout_ticks: int
    """Pause after which what was pressed counts as all of it."""
    _keys: str = ""
    _pressed: int = 0

    def press(self, tick: int, key: str, *, at_once: str = "", length: int = 0) -> str:
        """Take a key; return the keys if they are complete now, else nothing.

        Those in `at_once` are complete by themselves, the others when there are `length` of
        them (0: no such length) or at the terminator.
        """
        if not self._keys and key in at_once:
            return key
        if key == ERASER:
            self._keys = ""
            return ""
        if key == TERMINATOR:
            return self._take()
        self._keys += key
        self._pressed = tick
        return self._take() if length and len(self._keys) >= length else ""

    def due(self, tick: int) -> str:
        """The keys if the caller has stopped pressing, else nothing."""
        is_due = self._keys and tick - self._pressed >= self.timeout_ticks
        return self._take() if is_due else ""

    def clear(self) -> None:
        """Forget what was pressed: the caller has gone on in words."""
        self._keys = ""

    def _take(self) -> str:
        keys, self._keys = self._keys, ""
        return keys
