"""Offers and answers of a call over real sockets (RFC 3264, RFC 3311, RFC 4568, RFC 6337)."""

from __future__ import annotations

import base64
import socket
from dataclasses import replace

import pytest
from conftest import Handset, answered
from peer import Peer, statuses, tag_of
from wire import OFFER

from softagent.media.description import Direction
from softagent.sip import sdp
from softagent.sip.message import Request, Response
from softagent.sip.phone import CallEnd

KEYS = [base64.b64encode(bytes([n]) * 30).decode() for n in range(2)]


def line_of(message: Request | Response) -> sdp.Media:
    """The first line of a description that isn't refused."""
    return next(media for media in sdp.parse(message.body).media if media.port)


def offer(*lines: str, audio: str = "m=audio 21900 RTP/AVP 0 8 101") -> bytes:
    """An offer with more lines."""
    head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    return "\r\n".join((head + audio, "a=rtpmap:101 telephone-event/8000", *lines, "")).encode()


def crypto(number: int, tag: int = 1, suite: str = "AES_CM_128_HMAC_SHA1_80") -> str:
    return f"a=crypto:{tag} {suite} inline:{KEYS[number]}|2^31"


def encrypted(number: int, protocol: str = "RTP/SAVP") -> bytes:
    return offer(crypto(number), audio=f"m=audio 21900 {protocol} 0 101")


@pytest.fixture
def secure(peer: Peer) -> Handset:
    """A telephone that wants encryption where it can be had."""
    return started(peer, srtp="preferred")


def started(peer: Peer, **changes: object) -> Handset:
    handset = Handset(peer, **changes)
    handset.start()
    peer.register()
    return handset


def again(peer: Peer, tag: str, sequence: int, body: bytes, method: str = "INVITE") -> Response:
    """What a further offer gets, confirmed."""
    peer.ask(method, to_tag=tag, sequence=sequence, body=body)
    found = peer.expect(lambda m: isinstance(m, Response) and m.cseq.number == sequence)
    assert isinstance(found, Response)
    if method == "INVITE":
        peer.ask("ACK", to_tag=tag, sequence=sequence)
    return found


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize(
    ("change", "ours"),
    [
        ((b"sendrecv", b"sendonly"), Direction.RECVONLY),
        ((b"sendrecv", b"recvonly"), Direction.SENDONLY),
        ((b"sendrecv", b"inactive"), Direction.INACTIVE),
        ((b"c=IN IP4 127.0.0.1", b"c=IN IP4 0.0.0.0"), Direction.RECVONLY),
    ],
)
def test_hold_and_resume(
    peer: Peer, handset: Handset, method: str, change: tuple[bytes, bytes], ours: Direction
) -> None:
    """Every way of holding is answered with its mirror image and told; so is the resume."""
    call, tag = answered(peer, handset)
    media = call.media
    held = again(peer, tag, 2, OFFER.replace(*change), method)
    assert line_of(held).direction is ours
    assert handset.moved() == replace(media, direction=ours)
    resumed = again(peer, tag, 3, OFFER, method)
    assert line_of(resumed).direction is Direction.SENDRECV
    assert handset.moved() == media == call.media


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_codec_changes(peer: Peer, handset: Handset, method: str) -> None:
    """To any of ours that is offered, and back."""
    call, tag = answered(peer, handset)
    wide = offer(audio="m=audio 21900 RTP/AVP 9 101")
    assert line_of(again(peer, tag, 2, wide, method)).tokens == ("9", "101")
    assert (handset.moved().codec, call.media.payload_type) == ("G722", 9)
    again(peer, tag, 3, offer(audio="m=audio 21900 RTP/AVP 8"), method)
    media = handset.moved()
    assert (media.codec, media.event_payload_type) == ("PCMA", None)


def test_refused_reinvite_leaves_all_as_it_was(peer: Peer, handset: Handset) -> None:
    """488 with what is wrong; neither media nor version nor target have changed (RFC 3261 section 14.1)."""
    call, tag = answered(peer, handset)
    before = call.media
    peer.invite(
        to_tag=tag,
        sequence=2,
        body=offer(audio="m=audio 21900 RTP/AVP 18"),
        sent_by="127.0.0.1:9",
        branch="z9hG4bKwrong",
    )
    refused = peer.response(488)
    assert refused.headers.first("Warning") == '305 softagent "Incompatible media format"'
    peer.ask("ACK", to_tag=tag, sequence=2, branch="z9hG4bKwrong", sent_by="127.0.0.1:9")
    assert b" 1 IN IP4" in again(peer, tag, 3, OFFER).body.split(b"\r\n")[1]
    assert (call.media, handset.moves.empty()) == (before, True)
    peer.until_fence()
    call.hang_up()
    assert peer.request("BYE").uri == f"sip:1003@{peer.sent_by}"


