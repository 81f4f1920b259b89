"""Calls that our telephone begins, over real sockets, to a far end that follows a script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from callee import ANSWER, Callee, Dialling, fresh
from conftest import Handset
from peer import Peer
from stream_peer import StreamPeer

from softagent.config import PortRange
from softagent.sip import sdp
from softagent.sip.message import Request
from softagent.sip.phone import CallEnd, Caller, Outcome, RegistrationState, Result

CHALLENGE = 'WWW-Authenticate: Digest realm="pbx", nonce="{nonce}"{more}\r\n'


def dialled(peer: Peer, handset: Handset, **settings: float) -> tuple[Dialling, Callee]:
    """A call of ours that the far end has heard of."""
    dialling = Dialling(handset, **settings)
    return dialling, Callee(peer, peer.request("INVITE"))


def connected(peer: Peer, handset: Handset, headers: str = "") -> tuple[Dialling, Callee]:
    """A call of ours that is up."""
    dialling, far = dialled(peer, handset)
    far.accept(headers)
    assert dialling.result().is_accepted
    return dialling, far


def test_call_is_answered(peer: Peer, handset: Handset) -> None:
    """INVITE to the PBX with our offer, ACK in a transaction of its own, media as the answer says."""
    dialling, far = dialled(peer, handset)
    invite = far.invite
    assert invite.uri == "sip:1003@127.0.0.1"
    assert (invite.sender.uri.user, invite.recipient.tag) == ("1000", "")
    assert invite.addresses("Contact")[0].uri.port == handset.phone.local_port
    assert "100rel" in invite.headers.tokens("Supported")
    offered = sdp.parse(invite.body).media[0]
    assert [known.name for known in offered.formats] == ["G722", "PCMU", "PCMA", sdp.EVENT]
    with pytest.raises(LookupError):
        _ = dialling.call.media
    far.reply(180)
    ack = far.accept()
    assert dialling.result() == Result(Outcome.ACCEPTED, 200, "Scripted")
    assert ack.uri == f"sip:1003@{peer.sent_by};transport=udp"
    assert ack.via.branch != invite.via.branch
    assert (ack.cseq.number, ack.recipient.tag) == (invite.cseq.number, "far")
    media = dialling.call.media
    assert (media.codec, media.remote_port, media.local_port) == ("PCMU", 21900, offered.port)
    assert dialling.call.caller == Caller("1003")
    assert dialling.call.call_id == invite.call_id


def test_repeated_ok_is_acknowledged_again(peer: Peer, handset: Handset) -> None:
    """The first ACK was lost; the call is told of once."""
    dialling, far = connected(peer, handset)
    far.accept()
    peer.until_fence()
    assert dialling.results.empty()


def test_we_hang_up(peer: Peer, handset: Handset) -> None:
    """BYE along the dialog: to the far end's Contact, numbers going on."""
    dialling, far = connected(peer, handset)
    dialling.call.hang_up()
    bye = peer.request("BYE")
    assert bye.uri == f"sip:1003@{peer.sent_by};transport=udp"
    assert bye.cseq.number == far.invite.cseq.number + 1
    assert (bye.sender.tag, bye.recipient.tag) == (far.invite.sender.tag, "far")
    peer.reply(bye, 200)
    assert dialling.end() is CallEnd.AGENT_HUNG_UP


def test_far_end_hangs_up(peer: Peer, handset: Handset) -> None:
    """Its BYE is answered."""
    dialling, far = connected(peer, handset)
    far.ask("BYE")
    peer.response(200, "BYE")
    assert dialling.end() is CallEnd.CALLER_HUNG_UP


