"""Requests within a call and beside one, other than offers (RFC 3261 sections 8.2, 11 and 12.2)."""

from __future__ import annotations

import pytest
from conftest import Handset, answered
from peer import Peer, statuses, tag_of
from wire import OFFER

from softagent.sip.message import Response
from softagent.sip.phone import CallEnd, Caller

RELAY, PLAIN, EVENT = "application/dtmf-relay", "application/dtmf", "audio/telephone-event"


@pytest.mark.parametrize(
    ("kind", "body", "digits"),
    [
        (RELAY, b"Signal=5\r\nDuration=160\r\n", "5"),
        (RELAY, b"Signal= *\nDuration= 100", "*"),
        (RELAY, b"signal=11\r\n", "#"),
        (PLAIN, b"7", "7"),
        (PLAIN, b"10\r\n", "*"),
        (PLAIN, b"a", "A"),
        (EVENT, b"9", "9"),
        (EVENT, bytes((10, 0x8A, 3, 32)), "*"),
        ("Application/DTMF-Relay;x=y", b"Signal=1", "1"),
    ],
)
def test_keys_in_info(peer: Peer, handset: Handset, kind: str, body: bytes, digits: str) -> None:
    """As Asterisk's dtmf_mode=info and others write them."""
    _, tag = answered(peer, handset)
    peer.ask("INFO", to_tag=tag, sequence=2, kind=kind, body=body)
    peer.response(200, "INFO")
    assert handset.digits.get(timeout=3) == digits


@pytest.mark.parametrize(
    ("changes", "status", "header"),
    [
        ({}, 200, ""),
        ({"kind": EVENT, "body": bytes((5, 10, 3, 32))}, 200, ""),
        ({"kind": RELAY, "body": b"Duration=160"}, 400, ""),
        ({"kind": PLAIN, "body": b"hello"}, 400, ""),
        ({"kind": RELAY, "body": b"x" + 50_000 * b"\n" + b"x"}, 400, ""),
        ({"kind": "application/media_control+xml", "body": b"<x/>"}, 415, "Accept"),
        ({"headers": "Info-Package: conference\r\n"}, 469, "Recv-Info"),
    ],
)
def test_info_without_keys(
    peer: Peer, handset: Handset, changes: dict[str, object], status: int, header: str
) -> None:
    """Nothing at all is fine, a key that goes on isn't pressed yet, the rest is refused (RFC 6086)."""
    _, tag = answered(peer, handset)
    peer.ask("INFO", to_tag=tag, sequence=2, **changes)
    refused = peer.response(status, "INFO")
    assert not header or refused.headers.first(header) is not None
    peer.until_fence()
    assert handset.digits.empty()
    assert handset.ends.empty()


@pytest.mark.parametrize(
    ("event", "status"),
    [("message-summary", 200), ("", 200), ("refer", 481), ("refer;id=9", 481), ("dialog", 489)],
)
def test_notify_within_the_call(peer: Peer, handset: Handset, event: str, status: int) -> None:
    """What comes unasked is taken, the rest isn't ours (RFC 6665 section 4.1.3)."""
    _, tag = answered(peer, handset)
    peer.ask("NOTIFY", to_tag=tag, sequence=2, headers=f"Event: {event}\r\n" if event else "")
    refused = peer.response(status, "NOTIFY")
    if status == 489:
        assert "message-summary" in refused.headers.tokens("Allow-Events")
    assert handset.ends.empty()


def test_unsolicited_notify(peer: Peer, handset: Handset) -> None:
    """message-summary as Asterisk and FreeSWITCH send it to every contact: 200, or they would go on and on."""
    headers = "Event: message-summary\r\nSubscription-State: active\r\n"
    peer.ask(
        "NOTIFY",
        headers=headers,
        kind="application/simple-message-summary",
        body=b"Messages-Waiting: no\r\n",
    )
    peer.response(200, "NOTIFY")


@pytest.mark.parametrize("is_within", [False, True])
def test_message(peer: Peer, handset: Handset, is_within: bool) -> None:
    """Taken, and not shown to anybody (RFC 3428)."""
    tag = answered(peer, handset)[1] if is_within else ""
    peer.ask("MESSAGE", to_tag=tag, sequence=2, kind="text/plain", body=b"hello")
    peer.response(200, "MESSAGE")


def test_options_within_the_call(peer: Peer, handset: Handset) -> None:
    """200, whatever a new call would get (section 11.2)."""
    _, tag = answered(peer, handset)
    peer.ask("OPTIONS", to_tag=tag, sequence=2)
    found = peer.response(200, "OPTIONS")
    assert "100rel" in found.headers.tokens("Supported")


