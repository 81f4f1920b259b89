"""Doer: carries out the deeds of one call, one at a time, in a thread of its own.

call thread --do(id, deed)--> Doer thread --> Transferring, run_program, post_webhook ...
call thread <--DeedDone------ on_done
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from softagent.config import Account
from softagent.deeds.action import run_action
from softagent.deeds.transferring import Transferring, outcome_of
from softagent.deeds.watch import Watch
from softagent.dialogue.deeds import (
    Deed,
    DeedOutcome,
    DeedResult,
    LeaveMessage,
    RunAction,
    SendDigits,
    Transfer,
    name_of,
)
from softagent.engines import Synthesizer
from softagent.sip.phone import Call, Phone

KEY_SECONDS = 3.0
"""More than an INFO takes that is answered."""

Keep = Callable[[LeaveMessage], DeedOutcome]
"""Keeps a message, and says whether that is done."""


def keep_nothing(_message: LeaveMessage) -> DeedOutcome:
    """Where there is no place for messages."""
    return DeedOutcome(DeedResult.FAILED, "there is no place for messages")


class Doer:
    """One call's. `do` and `close` belong to the call thread, everything else to its own.

    At the end of the call a transfer is given up; messages and actions of the office's own
    that were wanted before it are carried through, because the caller has agreed to them.
    """

    def __init__(
        self,
        call: Call,
        account: Account,
        *,
        phone: Phone | None,
        synthesizer: Synthesizer | None = None,
        press: Callable[[str], bool],
        keep: Keep,
        on_done: Callable[[int, Deed, DeedOutcome], None],
        log: logging.LoggerAdapter[logging.Logger],
    ) -> None:
        """`synthesizer` speaks to those whom callers are put through to.

        `press` sends keys in the sound, and is False where that isn't possible. `on_done` is called on the doer's thread, also when the call is over; it must be quick.
        """
        self._call = call
        self._destinations = {known.name: known for known in account.destinations}
        self._actions = {known.name: known for known in account.actions}
        self._about = {
            "account": account.name,
            "call": call.call_id,
            "caller": call.caller.number,
        }
        self._press = press
        self._keep = keep
        self._on_done = on_done
        self._log = log
        self._watch = Watch()
        self._transferring = Transferring(call, phone, self._watch, log, synthesizer=synthesizer)
        self._deeds: queue.SimpleQueue[tuple[int, Deed] | None] = queue.SimpleQueue()
        """From the call thread; None ends ours."""
        self._thread: threading.Thread | None = None
        self._name = account.name
        self._wanted = self._done = 0
        """How many deeds; the call thread counts the one, ours the other."""

    @property
    def is_busy(self) -> bool:
        """Whether a deed is under way, or waits for its turn."""
        return self._wanted > self._done

    def do(self, number: int, deed: Deed) -> None:
        """Carry out `deed` once those before it are done."""
        self._log.info("event=deed-wanted name=%s", name_of(deed))
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name=f"deeds {self._name}", daemon=True
            )
            self._thread.start()
        self._wanted += 1
        self._deeds.put((number, deed))

    def close(self, timeout_seconds: float) -> None:
        """The call is over, and `do` called no more. An action may outlast this."""
        self._watch.cancel()
        self._deeds.put(None)
        if self._thread is not None:
            self._thread.join(timeout_seconds)
            if self._thread.is_alive():
                self._log.info("event=deed-outlasts-call")

    def _run(self) -> None:
        while (wanted := self._deeds.get()) is not None:
            number, deed = wanted
            outcome = self._outcome(deed)
            self._done += 1
            self._on_done(number, deed, outcome)

    def _outcome(self, deed: Deed) -> DeedOutcome:
        """Whatever happens, there is one: the caller is waiting for it."""
        try:
            return self._carry_out(deed)
        except Exception as error:
            self._log.exception("event=deed-broke name=%s", name_of(deed))
            return DeedOutcome(DeedResult.FAILED, f"{type(error).__name__}: {error}")

    def _carry_out(self, deed: Deed) -> DeedOutcome:
        match deed:
            case Transfer(name):
                destination = self._destinations.get(name)
                if destination is None:
                    return DeedOutcome(DeedResult.FAILED, f"no destination {name!r}")
                return self._transferring.transfer(destination)
            case SendDigits(digits):
                return self._send(digits)
            case LeaveMessage():
                return self._keep(deed)
            case RunAction(name, values):
                action = self._actions.get(name)
                if action is None:
                    return DeedOutcome(DeedResult.FAILED, f"no action {name!r}")
                return run_action(action, values, about={**self._about, "action": name})

    def _send(self, digits: str) -> DeedOutcome:
        """In the sound where the other side takes that, else as INFO."""
        if self._press(digits):
            return DeedOutcome(DeedResult.DONE)
        seconds = KEY_SECONDS * len(digits)
        result = self._watch.ask(
            lambda told: self._call.send_info_digits(digits, told), seconds=seconds
        )
        if result is None:
            return DeedOutcome(DeedResult.TIMED_OUT, "the keys are not confirmed")
        return outcome_of(result)
