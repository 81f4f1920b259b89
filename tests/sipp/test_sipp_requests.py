"""Requests around calls: what a telephone answers to each (RFC 3261 sections 8.2, 12.2 and 18.2)."""

from __future__ import annotations

import time

import pytest
from extension import Extension
from sipp import Caller

from softagent.sip.phone import CallEnd


@pytest.mark.parametrize(
    "scenario",
    [
        "unknown_require",
        "unknown_method",
        "unsupported_method",
        "bye_unknown",
        "notify_outside",
        "rport",
        "received",
        "maddr",
        "loop",
    ],
)
def test_a_request_outside_any_call_is_answered(
    extension: Extension, sipp: Caller, scenario: str
) -> None:
    sipp.run(scenario)
    assert extension.is_idle


@pytest.mark.parametrize("scenario", ["in_dialog_requests", "out_of_order", "refer", "update"])
def test_requests_within_a_call_do_it_no_harm(
    extension: Extension, sipp: Caller, scenario: str
) -> None:
    with sipp(scenario) as caller:
        leg = extension.ringing()
        time.sleep(0.3)  # what the scenario asks while it rings
        leg.answer()
        caller.finish()
    assert leg.end() is CallEnd.CALLER_HUNG_UP


def test_a_second_caller_is_told_that_we_are_busy(extension: Extension, sipp: Caller) -> None:
    with sipp("short_call") as caller:
        leg = extension.answered()
        sipp.run("busy")
        caller.finish()
    assert leg.end() is CallEnd.CALLER_HUNG_UP


def test_digits_that_come_as_info(extension: Extension, sipp: Caller) -> None:
    with sipp("info_digits") as caller:
        leg = extension.answered()
        caller.finish()
    assert leg.end() is CallEnd.CALLER_HUNG_UP
    assert leg.info_digits == "5#"
