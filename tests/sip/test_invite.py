"""The client's INVITE transaction, told the time in numbers: T1 = 0.5 s as the RFC has it."""

from __future__ import annotations

import pytest
from wire import OFFER, request, response

from softagent.sip.alarm import NEVER
from softagent.sip.hop import Hop, Transport
from softagent.sip.invite import InviteState, InviteTransaction
from softagent.sip.message import Request, Response, parse
from softagent.sip.repetition import Timing

ROUTE = "Route: <sip:192.0.2.1;lr>, <sip:192.0.2.2;lr>\r\n"


class Scene:
    """One INVITE with its clock turned by hand; notes what was sent when, and what it told."""

    def __init__(self, *, is_reliable: bool = False) -> None:
        self.invite = request("INVITE", branch="z9hG4bKinvite", headers=ROUTE, body=OFFER)
        self.told: list[Response | None] = []
        self.sent: list[tuple[float, bytes]] = []
        self.transaction = InviteTransaction(
            self.invite,
            Hop("192.0.2.7", 5060, Transport.TCP if is_reliable else Transport.UDP),
            self.told.append,
            timing=Timing(),
            now=0.0,
        )

    def run_until(self, end: float) -> None:
        """Wake it whenever it wants to be woken."""
        while (now := self.transaction.next_wake) <= end:
            if datagram := self.transaction.wake(now):
                self.sent.append((now, datagram))

    def hear(self, status: int, now: float = 0.0, *, tag: str = "far") -> Request | None:
        """A response comes; the ACK that it gets at once."""
        message = response(self.invite, status)
        to = self.invite.need("To") + f";tag={tag}"
        message = Response(
            status, "", message.headers.without("To").with_(("To", to)), message.body
        )
        ack = self.transaction.acknowledgement(message)
        self.transaction.receive(message, now)
        if not ack:
            return None
        parsed = parse(ack)
        assert isinstance(parsed, Request)
        return parsed

    @property
    def statuses(self) -> list[int | None]:
        return [None if message is None else message.status for message in self.told]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_unheard_invite_is_repeated_ever_more_slowly(scene: Scene) -> None:
    """Timer A doubles without a longest interval; timer B ends it after 64 * T1 (section 17.1.1.2)."""
    scene.run_until(100.0)
    assert [time for time, _ in scene.sent] == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert {datagram for _, datagram in scene.sent} == {scene.invite.serialize()}
    assert scene.statuses == [None]
    assert scene.transaction.is_over


def test_reliable_transport_repeats_nothing() -> None:
    """Over TCP only timer B runs."""
    scene = Scene(is_reliable=True)
    assert scene.transaction.next_wake == 32.0
    scene.run_until(32.0)
    assert (scene.sent, scene.statuses) == ([], [None])


def test_provisional_response_ends_repetition_and_limit(scene: Scene) -> None:
    """It may ring for as long as it likes: giving up is the caller's business."""
    scene.hear(100, 1.0)
    scene.hear(180, 2.0)
    assert scene.transaction.next_wake == NEVER
    assert scene.statuses == [100, 180]


def test_refusal_is_acknowledged_within_the_transaction(scene: Scene) -> None:
    """The ACK has the INVITE's branch, URI, route and number, and the To of the response (section 17.1.1.3)."""
    ack = scene.hear(486, 1.0, tag="busy")
    assert ack is not None
    assert (ack.method, ack.uri) == ("ACK", scene.invite.uri)
    assert ack.via == scene.invite.via
    assert (ack.cseq.number, ack.cseq.method) == (scene.invite.cseq.number, "ACK")
    assert ack.recipient.tag == "busy"
    assert ack.sender.tag == scene.invite.sender.tag
    assert ack.headers.values("Route") == ("<sip:192.0.2.1;lr>", "<sip:192.0.2.2;lr>")
    assert not ack.body


def test_repeated_refusal_is_acknowledged_again_and_told_once(scene: Scene) -> None:
    """Its ACK was lost: for 64 * T1 each copy gets another one (timer D)."""
    first = scene.hear(486, 1.0)
    assert scene.hear(486, 20.0) == first
    assert scene.statuses == [486]
    scene.run_until(32.9)
    assert scene.transaction.state is InviteState.COMPLETED
    scene.run_until(33.0)
    assert scene.transaction.is_over
    assert scene.statuses == [486]


