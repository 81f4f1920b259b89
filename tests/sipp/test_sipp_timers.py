"""Session timers (RFC 4028) and acknowledged provisional responses (RFC 3262)."""

from __future__ import annotations

import time

import pytest
from extension import Extension
from sipp import Caller

from softagent.sip.phone import CallEnd


@pytest.mark.parametrize("scenario", ["session_interval", "session_refresh_by_update"])
def test_session_timers(extension: Extension, sipp: Caller, scenario: str) -> None:
    with sipp(scenario) as caller:
        leg = extension.answered()
        caller.finish()
    assert leg.end() is CallEnd.CALLER_HUNG_UP


@pytest.mark.parametrize("scenario", ["prack_required", "prack_repeated", "prack_unknown"])
def test_provisional_responses_that_are_acknowledged(
    extension: Extension, sipp: Caller, scenario: str
) -> None:
    with sipp(scenario) as caller:
        leg = extension.ringing()
        time.sleep(1.6)
        leg.answer()
        caller.finish()
    assert leg.end() is CallEnd.CALLER_HUNG_UP
