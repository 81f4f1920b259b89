"""The telephone over real sockets, against a PBX that follows a script."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import replace

import pytest
from conftest import Handset, answered
from peer import PATIENCE_SECONDS, Peer, statuses, tag_of
from wire import OFFER

from softagent import __version__
from softagent.config import PortRange
from softagent.errors import PortInUse
from softagent.life import FATAL_EXIT_CODES
from softagent.log import JsonFormatter, LineFormatter
from softagent.sip import sdp
from softagent.sip.message import Request, Response
from softagent.sip.phone import CallEnd, Caller, IncomingCall, RegistrationState
from softagent.sip.sdp import Direction

HELD = OFFER.replace(b"sendrecv", b"sendonly")
MOVED = OFFER.replace(b"c=IN IP4 127.0.0.1", b"c=IN IP4 127.0.0.2").replace(b"21900", b"21902")
"""As an Asterisk that takes itself out of the media sends it: direct_media is its default."""


def session(response: Response) -> sdp.Media:
    """The audio line of an answer."""
    return sdp.parse(response.body).media[0]


def test_rings_and_answers_at_once(peer: Peer, handset: Handset) -> None:
    """180, then 200 with our description, both with one tag, our Contact and our name."""
    peer.invite()
    ringing = peer.response(180)
    call = handset.call()
    assert call.call_id == "call-1"
    assert call.caller == Caller("1003", "Caller")
    call.answer()
    ok = peer.response(200)
    assert tag_of(ok) == tag_of(ringing) != ""
    assert ok.addresses("Contact")[0].uri.port == handset.phone.local_port
    assert ok.headers.first("Server") == f"softagent/{__version__}"
    media = call.media
    assert (media.codec, media.payload_type, media.event_payload_type) == ("PCMU", 0, 101)
    assert (media.remote_host, media.remote_port) == ("127.0.0.1", 21900)
    line = session(ok)
    assert (line.host, line.port) == (media.local_host, media.local_port)
    assert line.direction is Direction.SENDRECV


@pytest.mark.parametrize("host", [b"0.0.0.0", b"pbx.example"])
def test_offer_without_an_address(peer: Peer, handset: Handset, host: bytes) -> None:
    """A call that is offered on hold, or by name: its sound goes where the INVITE came from."""
    peer.invite(body=OFFER.replace(b"127.0.0.1", host))
    media = handset.call().media
    assert (media.remote_host, media.remote_port) == ("127.0.0.1", 21900)


def test_caller_hangs_up(peer: Peer, handset: Handset) -> None:
    """BYE is answered, its copies too, and the end is told once."""
    _, tag = answered(peer, handset)
    bye = peer.ask("BYE", to_tag=tag, sequence=2)
    first = peer.response(200, "BYE")
    assert handset.end() is CallEnd.CALLER_HUNG_UP
    peer.send(bye)
    assert peer.response(200, "BYE") == first
    peer.until_fence()
    assert handset.ends.empty()


def test_agent_hangs_up(peer: Peer, handset: Handset) -> None:
    """BYE with the dialog's tags, repeated until it is answered."""
    call, tag = answered(peer, handset)
    peer.until_fence()
    call.hang_up()
    assert handset.end() is CallEnd.AGENT_HUNG_UP
    bye, copy = peer.request("BYE"), peer.request("BYE")
    assert copy == bye
    assert bye.uri == f"sip:1003@{peer.sent_by}"
    assert (bye.sender.tag, bye.recipient.tag) == (tag, "peer")
    peer.reply(bye, 200)
    call.hang_up()
    assert [m for m in peer.until_fence() if isinstance(m, Request) and m != bye] == []


def test_bye_waits_for_the_ack(peer: Peer, handset: Handset) -> None:
    """Who hangs up before the ACK has come ends the call after it (RFC 3261 section 15)."""
    peer.invite()
    call = handset.call()
    call.answer()
    call.hang_up()
    assert handset.end() is CallEnd.AGENT_HUNG_UP
    tag = tag_of(peer.response(200))
    assert all(isinstance(message, Response) for message in peer.until_fence())
    peer.ask("ACK", to_tag=tag)
    peer.reply(peer.request("BYE"), 200)


