"""The session timer over a real socket: a PBX that refreshes, one that doesn't, and one that has gone."""

from __future__ import annotations

import pytest
from callee import Callee, Dialling, fresh
from conftest import Handset, answered
from peer import Peer, tag_of
from wire import OFFER

from softagent.sip.message import Request, Response
from softagent.sip.phone import CallEnd

KNOWS = "Supported: timer\r\n"
WITH_UPDATE = KNOWS + "Allow: INVITE, ACK, BYE, UPDATE\r\n"
WE_REFRESH = "Session-Expires: 90;refresher=uas\r\n"
THEY_REFRESH = "Session-Expires: 90;refresher=uac\r\n"
AGREED = "Session-Expires: 90;refresher=uac\r\nRequire: timer\r\n"
"""In an answer to our request it is we who are the UAC."""
HALF = 45.0


def test_their_interval_is_taken(peer: Peer, handset: Handset) -> None:
    """As Asterisk's timers=always asks for it: refresher and Require are in the 200."""
    peer.invite(headers=KNOWS + "Session-Expires: 90\r\nMin-SE: 90\r\n")
    handset.call().answer()
    ok = peer.response(200)
    assert ok.headers.first("Session-Expires") == "90;refresher=uac"
    assert ok.headers.first("Require") == "timer"
    assert "timer" in ok.headers.tokens("Supported")
    peer.ask("ACK", to_tag=tag_of(ok))


@pytest.mark.parametrize("is_within", [False, True])
def test_too_short_an_interval(peer: Peer, handset: Handset, is_within: bool) -> None:
    """422 with Min-SE; within a call it leaves the call as it is."""
    tag = answered(peer, handset)[1] if is_within else ""
    peer.invite(
        to_tag=tag, sequence=2, body=OFFER, headers=KNOWS + "Session-Expires: 30\r\n", call="call-1"
    )
    assert peer.response(422).headers.first("Min-SE") == "90"
    assert handset.calls.empty()
    assert handset.ends.empty()


def test_we_refresh_with_update(peer: Peer, handset: Handset) -> None:
    """At half the time, again and again, without a description."""
    answered(peer, handset, headers=WITH_UPDATE + WE_REFRESH)
    peer.until_fence()
    for _ in range(3):
        handset.pass_time(HALF)
        update = peer.request("UPDATE")
        assert update.headers.first("Session-Expires") == "90;refresher=uac"
        assert "timer" in update.headers.tokens("Supported")
        assert update.body == b""
        peer.reply(update, 200, AGREED)
        peer.until_fence()
    assert handset.ends.empty()


def test_the_answer_to_our_refresh_moves_the_other_side(peer: Peer, handset: Handset) -> None:
    """As any answer to a target refresh does (RFC 3261 section 12.2.1.2, RFC 3311 section 5.1)."""
    call, _ = answered(peer, handset, headers=WITH_UPDATE + WE_REFRESH)
    peer.until_fence()
    handset.pass_time(HALF)
    update = peer.request("UPDATE")
    assert update.uri == f"sip:1003@{peer.sent_by}"
    peer.reply(update, 200, AGREED + f"Contact: <sip:other@{peer.sent_by}>\r\n")
    peer.until_fence()
    call.hang_up()
    assert peer.request("BYE").uri == f"sip:other@{peer.sent_by}"


def test_we_refresh_with_reinvite(peer: Peer, handset: Handset) -> None:
    """Where UPDATE isn't allowed: the description is the one from before, its version too."""
    peer.invite(headers=KNOWS + WE_REFRESH)
    handset.call().answer()
    ok = peer.response(200)
    peer.ask("ACK", to_tag=tag_of(ok))
    peer.until_fence()
    handset.pass_time(HALF)
    invite = peer.request("INVITE")
    assert invite.body == ok.body
    assert invite.headers.first("Session-Expires") == "90;refresher=uac"
    peer.reply(invite, 200, AGREED, OFFER)
    peer.request("ACK")
    assert handset.moves.empty()
    handset.pass_time(HALF)
    assert peer.request("INVITE").cseq.number == invite.cseq.number + 1


def test_update_that_is_not_known_after_all(peer: Peer, handset: Handset) -> None:
    """501: the next try is a re-INVITE."""
    answered(peer, handset, headers=WITH_UPDATE + WE_REFRESH)
    peer.until_fence()
    handset.pass_time(HALF)
    peer.reply(peer.request("UPDATE"), 501)
    peer.request("INVITE")


def test_their_refresh_begins_the_time_anew(peer: Peer, handset: Handset) -> None:
    """By UPDATE or re-INVITE; without one the call ends with BYE 30 s before its time is over."""
    _, tag = answered(peer, handset, headers=WITH_UPDATE + THEY_REFRESH)
    for sequence, method in ((2, "UPDATE"), (3, "INVITE")):
        peer.until_fence()  # the ACK is there before its time is over
        handset.pass_time(50.0)
        body = OFFER if method == "INVITE" else b""
        headers = WITH_UPDATE + THEY_REFRESH
        peer.ask(method, to_tag=tag, sequence=sequence, headers=headers, body=body)
        ok = peer.response(200, method)
        assert ok.headers.first("Session-Expires") == "90;refresher=uac"
        if method == "INVITE":
            peer.ask("ACK", to_tag=tag, sequence=sequence)
    peer.until_fence()
    assert handset.ends.empty()
    handset.pass_time(61.0)
    peer.request("BYE")
    assert handset.end() is CallEnd.FAR_END_LOST


