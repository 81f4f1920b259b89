"""Callers who give up, at every moment at which they can (RFC 3261 section 9)."""

from __future__ import annotations

import time

from extension import Extension
from sipp import Caller

from softagent.sip.phone import CallEnd


def test_a_caller_who_gives_up_while_it_rings(extension: Extension, sipp: Caller) -> None:
    with sipp("cancel_ringing") as caller:
        leg = extension.ringing()
        caller.finish()
    assert leg.end() is CallEnd.CANCELLED


def test_a_cancel_right_behind_its_invite(extension: Extension, sipp: Caller) -> None:
    with sipp("cancel_at_once") as caller:
        leg = extension.ringing()
        caller.finish()
    assert leg.end() is CallEnd.CANCELLED


def test_an_answer_after_the_cancel_changes_nothing(extension: Extension, sipp: Caller) -> None:
    with sipp("cancel_at_once") as caller:
        leg = extension.ringing()
        assert leg.end() is CallEnd.CANCELLED
        leg.answer()
        caller.finish()
        assert caller.received("SIP/2.0 200") == 1, "the CANCEL's own and no other"


def test_a_cancel_that_crosses_the_answer(extension: Extension, sipp: Caller) -> None:
    """It came too late: the call is up, and ends with the caller's BYE."""
    with sipp("cancel_crossing") as caller:
        leg = extension.answered()
        caller.finish()
    assert leg.end() is CallEnd.CALLER_HUNG_UP


def test_answers_and_cancels_at_the_same_moment(extension: Extension, sipp: Caller) -> None:
    """Whoever wins, both sides agree on it: twenty calls, the answer a little later in each."""
    ends = []
    for attempt in range(20):
        with sipp("cancel_race") as caller:
            leg = extension.ringing()
            time.sleep(attempt * 0.002)
            leg.answer()
            caller.finish()
        ends.append(leg.end())
    assert set(ends) <= {CallEnd.CANCELLED, CallEnd.CALLER_HUNG_UP}


def test_a_cancel_for_nothing(sipp: Caller) -> None:
    sipp.run("cancel_unknown")
