"""How an account stands: its worker, its registration and its calls, as far as the supervisor knows."""

from __future__ import annotations

from typing import Any

from softagent.life import LifeState
from softagent.report import CallEnded, CallStarted, MessagesWaiting, RegistrationChanged


class Standing:
    """What one worker has told. Times are the supervisor's own, in seconds on its clock."""

    def __init__(self, account: str, extension: str, now: float) -> None:
        self._account = account
        self._extension = extension
        self._worker = LifeState.STOPPED.value, ""
        self._worker_since = now
        self._processes = 0
        self._registration: RegistrationChanged | None = None
        self._registration_since = now
        self._calls: dict[str, tuple[str, float]] = {}
        """Call id -> who calls, and since when."""
        self._messages = MessagesWaiting(account, 0)

    def take(self, message: object, now: float) -> None:
        """Note what the worker says, if it is about how it stands."""
        match message:
            case RegistrationChanged():
                before = self._registration
                if before is None or (before.state, before.registrar) != (
                    message.state,
                    message.registrar,
                ):
                    self._registration_since = now
                self._registration = message
            case CallStarted(call=call, caller=caller):
                self._calls[call] = caller, now
            case CallEnded(call=call):
                self._calls.pop(call, None)
            case MessagesWaiting():
                self._messages = message

    def begin(self) -> None:
        """A new process has been started for it."""
        self._processes += 1

    def end(self, now: float) -> None:
        """The process is gone, and with it its registration and its calls."""
        self._registration, self._registration_since = None, now
        self._calls.clear()

    def change(self, state: LifeState, reason: str, now: float) -> None:
        """The worker's life has gone on."""
        if (state.value, reason) != self._worker:
            if state.value != self._worker[0]:
                self._worker_since = now
            self._worker = state.value, reason

    def describe(self, pid: int | None, now: float) -> dict[str, Any]:
        """All of it as JSON has it; `seconds` say for how long."""
        state, reason = self._worker
        known = self._registration or RegistrationChanged(self._account, "unregistered")
        return {
            "account": self._account,
            "extension": self._extension,
            "worker": {
                "state": state,
                "reason": reason,
                "pid": pid,
                "seconds": round(now - self._worker_since, 1),
                "restarts": max(0, self._processes - 1),
            },
            "registration": {
                "state": known.state,
                "reason": known.reason,
                "registrar": known.registrar,
                "seconds": round(now - self._registration_since, 1),
                "expires_seconds": known.expires_seconds,
                "refresh_seconds": known.refresh_seconds,
            },
            "calls": [
                {"call": call, "caller": caller, "seconds": round(now - since, 1)}
                for call, (caller, since) in self._calls.items()
            ],
            "messages": {"waiting": self._messages.count, "reason": self._messages.error},
        }
