"""What we ask of the other side, and how SIPp takes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from extension import Extension
from sipp import PASSWORD, QUICK, USER, Caller, Sipp, free_port

from softagent.sip.phone import CallEnd, Outcome

COLLEAGUE = "1003"


@pytest.mark.parametrize("scenario", ["glare", "glare_theirs"])
def test_both_sides_change_the_media_at_once(
    extension: Extension, sipp: Caller, scenario: str
) -> None:
    """Refused with 491 by either side (RFC 3261 section 14), ours succeeds in the end."""
    with sipp(scenario) as caller:
        leg = extension.answered()
        leg.listen(0.3)
        assert leg.do(leg.call.hold).is_accepted
        caller.finish()


def test_a_transfer_that_succeeds(extension: Extension, sipp: Caller) -> None:
    with sipp("transfer_done") as caller:
        leg = extension.answered()
        leg.listen(0.3)
        assert leg.do(lambda told: leg.call.transfer(COLLEAGUE, told)).is_accepted
        assert leg.end() is CallEnd.TRANSFERRED
        caller.finish()


@pytest.mark.parametrize(
    ("scenario", "outcome", "status"),
    [
        ("transfer_busy", Outcome.BUSY, 486),
        ("transfer_no_answer", Outcome.NO_ANSWER, 408),
        ("transfer_declined", Outcome.REFUSED, 603),
        ("transfer_refused", Outcome.REFUSED, 603),
    ],
)
def test_a_transfer_that_fails_leaves_the_call_as_it_was(
    extension: Extension, sipp: Caller, scenario: str, outcome: Outcome, status: int
) -> None:
    with sipp(scenario) as caller:
        leg = extension.answered()
        leg.listen(0.3)
        before = leg.media
        result = leg.do(lambda told: leg.call.transfer(COLLEAGUE, told))
        assert (result.outcome, result.status) == (outcome, status)
        assert not leg.is_over
        assert leg.media == before
        caller.finish()
    assert leg.end() is CallEnd.CALLER_HUNG_UP


@pytest.mark.parametrize(
    ("scenario", "outcome"),
    [
        ("callee_answers", Outcome.ACCEPTED),
        ("callee_repeats_its_answer", Outcome.ACCEPTED),
        ("callee_talks_nonsense", Outcome.ACCEPTED),
        ("callee_busy", Outcome.BUSY),
        ("callee_never_answers", Outcome.NO_ANSWER),
        ("callee_answers_too_late", Outcome.NO_ANSWER),
        ("callee_says_nothing_useful", Outcome.REFUSED),
    ],
)
def test_calls_of_ours(tmp_path: Path, scenario: str, outcome: Outcome) -> None:
    """SIPp is the registrar and whom we call; three of its calls, for it registers us and lets us go."""
    port = free_port()
    with Sipp(scenario, tmp_path, local_port=port, calls=3) as callee:
        with Extension(USER, PASSWORD, port=port, timing=QUICK) as extension:
            extension.wait_registered()
            leg, result = extension.call(COLLEAGUE, ring_seconds=1.0)
            assert result.outcome is outcome, result
            if leg is not None:
                leg.listen(0.8)
                leg.call.hang_up()
                assert leg.end() is CallEnd.AGENT_HUNG_UP
        callee.finish()
