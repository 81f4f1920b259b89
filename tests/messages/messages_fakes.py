"""What the tests of messages share: a message, a clock, ways that do what the test says."""

from __future__ import annotations

from collections.abc import Callable

from softagent.dialogue.deeds import LeaveMessage
from softagent.messages.message import CallerMessage, Delivery, Entry, Line
from softagent.messages.postman import DeliveryFailed

TAKEN_AT = 1_795_000_000.0
LEFT = LeaveMessage("Ann Miller", "030 1234", "a lost key")


class Clock:
    """Stands still until the test moves it."""

    def __init__(self, now: float = TAKEN_AT) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Way:
    """Fails as often as it is told to, and keeps what it was given."""

    def __init__(self, failures: int = 0, during: Callable[[], None] = lambda: None) -> None:
        self.failures = failures
        self.during = during
        self.tried: list[CallerMessage] = []
        self.delivered: list[CallerMessage] = []

    def __call__(self, message: CallerMessage) -> None:
        self.tried.append(message)
        self.during()
        if self.failures:
            self.failures -= 1
            raise DeliveryFailed("nobody is there")
        self.delivered.append(message)


def message(
    identity: str = "m-1", *, recording: str = "", reason: str = "a lost key"
) -> CallerMessage:
    lines = (Line("agent", "Hello."), Line("caller", "I have lost my key."))
    return CallerMessage(
        identity, "reception", "call-1@pbx", "1001", "Ann Miller", "030 1234", reason,
        TAKEN_AT, lines, recording,
    )  # fmt: skip


def entry(
    identity: str = "m-1", *ways: str, is_complete: bool = True, recording: str = ""
) -> Entry:
    return Entry(
        message(identity, recording=recording), is_complete, {way: Delivery() for way in ways}
    )
