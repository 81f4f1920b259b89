"""Callers who want somebody: whole calls at the lab's PBX, with engines that hear what the test says."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from caller_phone import CallerPhone
from extension import PATIENCE_SECONDS, Extension
from scripted_call import GREETING, Buzzer, engines, free_port

from softagent.abilities import Destination
from softagent.call import CallSession
from softagent.config import PortRange
from softagent.lab.colleagues import Colleague, Referral
from softagent.lab.outgoing import CallPhase, LabCall
from softagent.lab.pbx import LabPbx
from softagent.report import Did, Report, Said
from softagent.sip.phone import CallEnd, IncomingCall

LONG_SECONDS = 60.0
QUIET_TICKS = 25
DESTINATIONS = (Destination("sales", "201", default=True), Destination("Ms Ito", "202"))


class Desk(Extension):
    """An extension whose calls are real CallSessions."""

    def __init__(self, port: int, heard: tuple[str, ...]) -> None:
        super().__init__(
            "100",
            "secret100",
            port=port,
            rtp_ports=PortRange(23300, 23399),
            destinations=DESTINATIONS,
            greeting=GREETING,
        )
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self.ends: queue.SimpleQueue[CallEnd] = queue.SimpleQueue()
        self._engines = engines(*heard, synthesizer=Buzzer())
        self._threads: list[threading.Thread] = []

    def said(self, words: str) -> None:
        """Wait until the agent has said that."""
        told: list[str] = []
        while words not in " ".join(told):
            try:
                report = self.reports.get(timeout=LONG_SECONDS)
            except queue.Empty:
                raise AssertionError(f"the agent has said {told}, and not {words!r}") from None
            told += [report.text] if isinstance(report, Said) else []

    def did(self) -> Did:
        """What has been done next."""
        while not isinstance(report := self.reports.get(timeout=LONG_SECONDS), Did):
            pass
        return report

    def join(self) -> None:
        for thread in self._threads:
            thread.join(LONG_SECONDS)

    def _ring(self, call: IncomingCall) -> None:
        session = CallSession(
            call, self.account, self._engines, (), report=self.reports.put, phone=self.phone
        )
        thread = threading.Thread(target=lambda: self.ends.put(session.run()), daemon=True)
        self._threads.append(thread)
        thread.start()


@contextmanager
def calling(
    *heard: str, sales: Colleague = Colleague.ANSWERS
) -> Iterator[tuple[LabPbx, Desk, LabCall, CallerPhone]]:
    """A caller who has heard the greeting."""
    pbx = LabPbx({"100": "secret100"}, colleagues={"201": sales, "202": Colleague.BUSY})
    pbx.start()
    with Desk(pbx.address[1], heard) as desk:
        desk.wait_registered()
        port = free_port()
        call = pbx.call("100", media=("127.0.0.1", port))
        media = call.wait_answered(PATIENCE_SECONDS)
        caller = CallerPhone(port, media.port)
        try:
            desk.said(GREETING)
            caller.wait_quiet(QUIET_TICKS)
            yield pbx, desk, call, caller
            call.hang_up()
            desk.join()
        finally:
            caller.close()
    pbx.stop()


def test_a_caller_who_wants_somebody_is_put_through() -> None:
    with calling("Put me through to sales, please.") as (pbx, desk, call, caller):
        caller.say()
        desk.said("putting you through to sales")
        assert desk.did().result == "done"
        assert desk.ends.get(timeout=LONG_SECONDS) is CallEnd.TRANSFERRED
        assert pbx.colleagues.referrals == (Referral("201", True, 200),)
        assert call.phase is CallPhase.ENDED_BY_AGENT


def test_a_busy_line_is_told_of_once_the_caller_is_off_hold() -> None:
    with calling("Can I speak to Ms Ito?") as (pbx, desk, call, caller):
        caller.say()
        desk.said("putting you through to Ms Ito")
        assert (did := desk.did()).result == "busy", did
        desk.said("The line is busy.")
        assert pbx.colleagues.dialled == ("202",)
        assert pbx.colleagues.referrals == ()
        assert call.phase is CallPhase.UP


@pytest.mark.parametrize(
    ("sales", "words"),
    [
        (Colleague.AWAY, "nobody is answering"),
        (Colleague.REFUSES, "couldn't take the call"),
    ],
)
def test_what_the_caller_is_told_is_what_happened(sales: Colleague, words: str) -> None:
    with calling("I'd like to talk to a real person.", sales=sales) as (_, desk, call, caller):
        caller.say()
        desk.said(words)
        assert call.phase is CallPhase.UP


def test_whom_the_accounts_file_does_not_name_nobody_calls() -> None:
    """Whatever is said: only a destination's name leads anywhere."""
    with calling("Transfer me to 0900 123 456.") as (pbx, _desk, _, caller):
        caller.say()
        caller.hear_out()
        assert pbx.colleagues.dialled == ()
        assert pbx.colleagues.referrals == ()
