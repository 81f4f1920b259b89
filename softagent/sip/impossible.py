"""Calls of ours that can't even be tried, and why."""

from __future__ import annotations

from collections.abc import Callable

from softagent.sip.address import Uri
from softagent.sip.errors import MessageError
from softagent.sip.outcome import CALL_OVER
from softagent.sip.phone import (
    Call,
    CallEnd,
    Caller,
    MediaDescription,
    OnResult,
    Outcome,
    Result,
)
from softagent.sip.target import target_uri


class CallNotPossible(Exception):
    """No INVITE goes out."""

    def __init__(self, reason: str, outcome: Outcome = Outcome.REFUSED) -> None:
        super().__init__(reason)
        self.result = Result(outcome, reason=reason)


def destination(target: str, domain: str) -> Uri:
    """Whom to call, as target_uri reads it. Raises CallNotPossible for nonsense."""
    try:
        return target_uri(target, domain)
    except MessageError as error:
        raise CallNotPossible(str(error)) from None


class ImpossibleCall:
    """In place of a call that can't be tried: over from the beginning. Any thread."""

    call_id = ""

    def __init__(self, target: str) -> None:
        self.caller = Caller(target)

    @property
    def media(self) -> MediaDescription:
        raise LookupError("the call was never made")

    def hang_up(self) -> None:
        """There is nothing to end."""

    def hold(self, on_result: OnResult) -> None:
        on_result(CALL_OVER)

    def resume(self, on_result: OnResult) -> None:
        on_result(CALL_OVER)

    def transfer(self, target: str, on_result: OnResult) -> None:
        on_result(CALL_OVER)

    def transfer_to(self, consultation: Call, on_result: OnResult) -> None:
        on_result(CALL_OVER)

    def send_info_digits(self, digits: str, on_result: OnResult) -> None:
        on_result(CALL_OVER)

    def on_media(self, callback: Callable[[MediaDescription], None]) -> None:
        """Its media never change."""

    def on_digits(self, callback: Callable[[str], None]) -> None:
        """Nobody presses keys in it."""

    def on_end(self, callback: Callable[[CallEnd], None]) -> None:
        callback(CallEnd.FAILED)
