"""What the fuzzers have found, each as the shortest sequence that shows it."""

from __future__ import annotations

from actions import UP, Act, Action, Caller, Reply, Wait
from telephone import Telephone, telephone

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