def test_second_reinvite_before_the_first_one_s_ack(peer: Peer, handset: Handset) -> None:
    """The ACK may be late: the offer is answered all the same (RFC 5407 section 3.1.4)."""
    peer.invite()
    handset.call().answer()
    tag = tag_of(peer.response(200))
    peer.invite(to_tag=tag, sequence=2, body=OFFER.replace(b"sendrecv", b"sendonly"))
    held = peer.expect(lambda m: m.cseq.number == 2)
    assert line_of(held).direction is Direction.RECVONLY
    for sequence in (1, 2):
        peer.ask("ACK", to_tag=tag, sequence=sequence)
    peer.until_fence()
    with pytest.raises(TimeoutError):
        peer.receive(0.3)
    assert handset.ends.empty()


def test_reinvite_before_the_answer(peer: Peer, handset: Handset) -> None:
    """500 with Retry-After while the first INVITE is undecided (RFC 3261 section 14.2)."""
    peer.invite()
    tag = tag_of(peer.response(180))
    peer.invite(to_tag=tag, sequence=2)
    assert peer.response(500).headers.first("Retry-After") == "1"
    assert handset.ends.empty()


def test_delayed_offer(peer: Peer, handset: Handset) -> None:
    """INVITE without a description: ours is in the 200, with all codecs; the answer in the ACK tells the media."""
    peer.invite(body=b"")
    call = handset.call()
    early = call.media
    assert (early.codec, early.remote_port, early.trusted_hosts) == ("G722", 0, {"127.0.0.1"})
    call.answer()
    ok = peer.response(200)
    assert line_of(ok).tokens == ("9", "0", "8", "101")
    assert line_of(ok).port == early.local_port
    peer.ask("ACK", to_tag=tag_of(ok), body=offer(audio="m=audio 21900 RTP/AVP 8 101"))
    media = handset.moved()
    assert (media.codec, media.remote_host, media.remote_port) == ("PCMA", "127.0.0.1", 21900)
    assert media == call.media


@pytest.mark.parametrize("body", [b"", offer(audio="m=audio 21900 RTP/AVP 18"), b"junk"])
def test_delayed_offer_without_a_usable_answer(peer: Peer, handset: Handset, body: bytes) -> None:
    """There is nothing to talk with: BYE."""
    peer.invite(body=b"")
    handset.call().answer()
    peer.ask("ACK", to_tag=tag_of(peer.response(200)), body=body)
    peer.request("BYE")
    assert handset.end() is CallEnd.FAILED


def test_offers_wait_for_a_delayed_answer(peer: Peer, handset: Handset) -> None:
    """491 to whatever comes while our own offer is in the air (RFC 3264 section 4, RFC 5407 section 3.1.4)."""
    peer.invite(body=b"")
    handset.call().answer()
    tag = tag_of(peer.response(200))
    peer.invite(to_tag=tag, sequence=2, branch="z9hG4bKearly")
    peer.response(491)
    peer.ask("ACK", to_tag=tag, sequence=2, branch="z9hG4bKearly")
    peer.ask("UPDATE", to_tag=tag, sequence=3, body=OFFER)
    peer.response(491, "UPDATE")
    peer.ask("ACK", to_tag=tag, sequence=1, body=OFFER)
    assert handset.moved().remote_port == 21900
    assert again(peer, tag, 4, OFFER).status == 200


def test_offer_against_our_own(peer: Peer, handset: Handset) -> None:
    """Glare: our hold is out, theirs gets 491, and ours goes through."""
    call, tag = answered(peer, handset)
    peer.until_fence()
    call.hold(lambda result: None)
    ours = peer.request("INVITE")
    peer.invite(to_tag=tag, sequence=2, branch="z9hG4bKglare")
    peer.response(491)
    peer.ask("ACK", to_tag=tag, sequence=2, branch="z9hG4bKglare")
    peer.reply(ours, 200, f"Contact: <sip:1003@{peer.sent_by}>\r\n", OFFER)
    assert handset.moved().direction is Direction.SENDONLY


