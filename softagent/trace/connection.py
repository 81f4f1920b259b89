"""SIP messages out of TCP: segments put in order, cut where Content-Length says (RFC 3261 section 18.3). Pure."""

from __future__ import annotations

import re

from softagent.capture.network import Segment
from softagent.capture.observe import Address

MOST_WAITING = 64
"""Segments kept for one that is missing; then it counts as lost by whoever captured."""
LONGEST_MESSAGE_BYTES = 1 << 20

_LENGTH = re.compile(rb"^(?:Content-Length|l)[ \t]*:[ \t]*(\d{1,7})[ \t]*\r?$", re.I | re.M)
FIRST_LINE = re.compile(rb"^(?:SIP/2\.0 +\d|[\w.!%*+`'~-]+ +\S+ +SIP/2\.0\s)", re.I)
"""How a message begins, and nothing else does."""


class Connections:
    """All TCP connections of a capture."""

    def __init__(self) -> None:
        self.encrypted = 0
        """Segments of TLS, of which nothing can be read."""
        self._ways: dict[tuple[Address, Address], _Way] = {}

    def receive(self, segment: Segment) -> list[bytes]:
        """The messages that a segment completes."""
        key = segment.source, segment.destination
        if segment.is_start or key not in self._ways:
            self._ways[key] = _Way(segment.sequence)
        if _is_tls(segment.payload):
            self.encrypted += 1
            return []
        return self._ways[key].receive(segment)


class _Way:
    """One direction of a connection."""

    def __init__(self, sequence: int) -> None:
        self._next = sequence
        self._waiting: dict[int, bytes] = {}
        self._text = b""

    def receive(self, segment: Segment) -> list[bytes]:
        if segment.payload:
            self._waiting.setdefault(segment.sequence, segment.payload)
        self._take_in_order()
        if len(self._waiting) > MOST_WAITING:
            self._skip_gap()
        return self._messages()

    def _take_in_order(self) -> None:
        while (found := self._following()) is not None:
            payload = self._waiting.pop(found)
            known = (self._next - found) % (1 << 32)
            self._text += payload[known:]
            self._next = (self._next + max(0, len(payload) - known)) % (1 << 32)

    def _following(self) -> int | None:
        """The number of a segment that begins where we are, or before that."""
        return next(
            (number for number in self._waiting if (self._next - number) % (1 << 32) < 1 << 31),
            None,
        )

    def _skip_gap(self) -> None:
        self._text = b""
        self._next = min(self._waiting, key=lambda number: (number - self._next) % (1 << 32))
        self._take_in_order()

    def _messages(self) -> list[bytes]:
        found: list[bytes] = []
        while True:
            self._text = self._text.lstrip(b"\r\n")
            head, mark, _ = self._text.partition(b"\r\n\r\n")
            if not mark:
                break
            if not FIRST_LINE.match(head):
                self._text = self._text[len(head) + 4 :]
                continue
            length = _LENGTH.search(head)
            end = len(head) + 4 + (int(length[1]) if length else 0)
            if end > LONGEST_MESSAGE_BYTES:
                self._text = b""
                break
            if len(self._text) < end:
                return found
            found.append(self._text[:end])
            self._text = self._text[end:]
        if len(self._text) > LONGEST_MESSAGE_BYTES:
            self._text = b""
        return found


def _is_tls(payload: bytes) -> bool:
    """A record of TLS: type and version (RFC 8446 section 5.1)."""
    return len(payload) >= 3 and 20 <= payload[0] <= 23 and payload[1] == 3