def test_route_is_reversed(peer: Peer, handset: Handset) -> None:
    """What the 2xx recorded is gone through from our side (section 12.1.2); ACK and BYE alike."""
    near, far_away = f"<sip:127.0.0.1:{peer.port};lr>", "<sip:192.0.2.1;lr>"
    dialling, far = dialled(peer, handset)
    ack = far.accept(f"Record-Route: {far_away}\r\nRecord-Route: {near}\r\n")
    assert ack.headers.values("Route") == (near, far_away)
    dialling.result()
    dialling.call.hang_up()
    assert peer.request("BYE").headers.values("Route") == (near, far_away)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (486, Outcome.BUSY),
        (600, Outcome.BUSY),
        (480, Outcome.NO_ANSWER),
        (408, Outcome.NO_ANSWER),
        (404, Outcome.REFUSED),
        (403, Outcome.REFUSED),
        (503, Outcome.REFUSED),
        (603, Outcome.REFUSED),
    ],
)
def test_call_is_refused(peer: Peer, handset: Handset, status: int, outcome: Outcome) -> None:
    """Each refusal is acknowledged within the INVITE's transaction, its copies too, and told as what it means."""
    dialling, far = dialled(peer, handset)
    far.reply(180)
    for _ in range(2):
        far.reply(status)
        ack = peer.request("ACK")
        assert (ack.via.branch, ack.recipient.tag) == (far.invite.via.branch, "far")
    assert dialling.result() == Result(outcome, status, "Scripted")
    assert dialling.end() is CallEnd.FAILED
    dialling.call.hang_up()
    assert peer.until_fence() == []


def test_nobody_answers_the_invite(peer: Peer, handset: Handset) -> None:
    """It is repeated, and given up after 64 * T1."""
    dialling, far = dialled(peer, handset)
    assert peer.request("INVITE") == far.invite
    assert dialling.result().outcome is Outcome.TIMED_OUT
    assert dialling.end() is CallEnd.FAILED


def test_it_rings_until_the_time_is_up(peer: Peer, handset: Handset) -> None:
    """Then CANCEL with the INVITE's branch; the 487 is acknowledged."""
    dialling, far = dialled(peer, handset, ring_seconds=0.05)
    far.reply(180)
    cancel = peer.request("CANCEL")
    assert cancel.via == far.invite.via
    far.reply(200, to=cancel)
    far.reply(487)
    assert peer.request("ACK").via == far.invite.via
    result = dialling.result()
    assert result == Result(Outcome.NO_ANSWER, 0, "not answered within 0.05 s")
    assert dialling.end() is CallEnd.CANCELLED


def test_giving_up_waits_for_the_first_response(peer: Peer, handset: Handset) -> None:
    """A CANCEL that overtakes its INVITE would cancel nothing (section 9.1); the end is told at once."""
    dialling, far = dialled(peer, handset)
    dialling.call.hang_up()
    assert dialling.result().outcome is Outcome.CALL_OVER
    assert dialling.end() is CallEnd.CANCELLED
    assert [m for m in peer.until_fence() if isinstance(m, Request) and m.method != "INVITE"] == []
    far.reply(100)
    far.reply(200, to=peer.request("CANCEL"))
    far.reply(487)
    peer.request("ACK")


def test_answer_that_crosses_the_cancel(peer: Peer, handset: Handset) -> None:
    """Who has picked up already gets ACK and BYE."""
    dialling, far = dialled(peer, handset)
    far.reply(180)
    peer.until_fence()
    dialling.call.hang_up()
    peer.request("CANCEL")
    far.accept()
    bye = peer.request("BYE")
    assert (bye.recipient.tag, bye.cseq.number) == ("far", far.invite.cseq.number + 1)
    peer.reply(bye, 200)
    assert dialling.result().outcome is Outcome.CALL_OVER
    peer.until_fence()
    assert dialling.results.empty()


def test_second_telephone_that_answers_is_hung_up(peer: Peer, handset: Handset) -> None:
    """The PBX forks: the first to answer has the call, the other one gets ACK and BYE (section 13.2.2.4)."""
    dialling, first = dialled(peer, handset)
    second = Callee(peer, first.invite, "other")
    for far in (first, second):
        far.reply(180)
    first.accept()
    assert second.accept().recipient.tag == "other"
    bye = peer.request("BYE")
    assert bye.recipient.tag == "other"
    peer.reply(bye, 200)
    assert dialling.result().is_accepted
    peer.until_fence()
    assert dialling.ends.empty()
    dialling.call.hang_up()
    assert peer.request("BYE").recipient.tag == "far"