def test_several_lines(peer: Peer, handset: Handset) -> None:
    """Video, a second audio line and a fax are refused in their places; BUNDLE, ICE and DTLS are ignored."""
    body = offer(
        *("a=mid:0", "a=ice-ufrag:x", "a=fingerprint:sha-256 AA", "a=setup:actpass"),
        *("m=audio 21910 RTP/AVP 0", "m=image 21912 udptl t38", "m=video 21914 RTP/AVP 31"),
    ).replace(b"t=0 0", b"t=0 0\r\na=group:BUNDLE 0")
    peer.invite(body=body)
    handset.call().answer()
    ok = peer.response(200)
    lines = sdp.parse(ok.body).media
    assert [(media.kind, bool(media.port)) for media in lines] == [
        *(("audio", True), ("audio", False), ("image", False), ("video", False)),
    ]
    assert b"BUNDLE" not in ok.body


def test_what_reaches_the_media(peer: Peer, handset: Handset) -> None:
    """Packet time, comfort noise, RTCP's ways, and whom to trust."""
    body = offer(
        *("a=ptime:40", "a=rtcp-mux", "a=rtcp:21999"), audio="m=audio 21900 RTP/AVP 8 13 101"
    )
    peer.invite(body=body)
    call = handset.call()
    call.answer()
    media = call.media
    assert (media.ptime_ms, media.noise_payload_type) == (40, 13)
    assert (media.rtcp_mux, media.remote_rtcp_port) == (True, 21999)
    assert media.trusted_hosts == {"127.0.0.1"}
    line = line_of(peer.response(200))
    assert (line.tokens, line.ptime_ms, line.rtcp_mux) == (("8", "13", "101"), 40, True)


@pytest.mark.parametrize(
    ("body", "status", "warning"),
    [
        (offer(audio="m=audio 21900 RTP/AVP 3 18"), 488, "305"),
        (offer(audio="m=video 21900 RTP/AVP 31"), 488, "304"),
        (offer(audio="m=audio 21900 UDP/TLS/RTP/SAVPF 0"), 488, "302"),
        (encrypted(0), 488, "302"),
        (OFFER.replace(b"IP4 127.0.0.1", b"IP6 ::1"), 488, "301"),
        (b"v=0\r\n", 488, "304"),
        (b"m=audio", 400, ""),
        (b"junk", 400, ""),
    ],
)
def test_offers_that_are_refused(
    peer: Peer, handset: Handset, body: bytes, status: int, warning: str
) -> None:
    """488 with a Warning for what nothing can come of, 400 for what can't be read."""
    peer.invite(body=body)
    refused = peer.response(status)
    assert (refused.headers.first("Warning") or "")[:3] == warning
    assert handset.calls.empty()


MIXED = "multipart/mixed;boundary=xx"


def test_description_among_other_parts(peer: Peer, handset: Handset) -> None:
    """multipart/mixed with ISUP or a location beside SDP (RFC 5621)."""
    isup = b"--xx\r\nContent-Type: application/isup\r\n\r\n\x01\x02\r\n"
    described = b"--xx\r\nContent-Type: application/sdp\r\n\r\n" + OFFER + b"\r\n--xx--\r\n"
    peer.invite(kind=MIXED, body=isup + described)
    assert handset.call().media.remote_port == 21900
    peer.response(180)
    peer.invite(call="call-2", kind=MIXED, body=isup + b"--xx--\r\n")
    assert peer.response(415).headers.first("Accept") == "application/sdp"


def test_encrypted_call(peer: Peer, secure: Handset, caplog: pytest.LogCaptureFixture) -> None:
    """RTP/SAVP is answered with the tag and a key of our own; over UDP anybody can read that, and the log says so."""
    peer.invite(body=encrypted(0))
    call = secure.call()
    call.answer()
    line = line_of(peer.response(200))
    [ours] = line.cryptos
    keys = call.media.srtp
    assert keys is not None
    assert (line.protocol, ours.tag, keys.send) == ("RTP/SAVP", 1, ours.key)
    assert keys.receive == bytes(30)
    secure.phone.stop(timeout_seconds=0.0)
    [warning] = [m for m in caplog.messages if "srtp" in m]
    assert warning == "account=test call=call-1 event=srtp-keys-readable transport=udp"


def test_keys_change_within_the_call(peer: Peer, secure: Handset) -> None:
    """A new one of theirs is told with a new one of ours; the same again changes nothing."""
    call, tag = answered(peer, secure, body=encrypted(0))
    first = call.media.srtp
    again(peer, tag, 2, encrypted(0))
    again(peer, tag, 3, encrypted(1))
    changed = secure.moved().srtp
    assert first is not None
    assert changed is not None
    assert changed.receive == bytes([1]) * 30
    assert changed.send != first.send
    assert secure.moves.empty()
    secure.phone.stop(timeout_seconds=0.0)


