"""What `demo` shows while the call goes on: both sides' words, and the times of each turn."""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Callable, Mapping, Sequence

from softagent.report import Heard, Report, Said, TurnMeasured

LABEL_COLUMNS = 10
TEXT_COLUMNS = 78

STAGE_NAMES = {
    "paused": "pause noticed",
    "transcribed": "words known",
    "first_token": "first token",
    "first_clause": "first clause",
    "first_audio": "first sound",
    "ended": "turn ended",
    "filler": "filler heard",
    "heard": "answer heard",
}
"""The marks of `softagent.report.TurnMeasured` in words."""
SHORT_NAMES = {
    "transcribed": "words",
    "ended": "end",
    "first_token": "token",
    "first_clause": "clause",
    "first_audio": "sound",
    "filler": "filler",
    "heard": "heard",
}
"""What fits on one line of a terminal."""


class Display:
    """Writes lines as things happen. Any thread; `echo` gets a line and whether it is dim."""

    def __init__(self, echo: Callable[[str, bool], None]) -> None:
        self._echo = echo
        self._lock = threading.Lock()
        """Guards everything below, and keeps lines whole."""
        self._line: int | None = None
        self._said: dict[int | None, list[str]] = {}
        self._marks: dict[int | None, dict[str, float]] = {}

    def said(self, line: int | None) -> str:
        """What the agent has said after `line` of the caller; None is the greeting."""
        with self._lock:
            return " ".join(self._said.get(line, []))

    def marks(self, line: int) -> Mapping[str, float]:
        """The times of the turn that answered `line`; empty when it wasn't answered."""
        with self._lock:
            return self._marks.get(line, {})

    def caller_speaks(self, line: int, text: str) -> None:
        """The caller begins a line."""
        with self._lock:
            self._line = line
            self._echo("", False)
            self._show("caller", text)

    def report(self, report: Report) -> None:
        """Something came from the agent."""
        with self._lock:
            match report:
                case Heard(text=text):
                    self._show("", f"(understood: {text})", is_dim=True)
                case Said(text=text):
                    is_first = self._line not in self._said
                    self._said.setdefault(self._line, []).append(text)
                    self._show("agent" if is_first else "", text)
                case TurnMeasured(marks=marks):
                    self._marks[self._line] = marks
                    self._show("ms", stage_line(marks), is_dim=True)
                case _:
                    pass

    def _show(self, label: str, text: str, *, is_dim: bool = False) -> None:
        prefix = f"  {label}".ljust(LABEL_COLUMNS)
        wrapped = textwrap.wrap(
            text, TEXT_COLUMNS, initial_indent=prefix, subsequent_indent=" " * LABEL_COLUMNS
        )
        for line in wrapped:
            self._echo(line, is_dim)


def stage_line(marks: Mapping[str, float]) -> str:
    """The main marks of one turn on one line, in order of time."""
    ordered = sorted(marks.items(), key=lambda mark: mark[1])
    return ", ".join(f"{SHORT_NAMES[name]} {ms:.0f}" for name, ms in ordered if name in SHORT_NAMES)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table: the first column left, the others right, a rule below the heads."""
    columns = list(zip(heads, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        return "  ".join([first[0].ljust(first[1]), *(c.rjust(w) for c, w in others)]).rstrip()

    return [line(heads), "  ".join("-" * width for width in widths), *(line(row) for row in rows)]
