"""A call as the rest of softagent holds it: a Session, to be used from any thread."""

from __future__ import annotations

from collections.abc import Callable

from softagent.sip.actions import CallActions
from softagent.sip.incoming import IncomingSession
from softagent.sip.line import Line
from softagent.sip.phone import CallEnd, Caller, MediaDescription
from softagent.sip.session import Session


class SessionControl(CallActions):
    """What any call can be told: see the protocol Call. Any thread."""

    line: Line
    session: Session

    @property
    def caller(self) -> Caller:
        return self.session.caller

    @property
    def media(self) -> MediaDescription:
        return self.session.media

    def hang_up(self) -> None:
        with self.line.lock:
            self.session.hang_up()

    def on_media(self, callback: Callable[[MediaDescription], None]) -> None:
        with self.line.lock:
            self.session.listeners.add_media(callback)

    def on_digits(self, callback: Callable[[str], None]) -> None:
        with self.line.lock:
            self.session.listeners.add_digits(callback)

    def on_end(self, callback: Callable[[CallEnd], None]) -> None:
        with self.line.lock:
            ending = self.session.ending
            if ending is None:
                self.session.listeners.add_end(callback)
                return
        callback(ending)


class IncomingControl(SessionControl):
    """What a call that rings here can be told as well: see the protocol IncomingCall. Any thread."""

    session: IncomingSession

    def answer(self) -> None:
        with self.line.lock:
            self.session.answer()

    def reject(self, status: int, *, retry_after_seconds: int | None = None) -> None:
        with self.line.lock:
            self.session.reject(status, retry_after_seconds=retry_after_seconds)
