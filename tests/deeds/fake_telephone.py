"""A call and a telephone without signalling: each thing asked of them is answered as a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable

from softagent.sip.phone import (
    CallEnd,
    Caller,
    IncomingCall,
    MediaDescription,
    OnResult,
    Outcome,
    Registration,
    RegistrationState,
    Result,
)

ACCEPTED = Result(Outcome.ACCEPTED, 200, "OK")
CALL_OVER = Result(Outcome.CALL_OVER, reason="the call is over")
PATIENCE_SECONDS = 60.0


class FakeCall:
    """Does what is asked in the order asked; `answers` has what comes of each, by its name."""

    call_id = "call-1"
    caller = Caller("1001")

    def __init__(self, log: list[str], name: str, **answers: list[Result | None]) -> None:
        """An answer of None never comes; what has none is accepted."""
        self._log = log
        self._name = name
        self._answers = answers
        self._ends: list[Callable[[CallEnd], None]] = []
        self.asked = threading.Condition()

    @property
    def media(self) -> MediaDescription:
        raise LookupError

    def _ask(self, what: str, on_result: OnResult, *more: str) -> None:
        answers = self._answers.get(what, [])
        result = answers.pop(0) if answers else ACCEPTED
        with self.asked:
            self._log.append(" ".join((self._name, what, *more)))
            self.asked.notify_all()
        if result is not None:
            on_result(result)

    def wait_asked(self, what: str) -> None:
        with self.asked:
            assert self.asked.wait_for(
                lambda: f"{self._name} {what}" in self._log, PATIENCE_SECONDS
            )

    def hold(self, on_result: OnResult) -> None:
        self._ask("hold", on_result)

    def resume(self, on_result: OnResult) -> None:
        self._ask("resume", on_result)

    def transfer(self, target: str, on_result: OnResult) -> None:
        self._ask("transfer", on_result, target)

    def transfer_to(self, consultation: object, on_result: OnResult) -> None:
        self._ask("transfer_to", on_result)

    def send_info_digits(self, digits: str, on_result: OnResult) -> None:
        self._ask("digits", on_result, digits)

    def hang_up(self) -> None:
        self._log.append(f"{self._name} hang-up")

    def answer(self) -> None:
        """Not asked for here."""

    def reject(self, status: int, *, retry_after_seconds: int | None = None) -> None:
        """Not asked for here."""

    def on_media(self, callback: Callable[[MediaDescription], None]) -> None:
        """Its media never change."""

    def on_digits(self, callback: Callable[[str], None]) -> None:
        """No keys come."""

    def on_end(self, callback: Callable[[CallEnd], None]) -> None:
        self._ends.append(callback)

    def end(self, end: CallEnd) -> None:
        """What the signalling thread does when the far end is gone."""
        for callback in self._ends:
            callback(end)


class FakePhone:
    """Rings wherever it is told, with one outcome; None for never."""

    registration = Registration(RegistrationState.REGISTERED)
    is_alive = True

    def __init__(self, log: list[str], result: Result | None = ACCEPTED) -> None:
        self._log = log
        self._result = result
        self.placed = FakeCall(log, "there")
        self.has_called = threading.Event()

    def start(
        self,
        *,
        on_call: Callable[[IncomingCall], None],
        on_registration: Callable[[Registration], None],
    ) -> None:
        """Not asked for here."""

    def stop(self, *, timeout_seconds: float = 4.0) -> None:
        """Not asked for here."""

    def call(self, target: str, on_result: OnResult, *, ring_seconds: float = 30.0) -> FakeCall:
        self._log.append(f"there call {target} {ring_seconds:g}")
        if self._result is not None:
            on_result(self._result)
        self.has_called.set()
        return self.placed