@pytest.mark.parametrize("status", [401, 407])
def test_challenge_is_answered(peer: Peer, handset: Handset, status: int) -> None:
    """ACK to the refusal, then the same call again with credentials; the ACK to the 200 has them too."""
    dialling, far = dialled(peer, handset)
    name, answer = (
        ("WWW-Authenticate", "Authorization")
        if status == 401
        else ("Proxy-Authenticate", "Proxy-Authorization")
    )
    far.reply(status, f'{name}: Digest realm="pbx", nonce="n1", qop="auth"\r\n')
    assert peer.request("ACK").via.branch == far.invite.via.branch
    again = Callee(peer, peer.request("INVITE"))
    credentials = again.invite.headers.first(answer)
    assert credentials is not None
    assert 'username="1000"' in credentials
    assert (again.invite.call_id, again.invite.sender.tag) == (
        far.invite.call_id,
        far.invite.sender.tag,
    )
    assert again.invite.cseq.number == far.invite.cseq.number + 1
    assert again.invite.via.branch != far.invite.via.branch
    assert again.accept().headers.first(answer) == credentials
    assert dialling.result().is_accepted


def test_wrong_password_ends_the_call(peer: Peer, handset: Handset) -> None:
    """The same realm twice, and not because the nonce was stale: no third try."""
    dialling, far = dialled(peer, handset)
    far.reply(401, CHALLENGE.format(nonce="n1", more=""))
    peer.request("ACK")
    stale = Callee(peer, peer.request("INVITE"))
    stale.reply(401, CHALLENGE.format(nonce="n2", more=", stale=true"))
    peer.request("ACK")
    last = Callee(peer, peer.request("INVITE"))
    last.reply(401, CHALLENGE.format(nonce="n3", more=""))
    peer.request("ACK")
    assert dialling.result() == Result(Outcome.REFUSED, 401, "Scripted")
    assert peer.until_fence() == []


def test_redirection_is_followed(peer: Peer, handset: Handset) -> None:
    """302: the contact with the best q first; a refusal there falls back on the next."""
    dialling, far = dialled(peer, handset)
    contacts = "<sip:1005@127.0.0.1>;q=0.4, <mailto:a@b.example>, <sip:1004@127.0.0.1>;q=0.9"
    far.reply(302, f"Contact: {contacts}\r\n")
    second = Callee(peer, fresh(peer, "INVITE", far.invite))
    assert (second.invite.uri, second.invite.need("To")) == (
        "sip:1004@127.0.0.1",
        "<sip:1004@127.0.0.1>",
    )
    assert second.invite.cseq.number == far.invite.cseq.number + 1
    second.reply(404)
    third = Callee(peer, fresh(peer, "INVITE", far.invite, second.invite))
    assert third.invite.uri == "sip:1005@127.0.0.1"
    third.accept()
    assert dialling.result().is_accepted


def test_stranger_gets_no_credentials(peer: Peer, handset: Handset) -> None:
    """A redirection may lead anywhere: there a challenge is a refusal, and known credentials stay here."""
    first, near = dialled(peer, handset)
    near.reply(401, CHALLENGE.format(nonce="n1", more=""))
    peer.request("ACK")
    known = Callee(peer, peer.request("INVITE"))
    assert known.invite.headers.first("Authorization") is not None
    stranger = Peer("127.0.0.2")
    known.reply(302, f"Contact: <sip:1004@{stranger.sent_by}>\r\n")
    stranger.phone = peer.phone
    far = Callee(stranger, stranger.request("INVITE"))
    assert far.invite.headers.first("Authorization") is None
    far.reply(401, CHALLENGE.format(nonce="n2", more=""))
    stranger.request("ACK")
    assert first.result() == Result(Outcome.REFUSED, 401, "Scripted")
    stranger.close()