def test_bye_is_repeated_with_credentials(peer: Peer, handset: Handset) -> None:
    """A PBX may challenge a BYE too."""
    call, _ = answered(peer, handset)
    peer.until_fence()
    call.hang_up()
    first = peer.request("BYE")
    peer.reply(first, 407, 'Proxy-Authenticate: Digest realm="pbx", nonce="n"\r\n')
    second = peer.expect(
        lambda m: isinstance(m, Request) and m.headers.first("Proxy-Authorization") is not None
    )
    assert isinstance(second, Request)
    assert second.cseq.number == first.cseq.number + 1
    peer.reply(second, 200)


def test_bye_takes_the_recorded_route(peer: Peer, handset: Handset) -> None:
    """The 200 copies Record-Route and the BYE follows it: to the proxy, not to the Contact."""
    route = f"<sip:127.0.0.1:{peer.port};lr>"
    fields = f"Record-Route: {route}\r\n"
    peer.invite(headers=fields, sent_by="127.0.0.1:9")
    call = handset.call()
    call.answer()
    ok = peer.response(200)
    assert ok.headers.values("Record-Route") == (route,)
    peer.ask("ACK", to_tag=tag_of(ok))
    peer.until_fence()
    call.hang_up()
    bye = peer.request("BYE")
    assert bye.headers.values("Route") == (route,)
    assert bye.uri == "sip:1003@127.0.0.1:9"


def test_ok_is_repeated_until_the_ack(peer: Peer, handset: Handset) -> None:
    """The 200 comes again and again until the caller has confirmed it."""
    peer.invite()
    handset.call().answer()
    first = peer.response(200)
    assert peer.response(200) == first
    assert peer.response(200) == first
    peer.ask("ACK", to_tag=tag_of(first))
    peer.until_fence()
    with pytest.raises(TimeoutError):
        peer.receive(0.2)


def test_a_call_that_nobody_can_take(peer: Peer) -> None:
    """There may be no thread for it: the caller is told, and the next one isn't told busy."""
    handset, failures = Handset(peer), [RuntimeError("can't start new thread")]
    ring = handset.ring

    def fail_once(call: IncomingCall) -> None:
        if failures:
            raise failures.pop()
        ring(call)

    handset.ring = fail_once  # type: ignore[method-assign]
    handset.start()
    peer.register()
    peer.invite()
    peer.response(480)
    peer.invite(call="call-2")
    assert handset.call().call_id == "call-2"
    handset.phone.stop(timeout_seconds=0.0)


def test_an_answer_that_takes_its_time_is_repeated_too(peer: Peer, handset: Handset) -> None:
    """The signalling thread sleeps by then, and has to be told of the answer's timer."""
    peer.invite()
    call = handset.call()
    peer.response(180)
    with pytest.raises(TimeoutError):  # nothing to do: it sleeps
        peer.receive(0.05)
    call.answer()
    first = peer.response(200)
    assert peer.response(200) == first


def test_call_that_is_never_acknowledged(peer: Peer, handset: Handset) -> None:
    """After 64 * T1 it is ended with BYE."""
    peer.invite()
    handset.call().answer()
    peer.reply(peer.request("BYE"), 200)
    assert handset.end() is CallEnd.NOT_ACKNOWLEDGED


def test_repeated_invite_rings_once(peer: Peer, handset: Handset) -> None:
    """A copy gets the last response again, in any state of the call."""
    invite = peer.invite()
    ringing = peer.response(180)
    peer.send(invite)
    assert peer.response(180) == ringing
    call = handset.call()
    call.answer()
    ok = peer.response(200)
    peer.ask("ACK", to_tag=tag_of(ok))
    peer.send(invite)
    assert peer.response(200) == ok
    peer.until_fence()
    assert handset.calls.empty()


def test_cancel(peer: Peer, handset: Handset) -> None:
    """200 to the CANCEL, 487 to the INVITE, and no answer afterwards."""
    peer.invite(branch="z9hG4bKcancelled")
    ringing = peer.response(180)
    call = handset.call()
    peer.ask("CANCEL", branch="z9hG4bKcancelled")
    assert tag_of(peer.response(200, "CANCEL")) == tag_of(ringing)
    assert tag_of(peer.response(487)) == tag_of(ringing)
    peer.ask("ACK", branch="z9hG4bKcancelled", to_tag=tag_of(ringing))
    assert handset.end() is CallEnd.CANCELLED
    call.answer()
    call.hang_up()
    assert 200 not in statuses(peer.until_fence())


