"""Deeds within a whole call: real threads and media, signalling that does what the test says."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from scripted_call import ScriptedCall, account, engines

from softagent.abilities import Destination
from softagent.call import CallSession
from softagent.config import LimitSettings
from softagent.dialogue.conversation import Conversation
from softagent.dialogue.deeds import (
    Deed,
    DeedOutcome,
    DeedResult,
    LeaveMessage,
    SendDigits,
    Transfer,
)
from softagent.dialogue.events import CallerHungUp, Command, DeedDone, DigitPressed, Do, Event
from softagent.media.description import Direction
from softagent.report import Did, Report
from softagent.sip.phone import CallEnd, OnResult, Outcome, Result

PATIENCE_SECONDS = 30.0
ACCEPTED = Result(Outcome.ACCEPTED, 200, "OK")
MESSAGE = LeaveMessage("Ann", "1001", "a lost key")


class Line(ScriptedCall):
    """Can be put on hold, as the signalling does it: the media change, then the result is told."""

    def hold(self, on_result: OnResult) -> None:
        self.change(direction=Direction.SENDONLY)
        self.done.append("hold")
        on_result(ACCEPTED)

    def resume(self, on_result: OnResult) -> None:
        self.change(direction=Direction.SENDRECV)
        self.done.append("resume")
        on_result(ACCEPTED)


class Colleague(ScriptedCall):
    """Somebody who is called, and rings until the test says what comes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.has_rung = threading.Event()
        self.told: OnResult | None = None

    def call(self, target: str, on_result: OnResult, *, ring_seconds: float) -> Colleague:
        self.told = on_result
        self.has_rung.set()
        return self

    def tell(self, result: Result) -> None:
        assert self.told is not None
        self.told(result)


class Decided(Conversation):
    """Does `deed` at a key, and `at_the_end` once the caller has hung up; keeps what came of it."""

    deed: Deed = SendDigits("1")
    at_the_end: Deed | None = None
    outcomes: queue.SimpleQueue[DeedOutcome]

    def handle(self, event: Event) -> list[Command]:
        match event:
            case DigitPressed():
                return [Do(0, self.deed)]
            case DeedDone(outcome=outcome):
                self.outcomes.put(outcome)
                return []
            case CallerHungUp() if self.at_the_end is not None:
                wanted, self.at_the_end = self.at_the_end, None
                return [Do(1, wanted)]
        return super().handle(event)


class Desk:
    """A call that is up, and what is done in it."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        deed: Deed,
        *,
        at_the_end: Deed | None = None,
        hold_seconds: int = 900,
    ) -> None:
        self.outcomes: queue.SimpleQueue[DeedOutcome] = queue.SimpleQueue()
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self.kept: list[LeaveMessage] = []
        self.call = Line()
        self.colleague = Colleague()
        monkeypatch.setattr(Decided, "deed", deed)
        monkeypatch.setattr(Decided, "at_the_end", at_the_end)
        monkeypatch.setattr(Decided, "outcomes", self.outcomes, raising=False)
        monkeypatch.setattr("softagent.talk.Conversation", Decided)
        office = replace(
            account(limits=replace(LimitSettings(), hold_seconds=hold_seconds)),
            destinations=(Destination("sales", "1003"),),
        )
        self.session = CallSession(
            self.call,  # type: ignore[arg-type]
            office,
            engines(),
            (),
            report=self.reports.put,
            phone=self.colleague,  # type: ignore[arg-type]
            keep=self._keep,
        )
        self._end: CallEnd | None = None
        self._thread = threading.Thread(target=self._run, name="call")
        self._thread.start()
        assert self.call.is_answered.wait(PATIENCE_SECONDS)

    def press(self) -> None:
        self.call.press("1")

    def outcome(self) -> DeedOutcome:
        return self.outcomes.get(timeout=PATIENCE_SECONDS)

    def end(self) -> CallEnd | None:
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        return self._end

    def did(self) -> list[Did]:
        reports = [self.reports.get() for _ in range(self.reports.qsize())]
        return [report for report in reports if isinstance(report, Did)]

    def _run(self) -> None:
        self._end = self.session.run()

    def _keep(self, message: LeaveMessage) -> DeedOutcome:
        self.kept.append(message)
        return DeedOutcome(DeedResult.DONE)


@pytest.fixture(autouse=True)
def nothing_stays_behind() -> Iterator[None]:
    """Every test here leaves as many threads as it found."""
    before = set(threading.enumerate())
    yield
    assert [thread for thread in threading.enumerate() if thread not in before] == []


def test_what_came_of_a_transfer_is_told_once_the_caller_is_off_hold(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    desk = Desk(monkeypatch, Transfer("sales"))
    desk.press()
    assert desk.colleague.has_rung.wait(PATIENCE_SECONDS)
    assert desk.call.media.is_held
    desk.colleague.tell(Result(Outcome.BUSY, 486, "Busy Here"))
    assert desk.outcome() == DeedOutcome(DeedResult.BUSY, "486 Busy Here")
    assert not desk.call.media.is_held
    desk.call.end(CallEnd.CALLER_HUNG_UP)
    assert desk.end() is CallEnd.CALLER_HUNG_UP
    assert desk.did() == [Did("reception", "call-1", "transfer:sales", "busy")]
    assert "event=deed name=transfer:sales result=busy detail='486 Busy Here'" in caplog.text


def test_a_caller_who_hangs_up_during_the_transfer_ends_the_other_call_and_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk(monkeypatch, Transfer("sales"))
    desk.press()
    assert desk.colleague.has_rung.wait(PATIENCE_SECONDS)
    desk.call.end(CallEnd.CALLER_HUNG_UP)
    assert desk.end() is CallEnd.CALLER_HUNG_UP
    assert desk.colleague.done == ["hang up"]
    assert desk.did() == [Did("reception", "call-1", "transfer:sales", "failed")]


def test_the_limit_of_holds_is_none_for_a_transfer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has one of its own: how long the destination may ring."""
    desk = Desk(monkeypatch, Transfer("sales"), hold_seconds=0)
    desk.press()
    assert desk.colleague.has_rung.wait(PATIENCE_SECONDS)
    held = threading.Event()
    ticked = desk.session._wait

    def count(tick: object) -> None:
        ticked(tick)  # type: ignore[arg-type]
        if desk.session._held_ticks > 5:
            held.set()

    monkeypatch.setattr(desk.session, "_wait", count)
    assert held.wait(PATIENCE_SECONDS)
    desk.colleague.tell(Result(Outcome.NO_ANSWER))
    assert desk.outcome().result is DeedResult.NO_ANSWER
    desk.call.end(CallEnd.CALLER_HUNG_UP)
    assert desk.end() is CallEnd.CALLER_HUNG_UP


def test_keys_go_out_in_the_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch, SendDigits("12"))
    desk.press()
    assert desk.outcome().result is DeedResult.DONE
    desk.call.end(CallEnd.CALLER_HUNG_UP)
    desk.end()


def test_what_a_caller_has_left_is_kept_though_they_hang_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk(monkeypatch, SendDigits("1"), at_the_end=MESSAGE)
    desk.call.end(CallEnd.CALLER_HUNG_UP)
    desk.end()
    assert desk.kept == [MESSAGE]
    assert desk.did() == [Did("reception", "call-1", "message", "done")]