def test_stop_gives_up_what_rings(peer: Peer) -> None:
    """CANCEL before the telephone leaves."""
    handset = Handset(peer)
    handset.start()
    peer.register()
    dialling, far = dialled(peer, handset)
    far.reply(180)
    peer.until_fence()
    handset.phone.stop(timeout_seconds=0.0)
    peer.request("CANCEL")
    assert dialling.end() is CallEnd.CANCELLED


def test_redirection_in_circles_ends(peer: Peer, handset: Handset) -> None:
    """A target that was tried already isn't tried again."""
    dialling, far = dialled(peer, handset)
    far.reply(302, "Contact: <sip:1004@127.0.0.1>\r\n")
    second = Callee(peer, fresh(peer, "INVITE", far.invite))
    second.reply(302, "Contact: <sip:1003@127.0.0.1>\r\n")
    assert dialling.result() == Result(Outcome.REFUSED, 302, "Scripted")


def test_unavailable_pbx_is_asked_again(peer: Peer, handset: Handset) -> None:
    """503 with Retry-After within the ring time; one that asks for longer is a refusal."""
    dialling, far = dialled(peer, handset)
    far.reply(503, "Retry-After: 0\r\n")
    second = Callee(peer, fresh(peer, "INVITE", far.invite))
    assert second.invite.cseq.number == far.invite.cseq.number + 1
    second.reply(503, "Retry-After: 3600\r\n")
    assert dialling.result() == Result(Outcome.REFUSED, 503, "Scripted")


def test_reliable_ringing_is_confirmed(peer: Peer, handset: Handset) -> None:
    """PRACK for each number once and in order (RFC 3262 section 4); the dialog's numbers go on from it."""
    dialling, far = dialled(peer, handset)
    reliable = "Require: 100rel\r\n" + far.contact
    far.reply(180, reliable + "RSeq: 71\r\n")
    prack = peer.request("PRACK")
    number = far.invite.cseq.number
    assert prack.headers.first("RAck") == f"71 {number} INVITE"
    assert (prack.recipient.tag, prack.cseq.number) == ("far", number + 1)
    far.reply(200, to=prack)
    far.reply(180, reliable + "RSeq: 71\r\n")
    far.reply(183, reliable + "RSeq: 73\r\n")
    assert [m for m in peer.until_fence() if m.cseq.method == "PRACK" and m != prack] == []
    far.reply(183, reliable + "RSeq: 72\r\n", ANSWER)
    second = peer.expect(lambda m: m.cseq.method == "PRACK" and m.cseq.number > number + 1)
    assert isinstance(second, Request)
    far.reply(200, to=second)
    ack = far.accept(body=b"")
    assert ack.cseq.number == number
    assert dialling.result().is_accepted
    assert dialling.call.media.remote_port == 21900
    dialling.call.hang_up()
    assert peer.request("BYE").cseq.number == number + 3


def test_update_while_it_rings(peer: Peer, handset: Handset) -> None:
    """Asterisk tells who is there; an offer has to wait until ours is answered (RFC 3311 section 5.2)."""
    dialling, far = dialled(peer, handset)
    far.reply(183, far.contact)
    peer.until_fence()
    far.ask("UPDATE", headers='P-Asserted-Identity: "Anna" <sip:1009@127.0.0.1>\r\n')
    peer.response(200, "UPDATE")
    assert dialling.call.caller == Caller("1009", "Anna")
    far.ask("UPDATE", body=ANSWER)
    assert peer.response(500, "UPDATE").headers.first("Retry-After") is not None
    far.ask("ACK")
    far.ask("BYE")
    assert [str(m.status) + m.cseq.method for m in peer.until_fence()] == ["481BYE"]


