"""Ringing that the caller confirms (RFC 3262)."""

from __future__ import annotations

import pytest
from conftest import Handset
from peer import Peer, statuses, tag_of
from wire import OFFER

from softagent.sip import sdp
from softagent.sip.message import Response
from softagent.sip.phone import CallEnd, IncomingCall

REQUIRED = "Require: 100rel\r\n"


def rack(ringing: Response, *, number: int = 1, method: str = "INVITE", by: int = 0) -> str:
    """The header that confirms it."""
    return f"RAck: {int(ringing.need('RSeq')) + by} {number} {method}\r\n"


def ring(peer: Peer, handset: Handset, **changes: object) -> tuple[IncomingCall, Response]:
    """A call that rings reliably."""
    peer.invite(headers=REQUIRED, **changes)
    return handset.call(), peer.response(180)


def confirm(peer: Peer, ringing: Response, body: bytes = b"", **changes: object) -> Response:
    """Send the PRACK and wait for its 200."""
    peer.ask(
        "PRACK",
        **{
            "to_tag": tag_of(ringing),
            "sequence": 2,
            "headers": rack(ringing),
            "body": body,
            **changes,
        },
    )
    return peer.response(200, "PRACK")


def test_rings_reliably_where_that_is_required(peer: Peer, handset: Handset) -> None:
    """Require, RSeq and Contact; confirmed, the call goes on as usual."""
    call, ringing = ring(peer, handset)
    assert ringing.headers.first("Require") == "100rel"
    assert ringing.addresses("Contact")
    assert ringing.body == b""
    confirm(peer, ringing)
    call.answer()
    ok = peer.response(200)
    assert sdp.parse(ok.body).media[0].port == call.media.local_port
    peer.ask("ACK", to_tag=tag_of(ok))
    peer.until_fence()


@pytest.mark.parametrize("headers", ["", "Supported: 100rel\r\n"])
def test_rings_plainly_where_it_is_not(peer: Peer, handset: Handset, headers: str) -> None:
    """Supported alone doesn't make us."""
    peer.invite(headers=headers)
    ringing = peer.response(180)
    assert ringing.headers.first("RSeq") is None
    assert "100rel" in ringing.headers.tokens("Supported")


def test_is_repeated_until_the_prack(peer: Peer, handset: Handset) -> None:
    """The same each time (section 3)."""
    _, ringing = ring(peer, handset)
    assert peer.response(180) == ringing
    assert peer.response(180) == ringing
    confirm(peer, ringing)
    peer.until_fence()
    with pytest.raises(TimeoutError):
        peer.receive(0.3)


def test_prack_about_something_else(peer: Peer, handset: Handset) -> None:
    """481, and the ringing goes on; so does a second one for the same."""
    _, ringing = ring(peer, handset)
    tag = tag_of(ringing)
    wrong = (
        rack(ringing, by=1),
        rack(ringing, number=2),
        rack(ringing, method="UPDATE"),
        "",
        "RAck: x\r\n",
    )
    for sequence, headers in enumerate(wrong, 2):
        peer.ask("PRACK", to_tag=tag, sequence=sequence, headers=headers)
        peer.response(481, "PRACK")
    assert peer.response(180) == ringing
    confirm(peer, ringing, sequence=8)
    peer.ask("PRACK", to_tag=tag, sequence=9, headers=rack(ringing))
    peer.response(481, "PRACK")


def test_prack_without_reliable_ringing(peer: Peer, handset: Handset) -> None:
    """481 in a call, and without one."""
    peer.invite()
    tag = tag_of(peer.response(180))
    peer.ask("PRACK", to_tag=tag, sequence=2, headers="RAck: 1 1 INVITE\r\n")
    peer.response(481, "PRACK")
    peer.ask("PRACK", to_tag="none", sequence=2, headers="RAck: 1 1 INVITE\r\n")
    peer.response(481, "PRACK")


def test_ringing_that_is_never_confirmed(peer: Peer, handset: Handset) -> None:
    """504 after 64 * T1: the caller doesn't hear us."""
    ring(peer, handset)
    assert tag_of(peer.response(504))
    assert handset.end() is CallEnd.NOT_ACKNOWLEDGED