def test_cancel_that_comes_too_late(peer: Peer, handset: Handset) -> None:
    """After the answer a CANCEL is confirmed and changes nothing (section 9.2)."""
    peer.invite(branch="z9hG4bKlate")
    handset.call().answer()
    tag = tag_of(peer.response(200))
    peer.ask("CANCEL", branch="z9hG4bKlate")
    peer.response(200, "CANCEL")
    peer.ask("ACK", to_tag=tag)
    assert 487 not in statuses(peer.until_fence())
    assert handset.ends.empty()


def test_cancel_of_nothing(peer: Peer, handset: Handset) -> None:
    """481: there is no such INVITE."""
    peer.ask("CANCEL")
    peer.response(481, "CANCEL")


def test_second_caller_is_told_busy(peer: Peer, handset: Handset) -> None:
    """One call at a time; the next one after it is welcome."""
    _, tag = answered(peer, handset)
    peer.invite(call="call-2", branch="z9hG4bKsecond")
    busy = peer.response(486)
    peer.ask("ACK", branch="z9hG4bKsecond", call="call-2", to_tag=tag_of(busy))
    peer.ask("OPTIONS", call="ping")
    peer.response(486, "OPTIONS")
    peer.ask("BYE", to_tag=tag, sequence=2)
    peer.response(200, "BYE")
    peer.invite(call="call-3")
    assert handset.call().call_id == "call-3"


def test_rejects(peer: Peer, handset: Handset) -> None:
    """A refusal is repeated until its ACK."""
    peer.invite(branch="z9hG4bKrefused")
    handset.call().reject(603)
    first = peer.response(603)
    assert peer.response(603) == first
    peer.ask("ACK", branch="z9hG4bKrefused", to_tag=tag_of(first))
    assert handset.end() is CallEnd.AGENT_HUNG_UP


def test_hold_and_resume(peer: Peer, handset: Handset) -> None:
    """sendonly is answered recvonly, on the same port with the same codec; nothing rings again."""
    call, tag = answered(peer, handset)
    media = call.media
    versions = []
    for sequence, (offer, ours) in enumerate(
        [(HELD, Direction.RECVONLY), (OFFER, Direction.SENDRECV), (OFFER, Direction.SENDRECV)], 2
    ):
        peer.invite(to_tag=tag, sequence=sequence, body=offer)
        ok = peer.expect(
            lambda m, wanted=sequence: isinstance(m, Response) and m.cseq.number == wanted
        )
        assert isinstance(ok, Response)
        peer.ask("ACK", to_tag=tag, sequence=sequence)
        line = session(ok)
        assert (line.direction, line.port) == (ours, media.local_port)
        versions.append(int(ok.body.split(b"\r\n")[1].split()[2]))
    assert versions == [2, 3, 3]
    assert handset.moved() == replace(media, direction=Direction.RECVONLY)
    assert handset.moved() == media == call.media
    assert handset.calls.empty()
    assert handset.ends.empty()
    assert handset.moves.empty()


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_media_moves(peer: Peer, handset: Handset, method: str) -> None:
    """A new address in an offer within the call is told once, with all else as it was."""
    call, tag = answered(peer, handset)
    before = call.media
    for sequence in (2, 3):
        peer.ask(method, to_tag=tag, sequence=sequence, body=MOVED)
        peer.expect(lambda m, number=sequence: m.cseq.number == number)  # type: ignore[misc]
        peer.ask("ACK", to_tag=tag, sequence=sequence)
    moved = handset.moved()
    assert moved == replace(before, remote_host="127.0.0.2", remote_port=21902) == call.media
    peer.until_fence()
    assert handset.moves.empty()


def test_media_moves_with_the_ack(peer: Peer, handset: Handset) -> None:
    """An empty re-INVITE is answered with our offer; the answer to that comes in the ACK."""
    _, tag = answered(peer, handset)
    peer.invite(to_tag=tag, sequence=2, body=b"")
    peer.expect(lambda m: m.cseq.number == 2)
    peer.ask("ACK", to_tag=tag, sequence=2, body=MOVED)
    assert handset.moved().remote_host == "127.0.0.2"


@pytest.mark.parametrize(
    "body",
    [
        MOVED.replace(b"RTP/AVP 0 8", b"RTP/AVP 18"),
        b"m=audio",
    ],
)
@pytest.mark.parametrize("method", ["INVITE", "UPDATE", "ACK"])
def test_media_that_stays(peer: Peer, handset: Handset, method: str, body: bytes) -> None:
    """What can't be used leaves the call as it was (section 14.1)."""
    call, tag = answered(peer, handset)
    before = call.media
    if method == "ACK":
        peer.invite(to_tag=tag, sequence=2, body=b"")
    peer.ask(method, to_tag=tag, sequence=2, body=body)
    peer.until_fence()
    assert handset.moves.empty()
    assert call.media == before


