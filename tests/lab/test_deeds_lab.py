"""Transfers as the agent carries them out at the lab's PBX: real telephone, signalling and sound."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest
from extension import PATIENCE_SECONDS, Extension, Leg

from softagent.abilities import Destination
from softagent.config import PortRange
from softagent.deeds.doer import Doer, keep_nothing
from softagent.dialogue.deeds import Deed, DeedOutcome, DeedResult, Transfer
from softagent.lab.colleagues import Colleague, Referral
from softagent.lab.outgoing import LabCall
from softagent.lab.pbx import LabPbx
from softagent.log import call_logger
from softagent.sip.phone import CallEnd

COLLEAGUES = {
    "201": Colleague.ANSWERS,
    "202": Colleague.BUSY,
    "203": Colleague.REFUSES,
    "204": Colleague.AWAY,
}
DESTINATIONS = (
    *(Destination(f"colleague {number}", number) for number in (*COLLEAGUES, "999")),
    Destination("at once", "201", mode="blind"),
    Destination("at once to nobody", "999", mode="blind"),
)


class Office:
    """A caller on the line with an agent that may put them through."""

    def __init__(self, pbx: LabPbx, extension: Extension) -> None:
        self.pbx = pbx
        self.caller: LabCall = pbx.call("100", media=("127.0.0.1", 9))
        self.leg: Leg = extension.answered()
        self.caller.wait_answered(PATIENCE_SECONDS)
        self._outcomes: queue.SimpleQueue[DeedOutcome] = queue.SimpleQueue()
        self.doer = Doer(
            self.leg.call,
            extension.account,
            phone=extension.phone,
            press=lambda digits: False,
            keep=keep_nothing,
            on_done=self._take,
            log=call_logger("test", "call-1"),
        )

    def transfer(self, destination: str) -> DeedOutcome:
        self.doer.do(0, Transfer(destination))
        return self._outcomes.get(timeout=60.0)

    def _take(self, _number: int, _deed: Deed, outcome: DeedOutcome) -> None:
        self._outcomes.put(outcome)


@pytest.fixture
def office() -> Iterator[Office]:
    pbx = LabPbx({"100": "secret100"}, colleagues=COLLEAGUES)
    pbx.start()
    with Extension(
        "100",
        "secret100",
        port=pbx.address[1],
        rtp_ports=PortRange(23200, 23299),
        destinations=DESTINATIONS,
    ) as extension:
        extension.wait_registered()
        office = Office(pbx, extension)
        yield office
        office.doer.close(PATIENCE_SECONDS)
    pbx.stop()


def test_an_attended_transfer_that_is_granted(office: Office) -> None:
    """The colleague is called, then the PBX is asked to join the two; both our calls end."""
    assert office.transfer("colleague 201") == DeedOutcome(DeedResult.DONE, "200 OK")
    assert office.pbx.colleagues.dialled == ("201",)
    assert office.pbx.colleagues.referrals == (Referral("201", True, 200),)
    assert office.leg.end() is CallEnd.TRANSFERRED


@pytest.mark.parametrize(
    ("destination", "outcome"),
    [
        ("colleague 202", DeedOutcome(DeedResult.BUSY, "486 Busy Here")),
        ("colleague 203", DeedOutcome(DeedResult.REFUSED, "603 Decline")),
        ("colleague 204", DeedOutcome(DeedResult.NO_ANSWER, "480 Temporarily Unavailable")),
        ("colleague 999", DeedOutcome(DeedResult.REFUSED, "404 Not Found")),
    ],
)
def test_a_transfer_that_fails_leaves_the_caller_on_the_line(
    office: Office, destination: str, outcome: DeedOutcome
) -> None:
    """Nothing was asked of the PBX, and the caller is off hold."""
    assert office.transfer(destination) == outcome
    assert office.pbx.colleagues.referrals == ()
    assert not office.leg.call.media.is_held
    assert not office.leg.is_over
    assert not office.caller.is_over


def test_a_blind_transfer(office: Office) -> None:
    assert office.transfer("at once") == DeedOutcome(DeedResult.DONE, "200 OK")
    assert office.pbx.colleagues.dialled == ()
    assert office.pbx.colleagues.referrals == (Referral("201", False, 200),)
    assert office.leg.end() is CallEnd.TRANSFERRED


def test_a_blind_transfer_to_nobody(office: Office) -> None:
    assert office.transfer("at once to nobody") == DeedOutcome(DeedResult.REFUSED, "404 Not Found")
    assert not office.leg.is_over


@pytest.mark.parametrize("said", ["201", "sip:0900123@127.0.0.1", "0900123", "colleague 2011"])
def test_nobody_is_called_who_is_not_in_the_accounts_file(office: Office, said: str) -> None:
    """What callers say never gets further than the name of a destination."""
    assert office.transfer(said).result is DeedResult.FAILED
    assert office.pbx.colleagues.dialled == ()
    assert office.pbx.colleagues.referrals == ()