def test_options_tell_what_an_invite_would_get(peer: Peer, handset: Handset) -> None:
    """200 with all that we can do, 486 in a call, 503 when going out of service (section 11.2)."""
    peer.ask("OPTIONS", call="ping-1")
    found = peer.response(200, "OPTIONS")
    for name in ("Allow", "Accept", "Accept-Language", "Supported", "Allow-Events"):
        assert found.headers.first(name), name
    _, tag = answered(peer, handset)
    peer.ask("OPTIONS", call="ping-2")
    peer.response(486, "OPTIONS")
    peer.ask("BYE", to_tag=tag, sequence=2)
    peer.response(200, "BYE")
    handset.phone.drain()
    peer.ask("OPTIONS", call="ping-3")
    peer.response(503, "OPTIONS")


def test_draining(peer: Peer, handset: Handset) -> None:
    """The call goes on; a new one is told when to come back (section 21.5.4)."""
    _, tag = answered(peer, handset)
    handset.phone.drain()
    peer.invite(call="call-2")
    assert peer.response(503).headers.first("Retry-After") == "30"
    peer.ask("INFO", to_tag=tag, sequence=2)
    peer.response(200, "INFO")
    assert handset.ends.empty()


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "MESSAGE"])
def test_required_extensions(peer: Peer, handset: Handset, method: str) -> None:
    """420 names those that we don't know and no others (section 8.2.2.3); Proxy-Require isn't for us."""
    peer.ask(method, headers="Require: timer, x-one, 100rel\r\nRequire: x-two\r\n")
    assert peer.response(420, method).headers.first("Unsupported") == "x-one, x-two"
    peer.ask("OPTIONS", call="call-2", headers="Proxy-Require: x-one\r\n")
    peer.response(200, "OPTIONS")


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "MESSAGE"])
def test_merged_request(peer: Peer, handset: Handset, method: str) -> None:
    """The same request by another way: 482 (section 8.2.2.2); a new number is a new request."""
    body = OFFER if method == "INVITE" else b""
    peer.ask(method, body=body)
    assert 482 not in statuses(peer.until_fence())
    peer.ask(method, body=body)
    peer.response(482, method)
    peer.ask(method, body=body, sequence=2)
    assert 482 not in statuses(peer.until_fence())


def test_looped_request(peer: Peer, handset: Handset) -> None:
    """Our own Via is in it: 482 (section 16.3, item 4)."""
    ours = f"Via: SIP/2.0/UDP 127.0.0.1:{handset.phone.local_port};branch=z9hG4bKours\r\n"
    peer.ask("INVITE", headers=ours, body=OFFER)
    peer.response(482)
    assert handset.calls.empty()


def test_max_forwards_is_for_proxies(peer: Peer, handset: Handset) -> None:
    """0 has come to its end here, as it should (section 8.2, RFC 4475 section 3.3.11)."""
    peer.ask("INVITE", headers="Max-Forwards: 0\r\n", body=OFFER)
    peer.response(180)


def test_sequence_numbers(peer: Peer, handset: Handset) -> None:
    """Gaps are fine, going back isn't: 500 (section 12.2.2)."""
    _, tag = answered(peer, handset)
    for sequence, status in ((7, 200), (6, 500), (7, 200), (2000, 200)):
        peer.ask("INFO", to_tag=tag, sequence=sequence)
        peer.response(status, "INFO")


@pytest.mark.parametrize("method", ["INFO", "INVITE", "UPDATE", "NOTIFY", "OPTIONS", "BYE"])
def test_requests_after_the_end(peer: Peer, handset: Handset, method: str) -> None:
    """481: the dialog is gone."""
    _, tag = answered(peer, handset)
    peer.ask("BYE", to_tag=tag, sequence=2)
    peer.response(200, "BYE")
    peer.ask(method, to_tag=tag, sequence=3, body=OFFER if method == "INVITE" else b"")
    peer.response(481, method)


def test_requests_while_our_bye_waits(peer: Peer, handset: Handset) -> None:
    """We have hung up, the ACK isn't here: nothing else is of use (section 15)."""
    peer.invite()
    call = handset.call()
    call.answer()
    tag = tag_of(peer.response(200))
    call.hang_up()
    assert handset.end() is CallEnd.AGENT_HUNG_UP
    peer.ask("INFO", to_tag=tag, sequence=2)
    peer.response(481, "INFO")
    peer.ask("ACK", to_tag=tag)
    peer.request("BYE")


def test_bye_before_the_answer(peer: Peer, handset: Handset) -> None:
    """The caller may end an early dialog too: 200, and 487 to the INVITE (section 15.1.2)."""
    peer.invite()
    tag = tag_of(peer.response(180))
    call = handset.call()
    peer.ask("BYE", to_tag=tag, sequence=2)
    peer.response(200, "BYE")
    peer.response(487)
    assert handset.end() is CallEnd.CALLER_HUNG_UP
    call.answer()
    assert 200 not in statuses([m for m in peer.until_fence() if m.cseq.method == "INVITE"])


def test_invite_that_runs_out(peer: Peer, handset: Handset) -> None:
    """The caller has said how long it waits: 487 after that (section 13.3.1)."""
    peer.invite(headers="Expires: 20\r\n")
    peer.response(180)
    handset.pass_time(19.0)
    peer.until_fence()
    assert handset.ends.empty()
    handset.pass_time(2.0)
    tag = tag_of(peer.response(487))
    peer.ask("ACK", to_tag=tag, branch="z9hG4bKpeer1")
    assert handset.end() is CallEnd.CANCELLED