def test_reliable_transport_forgets_a_refusal_at_once() -> None:
    """Timer D is zero there: no copy will come."""
    scene = Scene(is_reliable=True)
    assert scene.hear(486, 1.0) is not None
    scene.run_until(1.0)
    assert scene.transaction.is_over


def test_each_success_is_told(scene: Scene) -> None:
    """Copies and those of other telephones alike: their ACKs are the dialogs' (RFC 6026 section 7.2)."""
    for tag, now in (("one", 1.0), ("one", 1.5), ("two", 2.0)):
        assert scene.hear(200, now, tag=tag) is None
    tags = [message.recipient.tag for message in scene.told if message is not None]
    assert tags == ["one", "one", "two"]
    scene.run_until(33.0)
    assert scene.transaction.is_over
    assert scene.hear(200, 34.0) is None
    assert scene.statuses == [200, 200, 200]


@pytest.mark.parametrize("late", [180, 486])
def test_nothing_else_counts_after_success(scene: Scene, late: int) -> None:
    """A ringing or a refusal that was overtaken is neither told nor acknowledged."""
    scene.hear(200, 1.0)
    assert scene.hear(late, 1.1) is None
    assert scene.statuses == [200]


def test_success_after_a_refusal_is_not_told(scene: Scene) -> None:
    """The transaction has been decided already."""
    scene.hear(486, 1.0)
    assert scene.hear(200, 1.1) is None
    assert scene.statuses == [486]


def test_cancel_takes_over_the_invite(scene: Scene) -> None:
    """Same branch, URI, route, tags and number; no body (section 9.1)."""
    scene.hear(180, 1.0)
    cancel = scene.transaction.cancel(2.0)
    assert cancel is not None
    assert (cancel.method, cancel.uri) == ("CANCEL", scene.invite.uri)
    assert cancel.via == scene.invite.via
    assert (cancel.cseq.number, cancel.cseq.method) == (scene.invite.cseq.number, "CANCEL")
    assert cancel.need("To") == scene.invite.need("To")
    assert cancel.headers.values("Route") == ("<sip:192.0.2.1;lr>", "<sip:192.0.2.2;lr>")
    assert not cancel.body


def test_cancel_waits_for_a_provisional_response(scene: Scene) -> None:
    """Before that it might overtake its INVITE; with the first one it is due."""
    assert scene.transaction.cancel(1.0) is None
    assert scene.transaction.is_cancelled
    scene.hear(100, 2.0)
    assert scene.transaction.cancel(2.0) is not None


def test_cancelled_invite_ends_with_its_refusal(scene: Scene) -> None:
    """487 is acknowledged as any other."""
    scene.hear(180, 1.0)
    scene.transaction.cancel(2.0)
    assert scene.hear(487, 2.1) is not None
    assert scene.statuses == [180, 487]


@pytest.mark.parametrize("is_early", [True, False])
def test_cancelled_invite_without_a_final_response_is_given_up(
    scene: Scene, is_early: bool
) -> None:
    """An old server knows no 487: 64 * T1 after the CANCEL it counts as cancelled (section 9.1)."""
    if is_early:
        scene.transaction.cancel(0.5)
    scene.hear(180, 1.0)
    scene.transaction.cancel(1.0)
    scene.run_until(32.9)
    assert not scene.transaction.is_over
    scene.run_until(33.0)
    assert scene.transaction.is_over
    assert scene.statuses == [180, None]


def test_success_that_crosses_the_cancel_is_told(scene: Scene) -> None:
    """The other side had answered: that call has to be acknowledged and ended."""
    scene.hear(180, 1.0)
    scene.transaction.cancel(2.0)
    scene.hear(200, 2.1)
    assert scene.statuses == [180, 200]
    assert scene.transaction.is_cancelled


def test_cancel_after_the_end_does_nothing(scene: Scene) -> None:
    """There is nothing left to give up."""
    scene.hear(486, 1.0)
    assert scene.transaction.cancel(2.0) is None
    assert not scene.transaction.is_cancelled