@pytest.mark.parametrize(
    ("srtp", "body", "status", "is_encrypted"),
    [
        ("off", encrypted(0), 488, False),
        ("off", encrypted(0, "RTP/AVP"), 180, False),
        ("preferred", OFFER, 180, False),
        ("preferred", encrypted(0, "RTP/AVP"), 180, True),
        ("preferred", offer("m=audio 21902 RTP/SAVP 0", crypto(0)), 180, True),
        ("required", OFFER, 488, False),
        ("required", encrypted(0), 180, True),
        ("required", encrypted(0, "RTP/SAVPF"), 180, True),
        ("required", offer(audio="m=audio 21900 RTP/SAVP 0"), 488, False),
        ("required", encrypted(0).replace(b"|2^31", b"|2^31 UNENCRYPTED_SRTP"), 488, False),
        ("required", encrypted(0).replace(b"|2^31", b"|1:4"), 488, False),
    ],
)
def test_policies(peer: Peer, srtp: str, body: bytes, status: int, is_encrypted: bool) -> None:
    """off, preferred and required, with each kind of offer."""
    handset = started(peer, srtp=srtp)
    peer.invite(body=body)
    assert statuses([peer.receive()]) == [status]
    if status == 180:
        assert (handset.call().media.srtp is not None) is is_encrypted
    handset.phone.stop(timeout_seconds=0.0)


@pytest.mark.parametrize(
    ("srtp", "protocol", "keys"),
    [("off", "RTP/AVP", 0), ("preferred", "RTP/AVP", 2), ("required", "RTP/SAVP", 2)],
)
def test_our_own_offers(peer: Peer, srtp: str, protocol: str, keys: int) -> None:
    """They carry keys as the account wants it."""
    handset = started(peer, srtp=srtp)
    peer.invite(body=b"")
    handset.call().answer()
    line = line_of(peer.response(200))
    assert (line.protocol, len(line.cryptos)) == (protocol, keys)
    handset.phone.stop(timeout_seconds=0.0)


def test_sound_over_ipv6() -> None:
    """A telephone that is reached by IPv6 takes IP6 offers and no others."""
    peer = Peer("::1")
    handset = started(peer, registrar="::1")
    peer.invite(body=OFFER.replace(b"IP4 127.0.0.1", b"IP6 ::1"))
    call = handset.call()
    assert (call.media.remote_host, call.media.local_host) == ("::1", "::1")
    call.answer()
    ok = peer.response(200)
    assert line_of(ok).family == "IP6"
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as stream:
        stream.bind(("::1", line_of(ok).port))
    handset.phone.stop(timeout_seconds=0.0)
    peer.close()


def test_ok_to_a_reinvite_is_repeated(peer: Peer, handset: Handset) -> None:
    """Until its own ACK, not the first INVITE's (RFC 3261 section 13.3.1.4)."""
    _, tag = answered(peer, handset)
    peer.invite(to_tag=tag, sequence=2)
    first = peer.expect(lambda m: m.cseq.number == 2)
    peer.ask("ACK", to_tag=tag, sequence=1)
    assert peer.receive() == first
    peer.ask("ACK", to_tag=tag, sequence=2)
    peer.until_fence()
    with pytest.raises(TimeoutError):
        peer.receive(0.3)


def test_ok_to_a_reinvite_is_not_repeated_after_our_bye(peer: Peer, handset: Handset) -> None:
    """Nobody waits for it any more, and its ACK would belong to no call."""
    call, tag = answered(peer, handset)
    peer.invite(to_tag=tag, sequence=2)
    ok = peer.expect(lambda m: m.cseq.number == 2)
    call.hang_up()
    peer.reply(peer.request("BYE"), 200)
    peer.until_fence()
    handset.pass_time(0.1)
    assert ok not in [*peer.until_fence(), *peer.until_fence()]


def test_reinvite_that_is_never_acknowledged(peer: Peer, handset: Handset) -> None:
    """BYE after 64 * T1: the other side doesn't hear us."""
    _, tag = answered(peer, handset)
    peer.invite(to_tag=tag, sequence=2)
    peer.request("BYE")
    assert handset.end() is CallEnd.NOT_ACKNOWLEDGED
