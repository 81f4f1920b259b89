"""Where a message ends in a stream of bytes: Content-Length says so (RFC 3261 section 18.3)."""

from __future__ import annotations

from collections.abc import Iterator

from softagent.sip.address import natural
from softagent.sip.errors import MessageError

LARGEST_HEAD_BYTES = 32 * 1024
LARGEST_BODY_BYTES = 64 * 1024
PING = b"\r\n\r\n"
"""Asks for a PONG (RFC 5626 section 3.5.1)."""
PONG = b"\r\n"

_LENGTH_NAMES = (b"content-length", b"l")


class Framer:
    """Cuts what comes over one connection into messages. No socket."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._is_after_line_end = False

    @property
    def is_empty(self) -> bool:
        """Whether no message has begun."""
        return not self._buffer

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take what has come; the messages that are complete now, PING and PONG among them.

        Raises MessageError when it can't be told where the message ends, or when it is too
        long: nothing that follows can be read then.
        """
        self._buffer += data
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> bytes | None:
        if self._buffer.startswith(PONG):
            del self._buffer[: len(PONG)]
            is_second, self._is_after_line_end = self._is_after_line_end, True
            if is_second:
                self._is_after_line_end = False
            return PING if is_second else PONG
        end = self._head_end()
        if end is None:
            return None
        total = end + _body_length(bytes(self._buffer[:end]))
        if len(self._buffer) < total:
            return None
        frame = bytes(self._buffer[:total])
        del self._buffer[:total]
        self._is_after_line_end = False
        return frame

    def _head_end(self) -> int | None:
        """Where the body begins; None while that isn't known."""
        ends = [
            at + len(mark)
            for mark in (b"\r\n\r\n", b"\n\n")
            if (at := self._buffer.find(mark, 0, LARGEST_HEAD_BYTES)) >= 0
        ]
        if ends:
            return min(ends)
        if len(self._buffer) >= LARGEST_HEAD_BYTES:
            raise MessageError(f"headers of more than {LARGEST_HEAD_BYTES} bytes")
        return None


def _body_length(head: bytes) -> int:
    """The stated length of the body; 0 where none is stated, which on a stream can't mean anything else."""
    stated = set()
    for line in head.split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon and name.strip().lower() in _LENGTH_NAMES:
            stated.add(value.strip().decode("utf-8", "replace"))
    if len(stated) > 1:
        raise MessageError("two different Content-Length")
    return sum(natural(text, "Content-Length", largest=LARGEST_BODY_BYTES) for text in stated)