def test_update_refreshes_the_session(peer: Peer, handset: Handset) -> None:
    """Without an offer there is none in the answer (RFC 3311), with one there is."""
    _, tag = answered(peer, handset)
    peer.ask("UPDATE", to_tag=tag, sequence=2)
    assert peer.response(200, "UPDATE").body == b""
    peer.ask("UPDATE", to_tag=tag, sequence=3, body=HELD)
    assert session(peer.response(200, "UPDATE")).direction is Direction.RECVONLY


def test_update_before_the_answer(peer: Peer, handset: Handset) -> None:
    """An offer has to wait until the first one is answered (RFC 3311 section 5.2)."""
    peer.invite()
    tag, call = tag_of(peer.response(180)), handset.call()
    before = call.media
    peer.ask("UPDATE", to_tag=tag, sequence=2, body=MOVED)
    assert peer.response(500, "UPDATE").headers.first("Retry-After") == "1"
    assert call.media == before


def test_empty_reinvite_gets_our_offer(peer: Peer, handset: Handset) -> None:
    """A re-INVITE without a description asks for ours."""
    call, tag = answered(peer, handset)
    peer.until_fence()
    peer.invite(to_tag=tag, sequence=2, body=b"")
    assert session(peer.response(200)).port == call.media.local_port


def test_reinvite_with_another_codec_leaves_the_call(peer: Peer, handset: Handset) -> None:
    """488, and the call goes on as it was (section 14.2)."""
    _, tag = answered(peer, handset)
    other = OFFER.replace(b"RTP/AVP 0 8 101", b"RTP/AVP 18")
    peer.invite(to_tag=tag, sequence=2, body=other)
    peer.response(488)
    peer.ask("INFO", to_tag=tag, sequence=3)
    peer.response(200, "INFO")
    assert handset.ends.empty()


@pytest.mark.parametrize("method", ["INFO", "NOTIFY", "MESSAGE", "OPTIONS"])
def test_requests_within_the_call(peer: Peer, handset: Handset, method: str) -> None:
    """All are confirmed; one out of order is refused (section 12.2.2)."""
    _, tag = answered(peer, handset)
    peer.ask(method, to_tag=tag, sequence=9)
    peer.response(200, method)
    if method != "OPTIONS":
        peer.ask(method, to_tag=tag, sequence=8)
        peer.response(500, method)


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("OPTIONS", 200),
        ("NOTIFY", 200),
        ("MESSAGE", 200),
        ("SUBSCRIBE", 405),
        ("FOO", 501),
        ("BYE", 481),
        ("UPDATE", 481),
    ],
)
def test_requests_without_a_call(peer: Peer, handset: Handset, method: str, status: int) -> None:
    """Each gets an answer."""
    peer.ask(method)
    response = peer.response(status, method)
    if method in ("OPTIONS", "FOO"):
        assert "INVITE" in response.headers.values("Allow")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"body": OFFER.replace(b"0 8 101", b"3 18")}, 488),
        ({"body": OFFER.replace(b"RTP/AVP", b"RTP/SAVP")}, 488),
        ({"body": OFFER.replace(b"IP4 127.0.0.1", b"IP6 ::1")}, 488),
        ({"body": b"m=audio"}, 400),
        ({"headers": "Require: x-magic\r\n"}, 420),
        ({"headers": "Record-Route: <proxy>\r\n"}, 400),
        ({"headers": "Content-Type: text/plain\r\n"}, 415),
        ({"to_tag": "unknown"}, 481),
    ],
)
def test_invites_that_are_refused(
    peer: Peer, handset: Handset, changes: dict[str, object], status: int
) -> None:
    """No ring, one clear status."""
    peer.invite(**changes)
    assert statuses([peer.receive()]) == [status]
    assert handset.calls.empty()


def test_merged_invite(peer: Peer, handset: Handset) -> None:
    """The same call by another way is a loop (section 8.2.2.2)."""
    peer.invite()
    peer.response(180)
    peer.invite()
    peer.response(482)


