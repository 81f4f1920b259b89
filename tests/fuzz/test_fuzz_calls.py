"""The whole telephone under sequences of requests in any order, twice, late and damaged.

Whatever is done to it: nothing is raised, no request gets two final answers, nothing is left
of it in the end, and whoever isn't the PBX can't touch a call.
"""

from __future__ import annotations

import seeds
from actions import ATTACKS, BEGINNINGS, CALLS, OFFER, Action, Ask, Caller
from hypothesis import given
from telephone import Telephone, telephone

QUIET_SECONDS = 400.0
"""Longer than any timer of a call or a transaction."""
VICTIM = 9
"""The dialog that nobody else begins."""


def leave(subject: Telephone) -> None:
    """End what is up, and be left alone."""
    for call in subject.calls:
        call.hang_up()
    subject.wait(QUIET_SECONDS)
    assert all(len(results) == 1 for results in subject.results), "an action has one end"
    assert all(len(ends) == 1 for ends in subject.ends), "a call has one end"
    assert {what: count for what, count in subject.leftovers().items() if count} == {}


@seeds.bounded(200)
@given(BEGINNINGS, CALLS)
def test_any_sequence(beginning: tuple[Action, ...], actions: list[Action]) -> None:
    """From the PBX and from a stranger, with ours between them."""
    with telephone() as subject:
        caller = Caller(subject)
        for action in (*beginning, *actions):
            caller.do(action)
        leave(subject)


@seeds.bounded(100)
@given(ATTACKS)
def test_strangers_touch_no_call(attacks: list[Action]) -> None:
    """Whatever they send, the call that is up stays as it is, and nothing else rings."""
    with telephone() as subject:
        caller = Caller(subject)
        caller.do(Ask("INVITE", VICTIM, body=OFFER))
        [call] = subject.calls
        call.answer()
        subject.wait(0.0)
        caller.do(Ask("ACK", VICTIM, to="ours"))
        before = call.media
        for attack in attacks:
            caller.do(attack)
        assert subject.calls == [call]
        assert call.media == before
        caller.do(Ask("INFO", VICTIM, to="ours", sequence=1))
        assert subject.statuses[-1] == 200
        caller.do(Ask("INVITE", VICTIM + 1, body=OFFER))
        assert subject.statuses[-1] == 486
        leave(subject)