def test_answered_call_does_not_run_out(peer: Peer, handset: Handset) -> None:
    """The limit was for the ringing."""
    answered(peer, handset, headers="Expires: 20\r\n")
    peer.until_fence()
    handset.pass_time(30.0)
    peer.until_fence()
    assert handset.ends.empty()


@pytest.mark.parametrize("status", [200, 408, 481, 500])
def test_any_answer_to_our_bye_is_an_end(peer: Peer, handset: Handset, status: int) -> None:
    """Also that the other side knows of no call any more (section 15.1.1)."""
    call, _ = answered(peer, handset)
    peer.until_fence()
    call.hang_up()
    bye = peer.request("BYE")
    peer.reply(bye, status)
    assert handset.end() is CallEnd.AGENT_HUNG_UP
    assert [m for m in peer.until_fence() if not isinstance(m, Response) and m != bye] == []


@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
@pytest.mark.parametrize("header", ["P-Asserted-Identity", "Remote-Party-ID"])
def test_connected_line(peer: Peer, handset: Handset, method: str, header: str) -> None:
    """After a transfer at the PBX somebody else is there: it says so in an UPDATE or re-INVITE."""
    call, tag = answered(peer, handset)
    assert call.caller == Caller("1003", "Caller")
    body = OFFER if method == "INVITE" else b""
    headers = f'{header}: "Bob" <sip:1007@pbx>;party=calling\r\n'
    peer.ask(method, to_tag=tag, sequence=2, headers=headers, body=body)
    peer.response(200, method)
    assert call.caller == Caller("1007", "Bob")
    peer.ask("INFO", to_tag=tag, sequence=3, headers=f"{header}: <sip:1@pbx>\r\n")
    peer.response(200, "INFO")
    assert call.caller == Caller("1007", "Bob")


def test_target_is_refreshed_by_target_refreshes_only(peer: Peer, handset: Handset) -> None:
    """INFO and MESSAGE have a Contact of no meaning (section 12.2); an UPDATE moves the other side."""
    call, tag = answered(peer, handset)
    peer.ask("INFO", to_tag=tag, sequence=2, headers="Contact: <sip:elsewhere@127.0.0.1:9>\r\n")
    peer.response(200, "INFO")
    moved = f"Contact: <sip:moved@{peer.sent_by}>\r\n"
    data = peer.ask("UPDATE", to_tag=tag, sequence=3).replace(
        f"Contact: <sip:1003@{peer.sent_by}>\r\n".encode(), moved.encode()
    )
    peer.response(200, "UPDATE")
    data = data.replace(b"CSeq: 3", b"CSeq: 4").replace(b"z9hG4bKpeer", b"z9hG4bKmoved")
    peer.send(data)
    peer.response(200, "UPDATE")
    peer.until_fence()
    call.hang_up()
    assert peer.request("BYE").uri == f"sip:moved@{peer.sent_by}"


def test_bad_contact_changes_nothing(peer: Peer, handset: Handset) -> None:
    """400 to an offer whose Contact can't be called, and the next one is welcome."""
    call, tag = answered(peer, handset)
    data = peer.ask("UPDATE", to_tag=tag, sequence=2)
    peer.response(200, "UPDATE")
    held = OFFER.replace(b"sendrecv", b"sendonly")
    bad = f"Contact: <mailto:1003@{peer.sent_by}>\r\nContent-Type: application/sdp\r\n"
    data = data.replace(f"Contact: <sip:1003@{peer.sent_by}>\r\n".encode(), bad.encode())
    data = data.replace(b"CSeq: 2", b"CSeq: 3").replace(b"z9hG4bKpeer", b"z9hG4bKbad")
    peer.send(data.replace(b"Content-Length: 0", b"Content-Length: %d" % len(held)) + held)
    peer.response(400, "UPDATE")
    assert handset.moves.empty()
    peer.ask("UPDATE", to_tag=tag, sequence=4, body=held)
    peer.response(200, "UPDATE")
    assert handset.moved() == call.media


def test_headers_of_what_we_send(peer: Peer, handset: Handset) -> None:
    """Contact, Allow and Supported where a dialog begins or goes on (sections 12.1.1 and 13.3.1)."""
    peer.invite()
    ringing = peer.response(180)
    handset.call().answer()
    ok = peer.response(200)
    tag = tag_of(ok)
    peer.ask("ACK", to_tag=tag)
    peer.ask("UPDATE", to_tag=tag, sequence=2)
    for found in (ringing, ok, peer.response(200, "UPDATE")):
        assert found.addresses("Contact")
        assert {"prack", "update"} <= found.headers.tokens("Allow")
        assert found.headers.tokens("Supported") == {"100rel", "timer", "replaces"}