def test_compact_form_rings(peer: Peer, handset: Handset) -> None:
    """Short header names and no spaces."""
    long = [b"Via: ", b"From: ", b"To: ", b"Call-ID: ", b"Contact: ", b"Content-Type: "]
    data = peer.invite()
    peer.response(180)
    assert handset.call().call_id == "call-1"
    data = data.replace(b"call-1", b"call-2").replace(b"z9hG4bKpeer", b"z9hG4bKshort")
    for name, short in zip(long, b"vftimc", strict=True):
        data = data.replace(name, bytes([short]) + b":")
    peer.send(data)
    peer.response(486)


@pytest.mark.parametrize(
    "junk", [b"", b"\r\n\r\n", b"\0", b"\0\0\0\0", b"\xff" * 2000, b"INVITE sip:a SIP/2.0\r\n\r\n"]
)
def test_junk_does_no_harm(peer: Peer, handset: Handset, junk: bytes) -> None:
    """Nothing is answered, and the call goes on."""
    _, tag = answered(peer, handset)
    peer.send(junk)
    peer.ask("INFO", to_tag=tag, sequence=2)
    peer.response(200, "INFO")


def test_rtp_ports_come_back(peer: Peer, handset: Handset) -> None:
    """Twelve calls with room for ten: each one's port is free, even and given back."""
    for number in range(12):
        call, tag = answered(peer, handset, call=f"call-{number}", from_tag=f"t{number}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
            stream.bind((call.media.local_host, call.media.local_port))
        assert call.media.local_port % 2 == 0
        peer.ask("BYE", call=f"call-{number}", from_tag=f"t{number}", to_tag=tag, sequence=2)
        peer.response(200, "BYE")


def test_no_rtp_port_left(peer: Peer) -> None:
    """503 with the time to try again, and a later call finds the port again."""
    handset = Handset(peer, rtp_ports=PortRange(21830, 21831))
    handset.start()
    peer.register()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 21830))
        peer.invite()
        assert peer.response(503).headers.first("Retry-After") == "5"
    peer.invite(call="call-2")
    assert handset.call().media.local_port == 21830
    handset.phone.stop(timeout_seconds=0.0)


def test_end_is_told_to_late_listeners(peer: Peer, handset: Handset) -> None:
    """Who asks after the end hears at once."""
    call, tag = answered(peer, handset)
    peer.ask("BYE", to_tag=tag, sequence=2)
    assert handset.end() is CallEnd.CALLER_HUNG_UP
    heard: list[CallEnd] = []
    call.on_end(heard.append)
    assert heard == [CallEnd.CALLER_HUNG_UP]


def test_callbacks_may_call_back(peer: Peer, handset: Handset) -> None:
    """Answering from within the ring, and ending from within the end, on the signalling thread."""
    threads: list[str] = []

    def ring(call: IncomingCall) -> None:
        threads.append(threading.current_thread().name)
        call.on_end(lambda end: call.hang_up())
        call.on_end(handset.ends.put)
        call.answer()

    handset.phone._on_call = ring
    peer.invite()
    tag = tag_of(peer.response(200))
    peer.ask("ACK", to_tag=tag)
    peer.ask("BYE", to_tag=tag, sequence=2)
    assert handset.end() is CallEnd.CALLER_HUNG_UP
    assert threads == ["sip-test"]


def test_stop_ends_everything(peer: Peer) -> None:
    """BYE, a REGISTER with Expires: 0, no thread left."""
    handset = Handset(peer)
    handset.start()
    peer.register()
    answered(peer, handset)
    peer.until_fence()
    stopping = threading.Thread(
        target=handset.phone.stop, kwargs={"timeout_seconds": PATIENCE_SECONDS}
    )
    stopping.start()
    bye, removal = peer.next_request(), peer.next_request()
    assert (bye.method, removal.method) == ("BYE", "REGISTER")
    assert removal.headers.first("Expires") == "0"
    peer.reply(bye, 200)
    peer.reply(removal, 200)
    stopping.join(PATIENCE_SECONDS)
    assert not stopping.is_alive()
    assert handset.end() is CallEnd.AGENT_HUNG_UP
    assert handset.phone.registration.state is RegistrationState.UNREGISTERED
    assert "sip-test" not in {thread.name for thread in threading.enumerate()}


def test_stop_without_an_answer_keeps_to_its_time(peer: Peer) -> None:
    """A dead PBX doesn't hold up the end; the threads are gone all the same."""
    handset = Handset(peer)
    handset.start()
    peer.register()
    handset.phone.stop(timeout_seconds=0.05)
    assert "sip-test" not in {thread.name for thread in threading.enumerate()}


