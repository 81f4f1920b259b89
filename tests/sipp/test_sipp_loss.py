"""Datagrams that get lost, come twice or come by two ways."""

from __future__ import annotations

from extension import Extension
from relay import LossyRelay
from sipp import Caller

from softagent.sip.phone import CallEnd

LOSS = 0.03
CALLS = 60


def test_an_ack_that_never_comes(extension: Extension, sipp: Caller) -> None:
    """The answer is repeated for 64*T1, here 6.4 s, and then the call ended with BYE."""
    with sipp("lost_ack") as caller:
        leg = extension.answered()
        caller.finish()
        assert caller.received("SIP/2.0 200") > 10
    assert leg.end() is CallEnd.NOT_ACKNOWLEDGED


def test_an_ack_that_comes_late(extension: Extension, sipp: Caller) -> None:
    with sipp("late_ack") as caller:
        leg = extension.answered()
        caller.finish()
        # Once, three times more in 0.7 s, and once to the BYE.
        assert caller.received("SIP/2.0 200") >= 4
    assert leg.end() is CallEnd.CALLER_HUNG_UP


def test_an_answer_to_our_bye_that_is_lost(extension: Extension, sipp: Caller) -> None:
    """The BYE is repeated until it is answered, and not any more then."""
    with sipp("lost_bye_answer") as caller:
        leg = extension.answered()
        leg.listen(0.3)
        leg.call.hang_up()
        caller.finish()
        assert 3 <= caller.received("BYE ") <= 5
    assert leg.end() is CallEnd.AGENT_HUNG_UP


def test_calls_over_a_network_that_loses_signalling(extension: Extension, sipp: Caller) -> None:
    """Of 60 calls with 3 % of all datagrams lost each way none fails."""
    with (
        LossyRelay(sipp.phone, loss=LOSS, seed=3261) as relay,
        sipp("call", remote=relay.address, calls=CALLS) as caller,
    ):
        for _ in range(CALLS):
            leg = extension.answered()
            assert leg.end() is CallEnd.CALLER_HUNG_UP
        caller.finish()
    assert relay.lost > CALLS * LOSS


def test_an_invite_that_comes_three_times(extension: Extension, sipp: Caller) -> None:
    with sipp("duplicate_invite") as caller:
        leg = extension.answered()
        caller.finish()
    assert leg.end() is CallEnd.CALLER_HUNG_UP
    assert extension.is_idle, "it rang for one call only"


def test_an_invite_that_comes_by_two_ways(extension: Extension, sipp: Caller) -> None:
    with sipp("merged_invite") as caller:
        leg = extension.ringing()
        leg.answer()
        caller.finish()
    assert leg.end() is CallEnd.CALLER_HUNG_UP
