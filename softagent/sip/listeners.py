"""Who wants to hear what becomes of a call: callbacks for its media, its keys and its end."""

from __future__ import annotations

import functools
from collections.abc import Callable

from softagent.media.description import MediaDescription
from softagent.sip.endpoint import Endpoint
from softagent.sip.phone import CallEnd


class Listeners:
    """The callbacks of one call. Used under the endpoint's lock; they are called without it, on its thread."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._is_over = False
        self._on_media: list[Callable[[MediaDescription], None]] = []
        self._on_digits: list[Callable[[str], None]] = []
        self._on_end: list[Callable[[CallEnd], None]] = []

    def add_media(self, callback: Callable[[MediaDescription], None]) -> None:
        """Have it called each time the media change."""
        if not self._is_over:
            self._on_media.append(callback)

    def add_digits(self, callback: Callable[[str], None]) -> None:
        """Have it called with keys that come as INFO."""
        if not self._is_over:
            self._on_digits.append(callback)

    def add_end(self, callback: Callable[[CallEnd], None]) -> None:
        """Have it called once, when the call ends."""
        if not self._is_over:
            self._on_end.append(callback)

    def tell_media(self, media: MediaDescription) -> None:
        """The media have changed."""
        for callback in self._on_media:
            self._endpoint.notify(functools.partial(callback, media))

    def tell_digits(self, digits: str) -> None:
        """Keys have been pressed."""
        for callback in self._on_digits:
            self._endpoint.notify(functools.partial(callback, digits))

    def tell_end(self, end: CallEnd) -> None:
        """The call is over: nothing more will be told, and nobody kept (transactions know a call for a while)."""
        self._is_over = True
        for callback in self._on_end:
            self._endpoint.notify(functools.partial(callback, end))
        for callbacks in (self._on_media, self._on_digits, self._on_end):
            callbacks.clear()