def test_answer_comes_in_between(peer: Peer, handset: Handset) -> None:
    """The 200 needn't wait for the PRACK, which is confirmed all the same; no more 180s (section 3)."""
    call, ringing = ring(peer, handset)
    call.answer()
    ok = peer.response(200)
    confirm(peer, ringing)
    peer.ask("ACK", to_tag=tag_of(ok))
    peer.until_fence()
    with pytest.raises(TimeoutError):
        peer.receive(0.3)
    assert handset.ends.empty()


def test_cancel_in_between(peer: Peer, handset: Handset) -> None:
    """487, and no more 180s."""
    _, ringing = ring(peer, handset, branch="z9hG4bKgone")
    peer.ask("CANCEL", branch="z9hG4bKgone")
    tag = tag_of(peer.response(487))
    peer.ask("ACK", branch="z9hG4bKgone", to_tag=tag)
    assert handset.end() is CallEnd.CANCELLED
    peer.until_fence()
    assert 180 not in statuses(peer.until_fence())
    assert tag == tag_of(ringing)


def test_refusal_in_between(peer: Peer, handset: Handset) -> None:
    """A final response ends the ringing."""
    call, _ = ring(peer, handset, branch="z9hG4bKno")
    call.reject(603)
    peer.ask("ACK", branch="z9hG4bKno", to_tag=tag_of(peer.response(603)))
    peer.until_fence()
    assert 180 not in statuses(peer.until_fence())


def test_delayed_offer(peer: Peer, handset: Handset) -> None:
    """Our offer is in the 180, their answer in the PRACK; the 200 waits for it and has none (section 5)."""
    call, ringing = ring(peer, handset, body=b"")
    [line] = sdp.parse(ringing.body).media
    assert (line.port, line.tokens) == (call.media.local_port, ("9", "0", "8", "101"))
    assert call.media.remote_port == 0
    call.answer()
    assert 200 not in statuses(peer.until_fence())
    peer.ask(
        "PRACK",
        to_tag=tag_of(ringing),
        sequence=2,
        headers=rack(ringing),
        body=OFFER.replace(b"0 8 101", b"8 101"),
    )
    peer.response(200, "PRACK")
    assert peer.response(200).body == b""
    media = handset.moved()
    assert (media.codec, media.remote_port) == ("PCMA", 21900)
    peer.ask("ACK", to_tag=tag_of(ringing))
    peer.until_fence()
    assert handset.ends.empty()


def test_media_that_are_known_before_the_answer(peer: Peer, handset: Handset) -> None:
    """Who has made a stream of them as they were at the ring hears of it with the answer, not before."""
    call, ringing = ring(peer, handset, body=b"")
    confirm(peer, ringing, body=OFFER)
    assert handset.moves.empty()
    assert call.media.remote_port == 21900
    call.answer()
    assert handset.moved() == call.media
    peer.ask("ACK", to_tag=tag_of(peer.response(200)))
    peer.until_fence()


@pytest.mark.parametrize("body", [b"", OFFER.replace(b"0 8 101", b"18"), b"junk"])
def test_delayed_offer_without_a_usable_answer(peer: Peer, handset: Handset, body: bytes) -> None:
    """488, to the PRACK and to the INVITE: there is nothing to talk with."""
    _, ringing = ring(peer, handset, body=b"")
    peer.ask("PRACK", to_tag=tag_of(ringing), sequence=2, headers=rack(ringing), body=body)
    peer.response(488, "PRACK")
    peer.response(488)
    assert handset.end() is CallEnd.FAILED


def test_offer_in_the_prack(peer: Peer, handset: Handset) -> None:
    """Too early while the INVITE's own is unanswered (RFC 3311 section 5.2); answered after the 200."""
    call, ringing = ring(peer, handset)
    tag = tag_of(ringing)
    peer.ask("PRACK", to_tag=tag, sequence=2, headers=rack(ringing), body=OFFER)
    assert peer.response(500, "PRACK").headers.first("Retry-After") == "1"
    call.answer()
    peer.response(200)
    peer.ask("ACK", to_tag=tag)
    peer.until_fence()


def test_offer_in_a_late_prack(peer: Peer, handset: Handset) -> None:
    """The first offer is answered in the 200: this one in the 200 to the PRACK."""
    call, ringing = ring(peer, handset)
    call.answer()
    peer.response(200)
    held = OFFER.replace(b"sendrecv", b"sendonly")
    ok = confirm(peer, ringing, body=held)
    assert sdp.parse(ok.body).media[0].direction is sdp.Direction.RECVONLY
    peer.ask("ACK", to_tag=tag_of(ringing))
    peer.until_fence()
    assert handset.ends.empty()
