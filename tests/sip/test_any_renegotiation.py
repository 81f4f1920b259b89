"""Whatever is offered and refused in a call, by whoever: what comes next is answered as it should be."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from conftest import Handset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peer import Peer, tag_of
from wire import OFFER

from softagent.media.description import Direction
from softagent.sip import sdp
from softagent.sip.message import Request, Response
from softagent.sip.phone import CallEnd, IncomingCall

HELD = OFFER.replace(b"sendrecv", b"sendonly")
OTHER_CODEC = OFFER.replace(b"0 8 101", b"8 101")
UNUSABLE = OFFER.replace(b"0 8 101", b"18")
JUNK = b"m=audio"


class Scene:
    """One call with a script of what the other side does in it."""

    numbers = itertools.count(1)

    def __init__(self, peer: Peer, handset: Handset) -> None:
        self.peer = peer
        self.call_id = f"scene-{next(self.numbers)}"
        self.sequence = 1
        self.tag = ""
        self.ask("INVITE", OFFER)
        self.call: IncomingCall = handset.call()
        self.call.answer()
        self.tag = tag_of(self.answer())
        self.acknowledge()

    def ask(self, method: str, body: bytes = b"", *, kind: str = "application/sdp") -> None:
        if self.tag:
            self.sequence += 1
        self.peer.ask(
            method,
            call=self.call_id,
            from_tag=self.call_id,
            to_tag=self.tag,
            sequence=self.sequence,
            body=body,
            kind=kind,
            branch=f"z9hG4bK{self.call_id}-{self.sequence}",
        )

    def answer(self) -> Response:
        """The final response to what was asked last."""
        found = self.peer.expect(
            lambda m: (
                isinstance(m, Response)
                and m.status >= 200
                and (m.call_id, m.cseq.number) == (self.call_id, self.sequence)
            )
        )
        assert isinstance(found, Response)
        return found

    def acknowledge(self, body: bytes = b"", *, refused: bool = False) -> None:
        self.peer.ask(
            "ACK",
            call=self.call_id,
            from_tag=self.call_id,
            to_tag=self.tag,
            sequence=self.sequence,
            body=body,
            **({"branch": f"z9hG4bK{self.call_id}-{self.sequence}"} if refused else {}),
        )

    def offer(self, method: str, body: bytes) -> Response:
        self.ask(method, body)
        answer = self.answer()
        if method == "INVITE":
            self.acknowledge(refused=answer.status >= 300)
        return answer

    def delayed(self, body: bytes) -> None:
        """A re-INVITE without an offer, and an answer, if it is one, in the ACK."""
        self.ask("INVITE")
        assert self.answer().status == 200
        self.acknowledge(body)

    def held_by_us(self, status: int, body: bytes = b"") -> None:
        """The telephone holds, or resumes; the PBX answers as it likes."""
        (self.call.resume if body == OFFER else self.call.hold)(lambda result: None)
        invite = self.peer.request("INVITE")
        self.peer.reply(invite, status, f"Contact: <sip:1003@{self.peer.sent_by}>\r\n", body)
        if status < 300:
            self.peer.expect(
                lambda m: isinstance(m, Request) and m.method == "ACK" and m.cseq.number
            )


Step = Callable[[Scene], object]
STEPS: dict[str, Step] = {
    "hold": lambda scene: scene.offer("INVITE", HELD),
    "resume": lambda scene: scene.offer("INVITE", OFFER),
    "update": lambda scene: scene.offer("UPDATE", OTHER_CODEC),
    "refresh": lambda scene: scene.offer("UPDATE", b""),
    "unusable": lambda scene: scene.offer("INVITE", UNUSABLE),
    "unusable update": lambda scene: scene.offer("UPDATE", UNUSABLE),
    "junk": lambda scene: scene.offer("INVITE", JUNK),
    "delayed": lambda scene: scene.delayed(OTHER_CODEC),
    "delayed, unusable": lambda scene: scene.delayed(UNUSABLE),
    "delayed, unanswered": lambda scene: scene.delayed(b""),
    "our hold": lambda scene: scene.held_by_us(200, OFFER.replace(b"sendrecv", b"recvonly")),
    "our hold, refused": lambda scene: scene.held_by_us(488),
    "our hold, unusable": lambda scene: scene.held_by_us(200, UNUSABLE),
    "our resume": lambda scene: scene.held_by_us(200, OFFER),
}


@pytest.fixture(scope="module")
def scenery() -> Iterator[tuple[Peer, Handset]]:
    """One telephone for all calls."""
    peer = Peer()
    handset = Handset(peer)
    handset.start()
    peer.register()
    yield peer, handset
    handset.phone.stop(timeout_seconds=0.0)
    peer.close()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.lists(st.sampled_from(sorted(STEPS)), max_size=6))
def test_next_offer_is_answered(scenery: tuple[Peer, Handset], names: list[str]) -> None:
    """200 with our codec and a direction that fits ours; the media are what was said; the BYE ends it."""
    peer, handset = scenery
    scene = Scene(peer, handset)
    for name in names:
        STEPS[name](scene)
    answer = scene.offer("INVITE", OFFER)
    assert answer.status == 200
    [line] = sdp.parse(answer.body).media
    media = scene.call.media
    assert line.tokens == (str(media.payload_type), "101")
    assert line.direction is media.direction
    assert line.direction in (Direction.SENDRECV, Direction.SENDONLY)
    assert (media.codec, media.remote_port, media.event_payload_type) == ("PCMU", 21900, 101)
    assert line.port == media.local_port
    scene.offer("BYE", b"")
    assert handset.end() is CallEnd.CALLER_HUNG_UP
