"""What was said in a call, as it is told to the parent, for the message that the caller leaves."""

from __future__ import annotations

import threading

from softagent.messages.message import Line
from softagent.report import Heard, Report, Said


class Transcript:
    """One call's. The call thread `take`s, any thread reads `lines`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards `_turns`."""
        self._turns: dict[tuple[str, int], list[str]] = {}
        """Who and turn -> what was said in it, in the order in which it began."""

    def take(self, report: Report) -> None:
        """Note it if it is words: a turn that goes on replaces what was heard of it so far."""
        match report:
            case Heard(turn=turn, text=text):
                with self._lock:
                    self._turns["caller", turn] = [text]
            case Said(turn=turn, text=text):
                with self._lock:
                    self._turns.setdefault(("agent", turn), []).append(text)

    @property
    def lines(self) -> tuple[Line, ...]:
        """So far."""
        with self._lock:
            return tuple(Line(who, " ".join(texts)) for (who, _), texts in self._turns.items())
