"""Transfers as the agent carries them out, through a real Asterisk: what is reported, and who hears whom."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from asterisk import Asterisk, every_pbx, wait_for
from caller import Call, Dial
from exchange import BUSY, COLLEAGUE, NOWHERE, PLAIN, REFUSED, RINGS_ON
from extension import Extension, Leg
from receptionist import RecordedVoice
from sounds import SPEECH, likeness, load

from softagent.abilities import Destination
from softagent.deeds.doer import Doer, keep_nothing
from softagent.dialogue.deeds import Deed, DeedOutcome, DeedResult, Transfer
from softagent.log import call_logger
from softagent.sip.phone import CallEnd

pytestmark = pytest.mark.pbx

WORDS = SPEECH / "check-number-dial-again.wav"
FAITHFUL = 0.9
PATIENCE_SECONDS = 60.0
DESTINATIONS = (
    Destination("colleague", COLLEAGUE),
    Destination("colleague at once", COLLEAGUE, mode="blind"),
    Destination("colleague who is told", COLLEAGUE, announce="A call from {caller}."),
    Destination("busy", BUSY),
    Destination("away", RINGS_ON, timeout_seconds=5),
    Destination("unwilling", REFUSED),
    Destination("nowhere", NOWHERE),
    Destination("nowhere at once", NOWHERE, mode="blind"),
)

Station = Callable[..., Extension]


class Agent:
    """What stands in for the conversation: it wants deeds, and is told what came of them."""

    def __init__(self, leg: Leg, extension: Extension) -> None:
        self._outcomes: queue.SimpleQueue[DeedOutcome] = queue.SimpleQueue()
        self.doer = Doer(
            leg.call,
            extension.account,
            phone=extension.phone,
            synthesizer=RecordedVoice(load(WORDS)),
            press=lambda digits: False,
            keep=keep_nothing,
            on_done=self._take,
            log=call_logger("test", leg.call.call_id),
        )
        leg.call.on_end(lambda _end: threading.Thread(target=self.doer.close, args=(0.0,)).start())

    def transfer(self, destination: str) -> None:
        self.doer.do(0, Transfer(destination))

    def outcome(self) -> DeedOutcome:
        return self._outcomes.get(timeout=PATIENCE_SECONDS)

    def _take(self, _number: int, _deed: Deed, outcome: DeedOutcome) -> None:
        self._outcomes.put(outcome)


@contextmanager
def talking(station: Station, dial_pbx: Dial) -> Iterator[tuple[Agent, Leg, Call]]:
    """A caller on the line with the agent."""
    with (
        station(PLAIN, destinations=DESTINATIONS) as extension,
        dial_pbx(PLAIN) as caller,
    ):
        leg = extension.answered()
        caller.wait("confirmed")
        agent = Agent(leg, extension)
        yield agent, leg, caller
        agent.doer.close(PATIENCE_SECONDS)


@every_pbx
@pytest.mark.parametrize("destination", ["colleague", "colleague at once"])
def test_a_transfer_that_is_granted(
    pbx: Asterisk, station: Station, dial_pbx: Dial, destination: str
) -> None:
    """Attended and blind: caller and colleague hear each other, and the agent is out of it."""
    with dial_pbx("", user=COLLEAGUE) as colleague:
        wait_for(lambda: pbx.is_reachable(COLLEAGUE), "the colleague", seconds=15)
        with talking(station, dial_pbx) as (agent, leg, caller):
            agent.transfer(destination)
            colleague.wait("ringing")
            colleague.answer()
            colleague.wait("confirmed")
            assert agent.outcome().result is DeedResult.DONE
            assert leg.end() is CallEnd.TRANSFERRED
            caller.play(WORDS)
            colleague.wait("sound")
            colleague.wait("quiet")
            caller.hang_up()
            colleague.wait("closed")
        assert likeness(load(WORDS), colleague.heard(), 8000) > FAITHFUL
        pbx.wait_until_idle()


def test_the_colleague_is_told_who_calls_and_then_talks_to_them(
    pbx: Asterisk, station: Station, dial_pbx: Dial
) -> None:
    """The announcement is heard by the colleague alone, before the two are connected."""
    with dial_pbx("", user=COLLEAGUE) as colleague:
        wait_for(lambda: pbx.is_reachable(COLLEAGUE), "the colleague", seconds=15)
        with talking(station, dial_pbx) as (agent, leg, caller):
            agent.transfer("colleague who is told")
            colleague.wait("ringing")
            colleague.answer()
            colleague.wait("sound")
            assert agent.outcome().result is DeedResult.DONE
            assert leg.end() is CallEnd.TRANSFERRED
            caller.hang_up()
            colleague.wait("closed")
        assert likeness(load(WORDS), colleague.heard(), 8000) > FAITHFUL
        pbx.wait_until_idle()


@pytest.mark.parametrize(
    ("destination", "result"),
    [
        ("busy", DeedResult.BUSY),
        ("away", DeedResult.NO_ANSWER),
        ("unwilling", DeedResult.REFUSED),
        ("nowhere", DeedResult.REFUSED),
        ("nowhere at once", DeedResult.REFUSED),
    ],
)
def test_a_transfer_that_fails_is_told_truly_and_the_caller_is_still_there(
    station: Station, dial_pbx: Dial, destination: str, result: DeedResult
) -> None:
    """Off hold again, and heard."""
    with talking(station, dial_pbx) as (agent, leg, caller):
        agent.transfer(destination)
        assert agent.outcome().result is result
        assert not leg.call.media.is_held
        since = leg.heard_seconds
        caller.play(WORDS)
        leg.listen(2.7)
        assert likeness(load(WORDS), leg.heard(since), 8000) > FAITHFUL
        caller.hang_up()
        assert leg.end() is CallEnd.CALLER_HUNG_UP


def test_the_caller_hears_music_while_the_colleague_s_telephone_rings_and_may_hang_up(
    pbx: Asterisk, station: Station, dial_pbx: Dial
) -> None:
    """Hanging up ends the ringing."""
    with dial_pbx("", user=COLLEAGUE) as colleague:
        wait_for(lambda: pbx.is_reachable(COLLEAGUE), "the colleague", seconds=15)
        with talking(station, dial_pbx) as (agent, leg, caller):
            agent.transfer("colleague")
            colleague.wait("ringing")
            caller.wait("sound")
            caller.hang_up()
            assert leg.end() is CallEnd.CALLER_HUNG_UP
            assert agent.outcome() == DeedOutcome(DeedResult.FAILED, "the caller has hung up")
            colleague.wait("closed")
        pbx.wait_until_idle()
