"""Where a message ends in a stream of bytes: Content-Length says so (RFC 3261 section 18.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from softagent.sip.address import natural
from softagent.sip.errors import MessageError

LARGEST_HEAD_BYTES = 32 * 1024
LARGEST_BODY_BYTES = 64 * 1024
PING = b"\r\n\r\n"
"""Asks for a PONG (RFC 5626 section 3.5.1)."""
PONG = b"\r\n"

_LENGTH = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:([^\r\n]*)")
_LINE_ENDS = re.compile(rb"(?:\r\n)+")
_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n")


class Framer:
    """Cuts what comes over one connection into messages. No socket.

    Nothing is looked at twice: who sends a message byte by byte has no more work done.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._is_after_line_end = False
        self._searched = 0
        """Bytes at the beginning in which no head ends."""
        self._total: int | None = None
        """Length of the message that has begun, once its head is here."""

    @property
    def is_empty(self) -> bool:
        """Whether no message has begun."""
        return not self._buffer

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take what has come; the messages that are complete now, PING and PONG among them.

        However many line ends come in a row, they are one PING: answering them is no work.

        Raises MessageError when it can't be told where the message ends, or when it is too
        long: nothing that follows can be read then.
        """
        self._buffer += data
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> bytes | None:
        if (blank := _LINE_ENDS.match(self._buffer)) is not None:
            count = blank.end() // len(PONG) + self._is_after_line_end
            del self._buffer[: blank.end()]
            self._searched, self._is_after_line_end = 0, count % 2 == 1
            return PING if count > 1 else PONG
        if self._total is None:
            self._total = self._find_total()
        if self._total is None or len(self._buffer) < self._total:
            return None
        frame = bytes(self._buffer[: self._total])
        del self._buffer[: self._total]
        self._total, self._searched, self._is_after_line_end = None, 0, False
        return frame

    def _find_total(self) -> int | None:
        """Length of the message that has begun; None while its head isn't complete."""
        found = _BLANK_LINE.search(self._buffer, self._searched, LARGEST_HEAD_BYTES)
        if found is not None:
            return found.end() + _body_length(bytes(self._buffer[: found.end()]))
        if len(self._buffer) >= LARGEST_HEAD_BYTES:
            raise MessageError(f"headers of more than {LARGEST_HEAD_BYTES} bytes")
        self._searched = max(0, len(self._buffer) - len(PING) + 1)
        return None


def _body_length(head: bytes) -> int:
    """The stated length of the body; 0 where none is stated, which on a stream can't mean anything else."""
    stated = {value.strip().decode("utf-8", "replace") for value in _LENGTH.findall(head)}
    if len(stated) > 1:
        raise MessageError("two different Content-Length")
    return sum(natural(text, "Content-Length", largest=LARGEST_BODY_BYTES) for text in stated)
