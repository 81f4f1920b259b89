"""Waiting in a deed's thread for what comes from the signalling's, or for the end of the call."""

from __future__ import annotations

import threading
from collections.abc import Callable

from softagent.sip.phone import OnResult, Result


class Watch:
    """One call's. Any thread may `cancel`; one at a time waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        """Guards `_is_cancelled` and the results that are waited for."""
        self._is_cancelled = False

    @property
    def is_cancelled(self) -> bool:
        """Whether the call is over, and with it what was begun for it."""
        with self._changed:
            return self._is_cancelled

    def cancel(self) -> None:
        """The call is over."""
        with self._changed:
            self._is_cancelled = True
            self._changed.notify_all()

    def pause(self, seconds: float) -> bool:
        """Let time pass; whether the call is still there after it."""
        with self._changed:
            return not self._changed.wait_for(lambda: self._is_cancelled, seconds)

    def ask(
        self, action: Callable[[OnResult], object], *, seconds: float, to_the_end: bool = False
    ) -> Result | None:
        """What comes of `action`, which tells it through the callback that it is given.

        None when the time is up, or the call over: with `to_the_end` that isn't waited for.
        """
        results: list[Result] = []

        def take(result: Result) -> None:
            with self._changed:
                results.append(result)
                self._changed.notify_all()

        action(take)
        with self._changed:
            self._changed.wait_for(
                lambda: bool(results) or (self._is_cancelled and not to_the_end), seconds
            )
            return results[0] if results else None
