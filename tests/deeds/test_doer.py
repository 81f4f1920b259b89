"""One deed after another in a thread of its own, each with an outcome."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from fake_telephone import PATIENCE_SECONDS, FakeCall, FakePhone

from softagent.abilities import Action, Destination, Parameter
from softagent.config import Account, Secret
from softagent.deeds.doer import Doer, Keep, keep_nothing
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
from softagent.log import call_logger
from softagent.sip.phone import Outcome, Result

MESSAGE = LeaveMessage("Ann", "1001", "a lost key")
ECHO = Action(
    "echo",
    parameters=(Parameter("day"),),
    command=("sh", "-c", "cat; env | grep -c SOFTAGENT_ >&2"),
    timeout_seconds=60,
)
ACCOUNT = Account(
    "reception",
    "pbx.lan",
    "100",
    password=Secret("x"),
    destinations=(Destination("sales", "1003", mode="blind"), Destination("Ms Ito", "1004")),
    actions=(ECHO,),
)


class Office:
    """A doer and what it reports."""

    def __init__(self, doer: Doer, asked: list[str], done: queue.SimpleQueue[object]) -> None:
        self.doer = doer
        self.asked = asked
        self._done = done

    def result(self) -> object:
        """Number, deed and outcome of the next deed that is done."""
        return self._done.get(timeout=PATIENCE_SECONDS)

    def outcome(self, deed: Deed) -> DeedOutcome:
        self.doer.do(7, deed)
        number, same, outcome = self.result()  # type: ignore[misc]
        assert (number, same) == (7, deed)
        return outcome  # type: ignore[no-any-return]


@contextmanager
def office(
    account: Account = ACCOUNT,
    *,
    takes_events: bool = True,
    keep: Keep = keep_nothing,
    rings: Result | None = None,
    **answers: list[Result | None],
) -> Iterator[Office]:
    asked: list[str] = []
    done: queue.SimpleQueue[object] = queue.SimpleQueue()
    call = FakeCall(asked, "caller", **answers)

    def press(digits: str) -> bool:
        asked.append(f"press {digits}")
        return takes_events

    doer = Doer(
        call,
        account,
        phone=FakePhone(asked, rings),
        press=press,
        keep=keep,
        on_done=lambda *result: done.put(result),
        log=call_logger("reception", "call-1"),
    )
    yield Office(doer, asked, done)
    doer.close(PATIENCE_SECONDS)


def test_deeds_are_done_one_after_the_other_and_reported_by_number() -> None:
    with office() as at:
        deeds: list[Deed] = [SendDigits("1"), Transfer("sales"), SendDigits("2")]
        for number, deed in enumerate(deeds):
            at.doer.do(number, deed)
        done = [at.result() for _ in deeds]
        assert [result[:2] for result in done] == list(enumerate(deeds))  # type: ignore[index]
        assert at.asked == ["press 1", "caller transfer 1003", "press 2"]


def test_a_transfer_goes_to_a_destination_of_the_file_by_its_name() -> None:
    """A number is no name, and neither is anything else."""
    with office() as at:
        assert at.outcome(Transfer("sales")).result is DeedResult.DONE
        for name in ("1003", "Sales", "sip:1003@pbx.lan", ""):
            assert at.outcome(Transfer(name)).result is DeedResult.FAILED
        assert at.asked == ["caller transfer 1003"]


def test_an_action_gets_its_own_parameters_and_no_others() -> None:
    with office() as at:
        outcome = at.outcome(RunAction("echo", {"day": "Monday", "path": "/"}))
        assert outcome.result is DeedResult.DONE
        assert at.outcome(RunAction("rm")) == DeedOutcome(DeedResult.FAILED, "no action 'rm'")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("true", "It is booked."),
        ("echo Table four.", "Table four."),
        ("false", "That can't be booked."),
        ("echo Full.; exit 1", "Full."),
    ],
)
def test_the_account_says_what_an_action_does_not(script: str, said: str) -> None:
    action = replace(
        ECHO,
        command=("sh", "-c", script),
        done="It is booked.",
        failed="That can't be booked.",
    )
    with office(replace(ACCOUNT, actions=(action,))) as at:
        assert at.outcome(RunAction("echo")).text == said


def test_keys_go_as_info_where_the_other_side_takes_no_events() -> None:
    refused = Result(Outcome.REFUSED, 415, "Unsupported Media Type")
    with office(takes_events=False, digits=[refused]) as at:
        outcome = at.outcome(SendDigits("12#"))
        assert outcome == DeedOutcome(DeedResult.REFUSED, "415 Unsupported Media Type")
        assert at.outcome(SendDigits("9")).result is DeedResult.DONE
        assert at.asked == ["press 12#", "caller digits 12#", "press 9", "caller digits 9"]


def test_a_message_is_kept_by_who_keeps_messages() -> None:
    kept = []

    def keep(message: LeaveMessage) -> DeedOutcome:
        kept.append(message)
        return DeedOutcome(DeedResult.DONE)

    with office(keep=keep) as at:
        assert at.outcome(MESSAGE).result is DeedResult.DONE
    assert kept == [MESSAGE]
    with office() as at:
        assert at.outcome(MESSAGE).result is DeedResult.FAILED


def test_a_deed_that_breaks_has_failed_and_the_next_one_is_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def keep(_: LeaveMessage) -> DeedOutcome:
        raise ValueError("no disk")

    with office(keep=keep) as at:
        assert at.outcome(MESSAGE) == DeedOutcome(DeedResult.FAILED, "ValueError: no disk")
        assert at.outcome(SendDigits("1")).result is DeedResult.DONE
    assert "event=deed-broke name=message" in caplog.text


def test_the_end_of_the_call_ends_a_transfer_and_one_that_waits_behind_it_is_not_begun() -> None:
    with office() as at:
        at.doer.do(1, Transfer("Ms Ito"))
        at.doer.do(2, Transfer("sales"))
        at.doer.close(PATIENCE_SECONDS)
        assert at.result() == (
            1,
            Transfer("Ms Ito"),
            DeedOutcome(DeedResult.FAILED, "the caller has hung up"),
        )
        assert "caller transfer 1003" not in at.asked


def test_an_action_that_has_begun_is_carried_through() -> None:
    """The caller has said yes to it: hanging up then takes nothing back."""
    begun, may_end = threading.Event(), threading.Event()

    def keep(_: LeaveMessage) -> DeedOutcome:
        begun.set()
        assert may_end.wait(PATIENCE_SECONDS)
        return DeedOutcome(DeedResult.DONE)

    with office(keep=keep) as at:
        at.doer.do(1, MESSAGE)
        assert begun.wait(PATIENCE_SECONDS)
        at.doer.close(0.0)
        may_end.set()
        assert at.result() == (1, MESSAGE, DeedOutcome(DeedResult.DONE))


def test_a_call_without_deeds_has_no_thread_for_them() -> None:
    before = threading.active_count()
    with office():
        assert threading.active_count() == before


@pytest.mark.parametrize(
    ("deed", "name"),
    [
        (Transfer("Ms Ito"), "transfer:Ms-Ito"),
        (RunAction("echo", {"day": "secret"}), "action:echo"),
        (SendDigits("1234"), "digits"),
        (MESSAGE, "message"),
    ],
)
def test_the_log_names_deeds_without_what_the_caller_has_said(deed: Deed, name: str) -> None:
    assert name_of(deed) == name
