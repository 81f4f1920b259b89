"""The agent's end of transfers through a real Asterisk: what each comes to, and what is left of the call."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asterisk import Asterisk, every_pbx, wait_for
from caller import Call, Dial
from exchange import BUSY, COLLEAGUE, NOWHERE, PLAIN, REFUSED, RINGS_ON
from extension import Extension, Leg, wait_until
from sounds import SPEECH, likeness, load

from softagent.sip.phone import CallEnd, Outcome, Result

pytestmark = pytest.mark.pbx

WORDS = SPEECH / "check-number-dial-again.wav"
FAITHFUL = 0.9

Station = Callable[..., Extension]


def transfer(leg: Leg, target: str) -> Result:
    return leg.do(lambda told: leg.call.transfer(target, told))


def wait_until_bridged(pbx: Asterisk) -> None:
    wait_for(pbx.is_bridged, "the bridge of the call", seconds=5)


def assert_connected(caller: Call, colleague: Call) -> None:
    """The caller can be heard by the colleague, and hangs up."""
    said = caller.play(WORDS)
    assert said
    colleague.wait("sound")
    colleague.wait("quiet")
    caller.hang_up()
    colleague.wait("closed")
    assert likeness(load(WORDS), colleague.heard(), 8000) > FAITHFUL


@every_pbx
def test_a_blind_transfer(pbx: Asterisk, station: Station, dial_pbx: Dial) -> None:
    with (
        station(PLAIN) as extension,
        dial_pbx("", user=COLLEAGUE) as colleague,
        dial_pbx(PLAIN) as caller,
    ):
        wait_for(lambda: pbx.is_reachable(COLLEAGUE), "the colleague", seconds=15)
        leg = extension.answered()
        caller.wait("confirmed")
        wait_until_bridged(pbx)
        results: list[Result] = []
        leg.call.transfer(COLLEAGUE, results.append)
        colleague.wait("ringing")
        assert not results, "it rings, nothing is decided"
        colleague.answer()
        colleague.wait("confirmed")
        assert leg.end() is CallEnd.TRANSFERRED
        assert [result.outcome for result in results] == [Outcome.ACCEPTED]
        assert_connected(caller, colleague)


@every_pbx
def test_an_attended_transfer(pbx: Asterisk, station: Station, dial_pbx: Dial) -> None:
    with (
        station(PLAIN) as extension,
        dial_pbx("", user=COLLEAGUE) as colleague,
        dial_pbx(PLAIN) as caller,
    ):
        wait_for(lambda: pbx.is_reachable(COLLEAGUE), "the colleague", seconds=15)
        leg = extension.answered()
        caller.wait("confirmed")
        assert leg.do(leg.call.hold).is_accepted
        consultation = consult(extension, colleague)
        assert leg.do(lambda told: leg.call.transfer_to(consultation.call, told)).is_accepted
        assert leg.end() is CallEnd.TRANSFERRED
        consultation.end()
        assert_connected(caller, colleague)
        pbx.wait_until_idle()


def consult(extension: Extension, colleague: Call) -> Leg:
    """Call the colleague, who answers."""
    results: list[Result] = []
    outgoing = extension.phone.call(COLLEAGUE, results.append)
    colleague.wait("ringing")
    colleague.answer()
    leg = extension.adopt(outgoing)
    colleague.wait("confirmed")
    wait_until(lambda: bool(results), "our end of the answer")
    assert results[0].is_accepted
    return leg


@pytest.mark.parametrize(("target", "outcome"), [(BUSY, Outcome.BUSY), (REFUSED, Outcome.REFUSED)])
def test_a_blind_transfer_that_fails(
    pbx: Asterisk, station: Station, dial_pbx: Dial, target: str, outcome: Outcome
) -> None:
    """Asterisk has taken the caller from us by then; why nobody was reached is told all the same."""
    with station(PLAIN) as extension, dial_pbx(PLAIN) as caller:
        leg = extension.answered()
        caller.wait("confirmed")
        wait_until_bridged(pbx)
        assert transfer(leg, target).outcome is outcome


def test_a_blind_transfer_to_nowhere_leaves_the_caller_on_the_line(
    pbx: Asterisk, station: Station, dial_pbx: Dial
) -> None:
    with station(PLAIN) as extension, dial_pbx(PLAIN) as caller:
        leg = extension.answered()
        caller.wait("confirmed")
        wait_until_bridged(pbx)
        assert transfer(leg, NOWHERE) == Result(Outcome.REFUSED, 404, "Not Found")
        assert_still_there(leg, caller)


@pytest.mark.parametrize(
    ("target", "outcome"),
    [
        (BUSY, Outcome.BUSY),
        (REFUSED, Outcome.REFUSED),
        (NOWHERE, Outcome.REFUSED),
        (RINGS_ON, Outcome.NO_ANSWER),
    ],
)
def test_a_consultation_that_fails_leaves_the_caller_on_the_line(
    station: Station, dial_pbx: Dial, target: str, outcome: Outcome
) -> None:
    with station(PLAIN) as extension, dial_pbx(PLAIN) as caller:
        leg = extension.answered()
        caller.wait("confirmed")
        assert leg.do(leg.call.hold).is_accepted
        nobody, result = extension.call(target, ring_seconds=2.0)
        assert nobody is None
        assert result.outcome is outcome, result
        assert leg.do(leg.call.resume).is_accepted
        assert_still_there(leg, caller)


def assert_still_there(leg: Leg, caller: Call) -> None:
    """The caller can be heard by us, and hangs up."""
    since = leg.heard_seconds
    caller.play(WORDS)
    leg.listen(2.7)
    assert likeness(load(WORDS), leg.heard(since), 8000) > FAITHFUL
    caller.hang_up()
    assert leg.end() is CallEnd.CALLER_HUNG_UP
