"""What a transfer asks of the telephone, in order, and what is reported of it."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

import pytest
from fake_telephone import ACCEPTED, CALL_OVER, PATIENCE_SECONDS, FakeCall, FakePhone
from scripted_call import Buzzer

from softagent.abilities import Destination
from softagent.deeds import transferring
from softagent.deeds.transferring import Consultation, Transferring
from softagent.deeds.watch import Watch
from softagent.dialogue.deeds import DeedOutcome, DeedResult
from softagent.log import call_logger
from softagent.sip.phone import CallEnd, Caller, Outcome, Result

SALES = Destination("sales", "1003", timeout_seconds=20)
BLIND = Destination("sales", "1003", mode="blind")
BUSY = Result(Outcome.BUSY, 486, "Busy Here")
TOO_EARLY = Result(Outcome.REFUSED, 400, "Bad Request")
DECLINED = Result(Outcome.REFUSED, 603, "Decline")


@pytest.fixture(autouse=True)
def no_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transferring, "SETTLE_SECONDS", 0.0)


class Desk:
    """A caller on the line, and a telephone to call from."""

    def __init__(self, reached: Result | None = ACCEPTED, **answers: list[Result | None]) -> None:
        self.log: list[str] = []
        self.call = FakeCall(self.log, "caller", **answers)
        self.phone = FakePhone(self.log, reached)
        self.watch = Watch()
        self.transferring = Transferring(
            self.call, self.phone, self.watch, call_logger("reception", "call-1")
        )
        self._outcome: DeedOutcome | None = None
        self._thread = threading.Thread(target=self._run)

    def transfer(self, destination: Destination = SALES) -> DeedOutcome:
        return self.transferring.transfer(destination)

    def begin(self) -> None:
        self._thread.start()

    def outcome(self) -> DeedOutcome:
        self._thread.join(PATIENCE_SECONDS)
        assert self._outcome is not None
        return self._outcome

    def _run(self) -> None:
        self._outcome = self.transfer()


def test_an_attended_transfer_that_is_granted() -> None:
    """The caller is on hold while it rings, and is handed over once it is answered."""
    desk = Desk()
    assert desk.transfer() == DeedOutcome(DeedResult.DONE, "200 OK")
    assert desk.log == [
        "caller hold",
        "there call 1003 20",
        "caller transfer_to",
        "there hang-up",
    ]


@pytest.mark.parametrize(
    ("reached", "result"),
    [
        (BUSY, DeedOutcome(DeedResult.BUSY, "486 Busy Here")),
        (Result(Outcome.NO_ANSWER), DeedOutcome(DeedResult.NO_ANSWER)),
        (DECLINED, DeedOutcome(DeedResult.REFUSED, "603 Decline")),
        (Result(Outcome.TIMED_OUT, reason="no answer"), DeedOutcome(DeedResult.TIMED_OUT, "no answer")),
    ],
)  # fmt: skip
def test_whom_nobody_answers_is_taken_off_hold_and_told_why(
    reached: Result, result: DeedOutcome
) -> None:
    desk = Desk(reached)
    assert desk.transfer() == result
    assert desk.log == ["caller hold", "there call 1003 20", "there hang-up", "caller resume"]


def test_a_pbx_that_is_not_ready_is_asked_again() -> None:
    desk = Desk(transfer_to=[TOO_EARLY])
    assert desk.transfer().result is DeedResult.DONE
    assert desk.log.count("caller transfer_to") == 2


def test_a_pbx_that_takes_no_transfer_gives_the_caller_back() -> None:
    desk = Desk(transfer_to=[DECLINED])
    assert desk.transfer() == DeedOutcome(DeedResult.REFUSED, "603 Decline")
    assert desk.log[-2:] == ["there hang-up", "caller resume"]


def test_a_pbx_that_never_gets_ready_is_not_asked_for_ever() -> None:
    desk = Desk(transfer_to=[TOO_EARLY] * 9)
    assert desk.transfer() == DeedOutcome(DeedResult.REFUSED, "400 Bad Request")
    assert desk.log.count("caller transfer_to") == 3


def test_a_destination_that_hangs_up_at_once_is_told_apart_from_a_caller_who_does() -> None:
    desk = Desk(transfer_to=[CALL_OVER])
    desk.phone.placed.on_end = lambda callback: callback(CallEnd.CALLER_HUNG_UP)  # type: ignore[method-assign]
    assert desk.transfer() == transferring.HUNG_UP_EARLY
    assert desk.log[-1] == "caller resume"


def test_a_caller_who_hangs_up_while_it_rings_ends_the_ringing() -> None:
    desk = Desk(None)
    desk.begin()
    assert desk.phone.has_called.wait(PATIENCE_SECONDS)
    desk.watch.cancel()
    assert desk.outcome() == transferring.HUNG_UP
    assert desk.log == ["caller hold", "there call 1003 20", "there hang-up"]


def test_a_caller_who_hangs_up_while_being_put_on_hold_is_not_transferred() -> None:
    desk = Desk(hold=[None])
    desk.begin()
    desk.call.wait_asked("hold")
    desk.watch.cancel()
    assert desk.outcome() == transferring.HUNG_UP
    assert desk.log == ["caller hold"]


def test_a_call_that_is_over_already_is_not_transferred() -> None:
    desk = Desk(hold=[CALL_OVER])
    assert desk.transfer() == transferring.HUNG_UP
    assert desk.log == ["caller hold"]


def test_the_end_of_the_call_during_the_transfer_is_part_of_it() -> None:
    """The PBX says goodbye before it says that all is well: nothing is taken back meanwhile."""
    desk = Desk()
    desk.call.transfer_to = lambda _, told: (desk.watch.cancel(), told(ACCEPTED))  # type: ignore[method-assign,assignment]
    assert desk.transfer().result is DeedResult.DONE
    assert desk.log == ["caller hold", "there call 1003 20", "there hang-up"]


def test_a_pbx_without_hold_transfers_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing was put on hold, so nothing is taken off."""
    caplog.set_level(logging.WARNING)
    desk = Desk(BUSY, hold=[Result(Outcome.REFUSED, 488, "Not Acceptable Here")])
    assert desk.transfer().result is DeedResult.BUSY
    assert desk.log == ["caller hold", "there call 1003 20", "there hang-up"]
    assert "event=hold-refused status=488" in caplog.text