@pytest.mark.parametrize(
    "body", [b"", b"v=0\r\n", ANSWER.replace(b"PCMU", b"GSM").replace(b" 0 ", b" 3 ")]
)
def test_answer_without_usable_sound(peer: Peer, handset: Handset, body: bytes) -> None:
    """ACK, BYE, and a refusal that says why."""
    dialling, far = dialled(peer, handset)
    far.accept(body=body)
    peer.reply(peer.request("BYE"), 200)
    result = dialling.result()
    assert (result.outcome, result.status) == (Outcome.REFUSED, 200)
    assert "sound" in result.reason
    assert dialling.end() is CallEnd.FAILED


def test_nonsense_is_not_called(peer: Peer, handset: Handset) -> None:
    """No INVITE goes out, and the reason names the target."""
    dialling = Dialling(handset, "no such person")
    result = dialling.result()
    assert result.outcome is Outcome.REFUSED
    assert "no such person" in result.reason
    assert peer.until_fence() == []


def test_a_telephone_that_is_off_calls_nobody(handset: Handset) -> None:
    """Nothing would come of it, and nobody be told."""
    handset.phone.stop(timeout_seconds=0.0)
    dialling = Dialling(handset)
    assert dialling.result() == Result(Outcome.REFUSED, reason="the telephone is switched off")
    assert dialling.end() is CallEnd.FAILED


def test_no_port_for_the_sound(peer: Peer) -> None:
    """Nothing is sent; the port is free again once the call before is over."""
    handset = Handset(peer, rtp_ports=PortRange(21850, 21851))
    handset.start()
    peer.register()
    first, far = dialled(peer, handset)
    second = Dialling(handset, "1004")
    result = second.result()
    assert result.outcome is Outcome.REFUSED
    assert "21850-21851" in result.reason
    far.reply(486)
    peer.request("ACK")
    first.end()
    third, far = dialled(peer, handset)
    far.accept()
    assert third.result().is_accepted
    handset.phone.stop(timeout_seconds=0.0)
    assert third.end() is CallEnd.AGENT_HUNG_UP


def test_two_calls_never_share_an_identity(peer: Peer, handset: Handset) -> None:
    """pyVoIP counts Call-IDs and branches from the same start in each process."""
    identities = []
    for _ in range(2):
        dialling, far = dialled(peer, handset)
        far.reply(486)
        peer.request("ACK")
        dialling.result()
        identities.append((far.invite.call_id, far.invite.sender.tag, far.invite.via.branch))
    assert all(first != second for first, second in zip(*identities, strict=True))


def test_incoming_call_is_busy_while_we_call(peer: Peer, handset: Handset) -> None:
    """One caller at a time."""
    dialling, far = dialled(peer, handset)
    peer.invite(call="call-2")
    peer.response(486)
    far.reply(404)
    dialling.end()
    peer.invite(call="call-3")
    assert handset.call().call_id == "call-3"


@pytest.fixture
def tcp() -> Iterator[tuple[StreamPeer, Handset]]:
    """A PBX reached by TCP, and our telephone registered there."""
    peer = StreamPeer()
    handset = Handset(peer, transport="tcp")
    handset.start()
    peer.register()
    yield peer, handset
    handset.phone.stop(timeout_seconds=0.0)
    peer.close()


def test_call_over_tcp(tcp: tuple[StreamPeer, Handset]) -> None:
    """The INVITE goes out once, and ACK and BYE go the same way."""
    peer, handset = tcp
    dialling, far = dialled(peer, handset)
    assert far.invite.via.transport == "TCP"
    assert peer.until_fence() == []
    assert far.accept().via.transport == "TCP"
    assert dialling.result().is_accepted
    dialling.call.hang_up()
    assert peer.request("BYE").via.transport == "TCP"


