"""What the fuzzers have found, each as the shortest sequence that shows it."""

from __future__ import annotations

from actions import UP, Act, Action, Again, Ask, Caller, Reply, Wait
from telephone import STRANGER, Telephone, telephone

from softagent.sip.phone import Outcome

RINGING, TWO_TIMEOUTS = 180, 70.0


def play(subject: Telephone, *actions: Action) -> None:
    """A call that is up, and what is done in it."""
    caller = Caller(subject)
    for action in (*UP, *actions):
        caller.do(action)


def test_a_hold_that_only_rings_has_an_end() -> None:
    """A 180 took the time limit off the re-INVITE: its result never came, even after the call."""
    with telephone() as subject:
        play(subject, Act("hold"), Reply(0, RINGING), Wait(TWO_TIMEOUTS))
        [[result]] = subject.results
        assert result.outcome is Outcome.TIMED_OUT
        assert "CANCEL" in {request.method for request in subject.requests}
        assert subject.ends == [[]]


def test_a_bye_after_a_failover_is_answered_again() -> None:
    """Repeated from an address that isn't the PBX's, it got 403: with its call its licence had gone."""
    with telephone() as subject:
        play(subject, Ask("BYE", to="ours", sequence=1, source=STRANGER), Again(0))
        assert subject.statuses[-2:] == [200, 200]
