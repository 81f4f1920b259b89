"""A call's messages drawn as a ladder: hosts as columns, time downwards. Pure; lines without colour.

0.000  |---------- INVITE ---------->|
       |  PCMU PCMA digits 192.168.1.10:4000 sendrecv
0.021  |<-------- 180 Ringing -------|
0.060  |<=== RTP PCMU, 500 packets ==|
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from softagent.capture.observe import Address
from softagent.trace.signalling import SipCall, SipEvent, printable

TIME_COLUMNS = 11
NARROWEST = 14
"""Columns between two lifelines below which the hosts get letters and a legend."""
WIDEST = 60
"""More makes arrows that the eye can't follow."""
AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Pen:
    """What lines are drawn with."""

    life: str
    dash: str
    thick: str
    """The shaft of a stream's arrow."""
    left: str
    right: str


UNICODE = Pen("│", "─", "═", "◀", "▶")
ASCII = Pen("|", "-", "=", "<", ">")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text, and what it is."""

    text: str
    kind: str = ""
    """"head", "note", "bad" (a refusal or failure), "again" or "" for colours to be chosen by."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A stream that began, between the hosts whose SDP announced its ends."""

    at_ns: int
    source: Address
    destination: Address
    title: str


def ladder(call: SipCall, *, width: int, pen: Pen, sounds: Sequence[Sound] = ()) -> Iterator[Line]:
    """The lines, none longer than `width` unless it is below 40."""
    hosts = call.hosts
    if not hosts:
        return
    start_ns = call.events[0].at_ns
    room = max(width, 40) - TIME_COLUMNS - 2
    spacing = min(WIDEST, room // max(1, len(hosts) - 1)) if len(hosts) > 1 else room
    lines = _Lines(hosts, max(2, spacing), width, pen)
    yield from lines.heads()
    rows: list[SipEvent | Sound] = [*call.events, *sounds]
    for row in sorted(rows, key=lambda row: row.at_ns):
        seconds = (row.at_ns - start_ns) / 1e9
        yield lines.arrow(row, f"{seconds:{TIME_COLUMNS - 2}.3f}")
        if isinstance(row, SipEvent):
            yield from lines.notes(row)


class _Lines:
    """Where things go on a line."""

    def __init__(self, hosts: Sequence[Address], spacing: int, width: int, pen: Pen) -> None:
        self._places = {host: TIME_COLUMNS + index * spacing for index, host in enumerate(hosts)}
        self._spacing = spacing
        self._width = width
        self._pen = pen
        lengths = [len(address_text(host)) + 1 for host in hosts]
        is_crowded = len(hosts) > 2 and max(lengths) >= spacing
        self._uses_letters = is_crowded or TIME_COLUMNS + sum(lengths) > max(width, 40)
        self._names = {
            host: letter(index) if self._uses_letters else address_text(host)
            for index, host in enumerate(hosts)
        }

    def heads(self) -> Iterator[Line]:
        """The hosts' names above their lifelines."""
        if self._uses_letters:
            for host, name in self._names.items():
                yield Line(f"{name:>{TIME_COLUMNS}} = {address_text(host)}", "head")
        text = ""
        names = list(self._names.values())
        for number, (name, place) in enumerate(zip(names, self._places.values(), strict=True)):
            wanted = max(0, place - len(name) // 2) if text else place - min(2, place)
            still_needed = sum(len(other) + 1 for other in names[number:]) - 1
            text = text.ljust(min(wanted, max(self._width, 40) - still_needed)) + name + " "
        yield Line(text.rstrip(), "head")

    def arrow(self, row: SipEvent | Sound, time: str) -> Line:
        """One message, or the beginning of a stream."""
        here, there = self._places[row.source], self._places[row.destination]
        start, end = min(here, there), max(here, there)
        cells = self._lifelines()
        cells[: len(time)] = time
        is_sound = isinstance(row, Sound)
        title = (
            row.title if isinstance(row, Sound) or not row.is_again else f"{row.title} ({AGAIN})"
        )
        kind = "note" if isinstance(row, Sound) else _kind(row)
        if start == end:  # to itself
            loop = f"{self._pen.right}{self._pen.left} {title}"[: max(0, self._width - start - 1)]
            cells += " " * (start + 1 + len(loop) - len(cells))
            cells[start + 1 : start + 1 + len(loop)] = loop
            return Line("".join(cells).rstrip(), kind)
        inner = end - start - 1
        label = f" {title[: max(0, inner - 4)]} " if inner > 5 else ""
        shaft = label.center(inner, self._pen.thick if is_sound else self._pen.dash)
        is_rightward = here < there
        shaft = shaft[:-1] + self._pen.right if is_rightward else self._pen.left + shaft[1:]
        cells[start + 1 : end] = shaft
        return Line("".join(cells).rstrip(), kind)

    def notes(self, event: SipEvent) -> Iterator[Line]:
        """What is below the arrow: its particulars, where they don't repeat what was there before."""
        if event.is_again:
            return
        first = TIME_COLUMNS + 3
        for note in event.notes:
            for part in textwrap.wrap(printable(note), max(20, self._width - first - 1)) or [""]:
                cells = self._lifelines()
                end = first + len(part)
                cells += " " * (end - len(cells))
                cells[first - 1 : end + 1] = f" {part} "
                yield Line("".join(cells).rstrip(), "note")

    def _lifelines(self) -> list[str]:
        cells = [" "] * (max(self._places.values()) + 1)
        for place in self._places.values():
            cells[place] = self._pen.life
        return cells


def _kind(event: SipEvent) -> str:
    if event.message is None:
        return "bad"
    if event.is_again:
        return "again"
    first = event.title[:3]
    is_failure = first.isdigit() and int(first) >= 400 and int(first) not in (401, 407)
    return "bad" if is_failure else ""


def address_text(address: Address) -> str:
    """host:port, IPv6 in brackets."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def letter(index: int) -> str:
    """A, B ... Z, A1, B1 ..."""
    return chr(ord("A") + index % 26) + (str(index // 26) if index >= 26 else "")