def test_connection_is_lost_while_it_rings(tcp: tuple[StreamPeer, Handset]) -> None:
    """Nobody will tell any more: timed out at once (section 17.1.4)."""
    peer, handset = tcp
    dialling, far = dialled(peer, handset)
    far.reply(180)
    peer.until_fence()
    peer.hang_up()
    assert dialling.result().outcome is Outcome.TIMED_OUT
    assert dialling.end() is CallEnd.FAILED


def test_ringing_that_can_not_be_read_is_passed_over(peer: Peer, handset: Handset) -> None:
    """A damaged 180 or 183 spoils no call."""
    dialling, far = dialled(peer, handset)
    far.reply(180, "Contact: <sip:>\r\n")
    far.reply(183, "Require: 100rel\r\nRSeq: many\r\n" + far.contact)
    assert [m for m in peer.until_fence() if m.cseq.method == "PRACK"] == []
    far.accept()
    assert dialling.result().is_accepted


def test_session_too_short_for_the_pbx(peer: Peer, handset: Handset) -> None:
    """422: the same call again with its Min-SE (RFC 4028 section 7.3), once."""
    dialling, far = dialled(peer, handset)
    assert far.invite.headers.first("Session-Expires") == "1800"
    far.reply(422, "Min-SE: 3600\r\n")
    again = Callee(peer, fresh(peer, "INVITE", far.invite))
    assert again.invite.headers.first("Session-Expires") == "3600"
    assert again.invite.headers.first("Min-SE") == "3600"
    again.reply(422, "Min-SE: 3600\r\n")
    assert dialling.result() == Result(Outcome.REFUSED, 422, "Scripted")


def test_session_of_ours_is_refreshed(peer: Peer, handset: Handset) -> None:
    """By who the 200 names: at half of its interval an UPDATE, or a re-INVITE with what was said last."""
    dialling, far = connected(peer, handset, "Session-Expires: 90;refresher=uac\r\n")
    peer.until_fence()
    handset.pass_time(45.0)
    reinvite = fresh(peer, "INVITE", far.invite)
    assert reinvite.headers.first("Session-Expires") == "90;refresher=uac"
    far.reply(200, "Session-Expires: 90;refresher=uac\r\n", ANSWER, to=reinvite)
    assert peer.request("ACK").cseq.number == reinvite.cseq.number
    assert dialling.ends.empty()


def test_call_takes_the_service_route(peer: Peer) -> None:
    """What the registrar said with its 200 (RFC 3608); not to where a redirection leads."""
    handset = Handset(peer)
    handset.start()
    route = f"<sip:127.0.0.1:{peer.port};lr>"
    peer.reply(peer.next_request(), 200, f"Expires: 120\r\nService-Route: {route}\r\n")
    while handset.registration().state is not RegistrationState.REGISTERED:
        pass
    _, far = dialled(peer, handset)
    assert far.invite.headers.values("Route") == (route,)
    stranger = Peer("127.0.0.2")
    far.reply(302, f"Contact: <sip:1004@{stranger.sent_by}>\r\n")
    assert stranger.request("INVITE").headers.values("Route") == ()
    stranger.close()
    handset.phone.stop(timeout_seconds=0.0)


def test_answer_that_can_not_be_read_ends_the_call(peer: Peer, handset: Handset) -> None:
    """Without a target there is nobody to acknowledge it to."""
    dialling, far = dialled(peer, handset)
    far.reply(200, "Contact: <sip:>\r\n", ANSWER)
    result = dialling.result()
    assert (result.outcome, result.status) == (Outcome.REFUSED, 200)
    assert dialling.end() is CallEnd.FAILED


def test_third_call_is_not_made(peer: Peer, handset: Handset) -> None:
    """Beside one call there is room for a consultation, and no more."""
    first, _ = connected(peer, handset)
    second = Dialling(handset, "1004")
    Callee(peer, peer.request("INVITE"), "second").accept()
    assert second.result().is_accepted
    third = Dialling(handset, "1005")
    assert third.result().outcome is Outcome.REFUSED
    assert third.end() is CallEnd.FAILED
    assert first.ends.empty()
    assert second.ends.empty()