@pytest.mark.parametrize("status", [408, 481, None])
def test_refresh_that_finds_nobody(peer: Peer, handset: Handset, status: int | None) -> None:
    """The far end has gone: BYE, and the call is over (section 10)."""
    answered(peer, handset, headers=WITH_UPDATE + WE_REFRESH)
    peer.until_fence()
    handset.pass_time(HALF)
    update = peer.request("UPDATE")
    if status is not None:
        peer.reply(update, status)
    peer.request("BYE")
    assert handset.end() is CallEnd.FAR_END_LOST


def test_refresh_by_reinvite_that_finds_nobody(peer: Peer, handset: Handset) -> None:
    """408 to the re-INVITE."""
    answered(peer, handset, headers=KNOWS + WE_REFRESH)
    peer.until_fence()
    handset.pass_time(HALF)
    peer.reply(peer.request("INVITE"), 408)
    peer.request("BYE")
    assert handset.end() is CallEnd.FAR_END_LOST


@pytest.mark.parametrize("allow", [KNOWS, WITH_UPDATE])
def test_both_ask_at_once(peer: Peer, handset: Handset, allow: str) -> None:
    """491: again after a random wait (RFC 3261 section 14.1)."""
    answered(peer, handset, headers=allow + WE_REFRESH)
    peer.until_fence()
    handset.pass_time(HALF)
    method = "UPDATE" if "UPDATE" in allow else "INVITE"
    first = peer.request(method)
    peer.reply(first, 491)
    again = peer.expect(
        lambda m: isinstance(m, Request) and m.method == method and m.cseq != first.cseq
    )
    assert again.cseq.number == first.cseq.number + 1
    assert handset.ends.empty()


def test_interval_too_short_for_the_pbx(peer: Peer, handset: Handset) -> None:
    """422: the same again with its Min-SE (section 7.3)."""
    answered(peer, handset, headers=WITH_UPDATE + WE_REFRESH)
    peer.until_fence()
    handset.pass_time(HALF)
    first = peer.request("UPDATE")
    peer.reply(first, 422, "Min-SE: 300\r\n")
    again = peer.expect(lambda m: isinstance(m, Request) and m.cseq != first.cseq)
    assert again.headers.first("Session-Expires") == "300;refresher=uac"
    assert again.headers.first("Min-SE") == "300"


def test_failed_refresh_is_tried_again_until_the_time_is_over(peer: Peer, handset: Handset) -> None:
    """500: the call goes on, for the while that it has."""
    answered(peer, handset, headers=WITH_UPDATE + WE_REFRESH)
    peer.until_fence()
    for seconds in (HALF, 10.0):
        handset.pass_time(seconds)
        peer.reply(peer.request("UPDATE"), 500)
        peer.until_fence()
    assert handset.ends.empty()
    handset.pass_time(10.0)
    peer.request("BYE")
    assert handset.end() is CallEnd.FAR_END_LOST


def test_without_the_extension_there_is_no_timer(peer: Peer, handset: Handset) -> None:
    """An old PBX's call isn't cut off."""
    peer.invite()
    handset.call().answer()
    ok = peer.response(200)
    assert ok.headers.first("Session-Expires") is None
    peer.ask("ACK", to_tag=tag_of(ok))
    peer.until_fence()
    handset.pass_time(4000.0)
    assert all(isinstance(message, Response) for message in peer.until_fence())
    assert handset.ends.empty()


def test_our_call_asks_for_a_timer(peer: Peer, handset: Handset) -> None:
    """The INVITE says what we want; the 200 says who refreshes (section 7)."""
    Dialling(handset)
    far = Callee(peer, peer.request("INVITE"))
    assert far.invite.headers.first("Session-Expires") == "1800"
    assert "timer" in far.invite.headers.tokens("Supported")
    far.accept("Session-Expires: 90;refresher=uac\r\nAllow: UPDATE\r\n")
    peer.until_fence()
    handset.pass_time(HALF)
    update = peer.request("UPDATE")
    assert update.headers.first("Session-Expires") == "90;refresher=uac"
    far.reply(200, AGREED, to=update)


def test_our_call_s_interval_is_too_short(peer: Peer, handset: Handset) -> None:
    """422: dialled again with what the other side needs (section 7.3)."""
    Dialling(handset)
    far = Callee(peer, peer.request("INVITE"))
    far.reply(422, "Min-SE: 3600\r\n")
    again = fresh(peer, "INVITE", far.invite)
    assert again.headers.first("Session-Expires") == "3600"
    assert again.headers.first("Min-SE") == "3600"
    assert again.cseq.number == far.invite.cseq.number + 1


def test_hold_keeps_the_timer(peer: Peer, handset: Handset) -> None:
    """A re-INVITE without the header would switch it off; its 200 begins the time anew (section 7.4)."""
    call, _ = answered(peer, handset, headers=WITH_UPDATE + WE_REFRESH)
    peer.until_fence()
    handset.pass_time(30.0)
    call.hold(lambda result: None)
    invite = peer.request("INVITE")
    assert invite.headers.first("Session-Expires") == "90;refresher=uac"
    peer.reply(invite, 200, AGREED, OFFER.replace(b"sendrecv", b"recvonly"))
    peer.request("ACK")
    peer.until_fence()
    handset.pass_time(30.0)
    assert all(isinstance(message, Response) for message in peer.until_fence())
    handset.pass_time(15.0)
    peer.request("UPDATE")
