"""What can be wrong with something that came in from the network: answered or ignored, never shown as a failure."""

from __future__ import annotations


class MessageError(ValueError):
    """A datagram is not a SIP message, or a part of one can't be read."""


class DescriptionError(ValueError):
    """A body is not a session description that can be read."""


class NotAcceptable(Exception):
    """A session description can be read, but nothing can come of it: 488 and why."""

    def __init__(self, code: int, text: str) -> None:
        """`code` is one of RFC 3261 section 20.43."""
        super().__init__(text)
        self.code = code
