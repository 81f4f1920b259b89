"""A call that takes the place of another one (RFC 3891): somebody transfers us to somebody else."""

from __future__ import annotations

import pytest
from conftest import Handset, answered
from peer import Peer, statuses, tag_of

from softagent.sip.message import Response
from softagent.sip.phone import CallEnd


def replaces(tag: str, call: str = "call-1", more: str = "") -> str:
    return f"Require: replaces\r\nReplaces: {call};from-tag=peer;to-tag={tag}{more}\r\n"


def test_replaces_the_call(peer: Peer, handset: Handset) -> None:
    """The new one rings although we are busy; once it is answered the old one ends with BYE."""
    first, tag = answered(peer, handset)
    peer.until_fence()
    peer.invite(call="call-2", from_tag="other", headers=replaces(tag))
    second = handset.call()
    assert second.call_id == "call-2"
    assert second.media.local_port != first.media.local_port
    assert handset.ends.empty()
    second.answer()
    ok = peer.expect(lambda m: isinstance(m, Response) and m.status == 200)
    bye = peer.request("BYE")
    assert (ok.call_id, bye.call_id) == ("call-2", "call-1")
    peer.reply(bye, 200)
    assert handset.end() is CallEnd.TRANSFERRED
    peer.ask("ACK", call="call-2", from_tag="other", to_tag=tag_of(ok))  # type: ignore[arg-type]
    peer.until_fence()
    assert handset.ends.empty()


def test_refused_replacement_leaves_the_call(peer: Peer, handset: Handset) -> None:
    """Nothing has happened to it."""
    _, tag = answered(peer, handset)
    peer.invite(call="call-2", from_tag="other", headers=replaces(tag))
    handset.call().reject(480)
    peer.response(480)
    handset.end()
    peer.ask("INFO", to_tag=tag, sequence=2)
    peer.response(200, "INFO")


def test_bye_of_the_replaced_call_waits_for_its_ack(peer: Peer, handset: Handset) -> None:
    """As any BYE of who was called (RFC 3261 section 15)."""
    peer.invite()
    handset.call().answer()
    tag = tag_of(peer.response(200))
    peer.invite(call="call-2", from_tag="other", headers=replaces(tag))
    handset.call().answer()
    assert handset.end() is CallEnd.TRANSFERRED
    assert all(isinstance(message, Response) for message in peer.until_fence())
    peer.ask("ACK", to_tag=tag)
    assert peer.request("BYE").call_id == "call-1"


@pytest.mark.parametrize(
    ("tag", "call", "more", "status"),
    [
        ("wrong", "call-1", "", 481),
        ("", "call-9", "", 481),
        ("", "call-1", ";early-only", 486),
    ],
)
def test_what_can_not_be_replaced(
    peer: Peer, handset: Handset, tag: str, call: str, more: str, status: int
) -> None:
    """No such call, or one that should still ring (section 3)."""
    _, ours = answered(peer, handset)
    peer.invite(call="call-2", from_tag="other", headers=replaces(tag or ours, call, more))
    peer.response(status)
    assert handset.calls.empty()
    assert handset.ends.empty()


def test_call_that_rings_is_not_given_away(peer: Peer, handset: Handset) -> None:
    """481: the early dialog wasn't begun by us."""
    peer.invite()
    tag = tag_of(peer.response(180))
    peer.invite(call="call-2", from_tag="other", headers=replaces(tag))
    peer.response(481)
    assert handset.ends.empty()


def test_call_that_is_over_all_but_the_bye(peer: Peer, handset: Handset) -> None:
    """603: too late."""
    peer.invite()
    call = handset.call()
    call.answer()
    tag = tag_of(peer.response(200))
    call.hang_up()
    peer.invite(call="call-2", from_tag="other", headers=replaces(tag))
    peer.response(603)


@pytest.mark.parametrize(
    "headers",
    [
        "Replaces: call-1;to-tag=a\r\n",
        "Replaces: ;to-tag=a;from-tag=b\r\n",
        2 * "Replaces: call-1;to-tag=a;from-tag=b\r\n",
    ],
)
def test_replaces_that_can_not_be_read(peer: Peer, handset: Handset, headers: str) -> None:
    """400, for two of them too."""
    peer.invite(headers=headers)
    assert statuses([peer.receive()]) == [400]


def test_draining_comes_first(peer: Peer, handset: Handset) -> None:
    """The call goes on, but isn't begun anew."""
    _, tag = answered(peer, handset)
    handset.phone.drain()
    peer.invite(call="call-2", from_tag="other", headers=replaces(tag))
    peer.response(503)
    assert handset.ends.empty()