def test_stop_without_start(peer: Peer) -> None:
    """Nothing to end."""
    Handset(peer).phone.stop()


def test_registers_again_after_an_outage(peer: Peer) -> None:
    """Any number of unanswered REGISTERs, each failure told, until the PBX is back."""
    handset = Handset(peer)
    handset.start()
    assert handset.registration().state is RegistrationState.REGISTERING
    failed = handset.registration()
    assert failed.state is RegistrationState.FAILED
    assert failed.reason == f"no answer from 127.0.0.1:{peer.port}"
    attempts = {peer.next_request().cseq.number for _ in range(12)}
    assert len(attempts) > 3
    peer.register()
    while handset.registration().state is not RegistrationState.REGISTERED:
        pass
    handset.phone.stop(timeout_seconds=0.0)


def test_wrong_password(peer: Peer) -> None:
    """Two challenges in a row: refused, with the registrar's words."""
    handset = Handset(peer)
    handset.start()
    for nonce in "ab":
        challenge = f'WWW-Authenticate: Digest realm="pbx", nonce="{nonce}"\r\n'
        peer.reply(peer.next_request(), 401, challenge)
    assert handset.registration().state is RegistrationState.REGISTERING
    refused = handset.registration()
    assert (refused.state, refused.is_refused) == (RegistrationState.FAILED, True)
    assert refused.reason == "401 Scripted"
    handset.phone.stop(timeout_seconds=0.0)


def test_registrar_that_can_not_be_found(peer: Peer) -> None:
    """The name is in the reason; it is looked up again and again."""
    handset = Handset(peer, registrar="no-such-host.invalid")
    handset.start()
    failed = handset.registration()
    assert failed.state is RegistrationState.FAILED
    assert '"no-such-host.invalid" can\'t be resolved' in failed.reason
    handset.phone.stop(timeout_seconds=0.0)


def test_registrar_by_name(peer: Peer) -> None:
    """A host name is resolved, and stays the domain of our address."""
    handset = Handset(peer, registrar="localhost")
    handset.start()
    assert peer.register().need("To") == "<sip:1000@localhost>"
    handset.phone.stop(timeout_seconds=0.0)


def test_local_port_in_use(peer: Peer) -> None:
    """The message names account and port."""
    handset = Handset(peer, local_port=peer.port)
    with pytest.raises(PortInUse, match=f'account "test": local_port {peer.port}: '):
        handset.start()


def test_local_address_that_is_not_ours_yet(peer: Peer) -> None:
    """A box may start before its network: the supervisor tries that again."""
    with pytest.raises(PortInUse, match=r'local_address "192\.0\.2\.1"') as problem:
        Handset(peer, local_address="192.0.2.1").start()
    assert problem.value.exit_code not in FATAL_EXIT_CODES


def test_log_lines_are_pairs(
    peer: Peer, handset: Handset, caplog: pytest.LogCaptureFixture
) -> None:
    """Each names its event, the account once, and the call where there is one."""
    with caplog.at_level("DEBUG", logger="softagent.sip"):
        call, tag = answered(peer, handset)
        peer.ask("UPDATE", to_tag=tag, sequence=2, body=MOVED)
        peer.invite(call="call-2", headers="Record-Route: <proxy>\r\n")
        peer.send(b"junk")
        peer.until_fence()
        call.hang_up()
        peer.request("BYE")
    entries = [json.loads(JsonFormatter("test").format(record)) for record in caplog.records]
    # Telephones of other tests, which outlive them, log here too.
    pairs = [entry for entry in entries if not entry["account"].startswith("extension-")]
    assert {(entry["account"], "message" in entry) for entry in pairs} == {("test", False)}
    calls = [entry for entry in pairs if entry["event"].startswith(("call-", "media-"))]
    assert [(entry["event"], entry["call"]) for entry in calls] == [
        ("call-ringing", "call-1"),
        ("media-changed", "call-1"),
        ("call-over", "call-1"),
    ]
    for record in caplog.records:
        assert LineFormatter("test").format(record).count("account=") == 1


def test_password_stays_out_of_the_log(
    peer: Peer, handset: Handset, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even at DEBUG."""
    with caplog.at_level("DEBUG", logger="softagent.sip"):
        answered(peer, handset)
        peer.until_fence()
    assert caplog.records
    assert "letmein" not in caplog.text