def test_a_caller_who_can_not_be_taken_off_hold_is_let_go_of() -> None:
    desk = Desk(BUSY, resume=[DECLINED, DECLINED])
    assert desk.transfer().result is DeedResult.BUSY
    assert desk.log[-3:] == ["caller resume", "caller resume", "caller hang-up"]


def test_a_telephone_that_breaks_gives_the_caller_back() -> None:
    desk = Desk()
    desk.phone.call = lambda *_, **__: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(ZeroDivisionError):
        desk.transfer()
    assert desk.log == ["caller hold", "caller resume"]


def test_without_a_telephone_there_is_no_attended_transfer() -> None:
    desk = Desk()
    alone = Transferring(desk.call, None, desk.watch, call_logger("reception", "call-1"))
    assert alone.transfer(SALES) == transferring.NO_PHONE
    assert alone.transfer(BLIND).result is DeedResult.DONE


def test_an_announcement_that_fails_keeps_nobody_from_being_put_through(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """This telephone knows of no media."""
    desk = Desk()
    speaking = Transferring(
        desk.call,
        desk.phone,
        desk.watch,
        call_logger("reception", "call-1"),
        synthesizer=Buzzer(),
    )
    assert speaking.transfer(replace(SALES, announce="A call.")).result is DeedResult.DONE
    assert "event=announcement-failed" in caplog.text


@pytest.mark.parametrize(
    ("caller", "text"),
    [
        (Caller("1001", "Ann Miller"), "A call from Ann Miller."),
        (Caller("1001"), "A call from 1 0 0 1."),
        (Caller("", "x" * 500), f"A call from {'x' * 60}."),
        (Caller(""), "A call from somebody."),
    ],
)
def test_an_announcement_says_who_calls(caller: Caller, text: str) -> None:
    announcing = replace(SALES, announce="A call from {caller}.")
    assert Consultation(FakePhone([]), announcing).announcement(caller) == text


def test_a_blind_transfer_asks_the_pbx_only() -> None:
    desk = Desk()
    assert desk.transfer(BLIND).result is DeedResult.DONE
    assert desk.log == ["caller transfer 1003"]


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (BUSY, DeedOutcome(DeedResult.BUSY, "486 Busy Here")),
        (CALL_OVER, DeedOutcome(DeedResult.FAILED, "the call is over")),
        (
            Result(Outcome.ACCEPTED, reason="taken on; the other side tells no more"),
            DeedOutcome(DeedResult.DONE, "taken on; the other side tells no more"),
        ),
    ],
)
def test_a_blind_transfer_tells_what_the_pbx_says(result: Result, outcome: DeedOutcome) -> None:
    assert Desk(transfer=[result]).transfer(BLIND) == outcome
