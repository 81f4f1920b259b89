"""Offers and answers of one call, without a network."""

from __future__ import annotations

import base64

import pytest
from wire import OFFER

from softagent.media.description import Direction, MediaDescription
from softagent.sip import sdp
from softagent.sip.agreement import Abilities, Encryption
from softagent.sip.errors import DescriptionError, NotAcceptable
from softagent.sip.negotiation import Negotiation
from softagent.sip.sdes import Crypto
from softagent.sip.sdp import Media

HOST, SOURCE = "10.0.0.9", "192.0.2.7"
KEYS = [base64.b64encode(bytes([n]) * 30).decode() for n in range(3)]


def negotiation(*codecs: str, srtp: Encryption = "off") -> Negotiation:
    """A call's, on port 21000."""
    ours = Negotiation(
        Abilities(codecs or ("PCMU", "PCMA"), srtp=srtp), host=HOST, source_host=SOURCE
    )
    ours.open(21000)
    return ours


def body(*lines: str) -> bytes:
    return "\r\n".join(("v=0", "c=IN IP4 1.1.1.1", *lines)).encode()


def crypto(number: int, suite: str = "AES_CM_128_HMAC_SHA1_80", tag: int = 1) -> str:
    return f"a=crypto:{tag} {suite} inline:{KEYS[number]}|2^31"


def answer(ours: Negotiation, offer: bytes) -> Media:
    """Our audio line in answer to an offer."""
    ours.receive_offer(offer)
    return next(media for media in sdp.parse(ours.answer()).media if media.port)


def version(described: bytes) -> int:
    return int(described.split(b"\r\n")[1].split()[2])


def test_media_are_known_from_the_offer_on() -> None:
    """The RTP stream can be made before the answer goes out."""
    ours = negotiation()
    with pytest.raises(LookupError):
        _ = ours.media
    ours.receive_offer(OFFER)
    assert ours.is_offered
    assert ours.media == MediaDescription(
        codec="PCMU",
        payload_type=0,
        remote_host="127.0.0.1",
        remote_port=21900,
        local_host=HOST,
        local_port=21000,
        event_payload_type=101,
        trusted_hosts=frozenset({SOURCE}),
    )
    before = ours.media
    ours.answer()
    assert (ours.media, ours.is_offered) == (before, False)


def test_answer_has_every_line_in_its_place() -> None:
    """Only one of them with a port (RFC 3264 section 6); a second audio line is refused too."""
    ours = negotiation()
    ours.receive_offer(
        body(
            "t=3 4",
            *("m=video 5000 RTP/AVP 31", "m=audio 4000 RTP/AVP 8 97 13"),
            *("a=rtpmap:97 telephone-event/8000", "a=ptime:30", "a=rtcp-mux", "a=sendonly"),
            *("m=audio 4100 RTP/AVP 0", "m=image 5002 udptl t38"),
        )
    )
    assert ours.answer().decode().splitlines()[3:] == [
        "c=IN IP4 10.0.0.9",
        "t=3 4",
        "m=video 0 RTP/AVP 31",
        "m=audio 21000 RTP/AVP 8 13 97",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:13 CN/8000",
        "a=rtpmap:97 telephone-event/8000",
        "a=fmtp:97 0-15",
        "a=ptime:30",
        "a=rtcp-mux",
        "a=recvonly",
        "m=audio 0 RTP/AVP 0",
        "m=image 0 udptl t38",
    ]


def test_media_of_the_answer() -> None:
    """What they ask for reaches the stream."""
    ours = negotiation("PCMA")
    line = answer(
        ours,
        body(
            *("m=audio 4000 RTP/AVP 8 97 13", "a=rtpmap:97 telephone-event/8000", "a=ptime:30"),
            *("a=rtcp-mux", "a=rtcp:4444", "a=sendonly"),
        ),
    )
    media = ours.media
    assert (media.ptime_ms, media.rtcp_mux, media.remote_rtcp_port) == (30, True, 4444)
    assert (media.event_payload_type, media.noise_payload_type) == (97, 13)
    assert media.direction is Direction.RECVONLY is line.direction
    assert [known.payload_type for known in line.formats] == [8, 13, 97]
    assert (line.ptime_ms, line.rtcp_mux) == (30, True)


def test_version_counts_changes_only() -> None:
    """Same description, same version (RFC 3264 section 8)."""
    ours = negotiation()
    versions = []
    for offer in (OFFER, OFFER, OFFER.replace(b"sendrecv", b"sendonly"), OFFER):
        ours.receive_offer(offer)
        versions.append(version(ours.answer()))
    assert versions == [1, 1, 2, 3]


def test_codec_changes() -> None:
    """To any codec of ours; the number is the offer's."""
    ours = negotiation("G722", "PCMU", "PCMA")
    answer(ours, OFFER)
    line = answer(ours, body("m=audio 4000 RTP/AVP 9 100", "a=rtpmap:100 telephone-event/8000"))
    assert (ours.media.codec, ours.media.payload_type, line.tokens) == ("G722", 9, ("9", "100"))


@pytest.mark.parametrize("offer", [body("m=audio 4000 RTP/AVP 18"), b"junk", b"m=audio"])
def test_refused_offer_changes_nothing(offer: bytes) -> None:
    """Not the media, not the version, and the next one is welcome."""
    ours = negotiation()
    answer(ours, OFFER)
    before = ours.media
    with pytest.raises((DescriptionError, NotAcceptable)):
        ours.receive_offer(offer)
    assert (ours.media, ours.is_offered) == (before, False)
    ours.receive_offer(OFFER)
    assert version(ours.answer()) == 1


def test_our_first_offer() -> None:
    """All codecs in our order, events, and no port to send to until the answer."""
    ours = negotiation("G722", "PCMU", "PCMA")
    ours.expect()
    assert (ours.media.codec, ours.media.remote_port, ours.media.local_port) == ("G722", 0, 21000)
    [line] = sdp.parse(ours.offer()).media
    assert (line.tokens, line.protocol) == (("9", "0", "8", "101"), "RTP/AVP")
    assert ours.is_offering
    ours.receive_answer(body("m=audio 4000 RTP/AVP 8 0 101", "a=rtpmap:101 telephone-event/8000"))
    media = ours.media
    assert (media.codec, media.remote_host, media.remote_port) == ("PCMA", "1.1.1.1", 4000)
    assert (media.event_payload_type, ours.is_offering) == (101, False)


@pytest.mark.parametrize(
    "answered",
    [
        b"",
        body(),
        body("m=audio 0 RTP/AVP 0"),
        body("m=audio 4000 RTP/AVP 18"),
        body("m=audio 4000 RTP/SAVP 0", crypto(0)),
        body("m=video 4000 RTP/AVP 31", "m=audio 4000 RTP/AVP 0"),
    ],
)
def test_answer_that_can_not_be_used(answered: bytes) -> None:
    """The offer is through, the media stay."""
    ours = negotiation()
    answer(ours, OFFER)
    before = ours.media
    ours.offer()
    with pytest.raises((DescriptionError, NotAcceptable)):
        ours.receive_answer(answered)
    ours.withdraw()
    assert (ours.media, ours.is_offering) == (before, False)


def test_later_offers_keep_numbers_and_lines() -> None:
    """What has a number keeps it, what was refused stays so (RFC 3264 sections 8 and 8.3.2)."""
    ours = negotiation()
    offer = body(
        *("m=video 5000 RTP/AVP 31", "m=audio 4000 RTP/AVP 96 97 13"),
        *("a=rtpmap:96 PCMU/8000", "a=rtpmap:97 telephone-event/8000"),
    )
    answer(ours, offer)
    video, line = sdp.parse(ours.offer()).media
    assert (video.port, line.tokens) == (0, ("96", "8", "13", "97"))
    ours.withdraw()
    _, line = sdp.parse(ours.repeat()).media
    assert line.tokens == ("96", "13", "97")


def test_repeat_is_the_same_again() -> None:
    """A refresh changes nothing, not even the version; a refused offer doesn't count."""
    ours = negotiation()
    ours.receive_offer(OFFER)
    said = ours.answer()
    assert ours.repeat() == said
    ours.receive_answer(OFFER)
    assert ours.media.direction is Direction.SENDRECV


def test_hold_from_our_side() -> None:
    """sendonly, kept while they offer again, until we resume (RFC 3264 section 8.4)."""
    ours = negotiation()
    answer(ours, OFFER)
    assert b"a=sendonly" in ours.reoffer(Direction.SENDONLY)
    ours.receive_answer(OFFER.replace(b"sendrecv", b"recvonly"))
    assert (ours.wish, ours.media.direction) == (Direction.SENDONLY, Direction.SENDONLY)
    assert answer(ours, OFFER).direction is Direction.SENDONLY
    held_both_ways = answer(ours, OFFER.replace(b"sendrecv", b"sendonly"))
    assert held_both_ways.direction is Direction.INACTIVE
    ours.reoffer(Direction.SENDRECV)
    ours.receive_answer(OFFER)
    assert (ours.wish, ours.media.direction) == (Direction.SENDRECV, Direction.SENDRECV)


def test_hold_that_is_refused() -> None:
    """All is as before."""
    ours = negotiation()
    answer(ours, OFFER)
    ours.reoffer(Direction.SENDONLY)
    ours.withdraw()
    assert (ours.wish, ours.media.direction) == (Direction.SENDRECV, Direction.SENDRECV)


def test_old_hold_keeps_the_address() -> None:
    """c=0.0.0.0 says nothing about where they are."""
    ours = negotiation()
    answer(ours, OFFER)
    answer(ours, OFFER.replace(b"c=IN IP4 127.0.0.1", b"c=IN IP4 0.0.0.0"))
    assert (ours.media.remote_host, ours.media.direction) == ("127.0.0.1", Direction.RECVONLY)


def test_key_of_our_own() -> None:
    """Fresh, under the tag of the key that we have chosen (RFC 4568 section 5.1.2)."""
    ours = negotiation(srtp="required")
    offer = body(
        *("m=audio 4000 RTP/SAVP 0", "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:xyz"),
        *(crypto(0, "AES_CM_128_HMAC_SHA1_32", tag=2), crypto(1, tag=3)),
    )
    line = answer(ours, offer)
    [key] = line.cryptos
    assert (line.protocol, key.tag, key.suite) == ("RTP/SAVP", 2, "AES_CM_128_HMAC_SHA1_32")
    srtp = ours.media.srtp
    assert srtp is not None
    assert (srtp.suite, srtp.send, srtp.receive) == (key.suite, key.key, bytes([0]) * 30)
    assert key.key != answer(negotiation(srtp="required"), offer).cryptos[0].key


def test_keys_stay_until_theirs_change() -> None:
    """The same again for a hold; a new key of theirs gets a new one of ours."""
    ours = negotiation(srtp="preferred")
    first, held, rekeyed = (
        answer(ours, body("m=audio 4000 RTP/AVP 0", crypto(number), f"a={direction}")).cryptos
        for number, direction in ((0, "sendrecv"), (0, "sendonly"), (1, "sendrecv"))
    )
    assert first == held != rekeyed
    assert ours.media.srtp is not None
    assert ours.media.srtp.receive == bytes([1]) * 30


@pytest.mark.parametrize(("srtp", "protocol"), [("preferred", "RTP/AVP"), ("required", "RTP/SAVP")])
def test_our_offer_of_encryption(srtp: Encryption, protocol: str) -> None:
    """Both suites, each with its own key; their choice decides."""
    ours = negotiation(srtp=srtp)
    ours.expect()
    [line] = sdp.parse(ours.offer()).media
    first, second = line.cryptos
    assert (line.protocol, first.tag, second.tag) == (protocol, 1, 2)
    assert first.key != second.key
    ours.receive_answer(body(f"m=audio 4000 {protocol} 0", crypto(2, second.suite, tag=2)))
    keys = ours.media.srtp
    assert keys is not None
    assert (keys.suite, keys.send, keys.receive) == (second.suite, second.key, bytes([2]) * 30)
    [again] = sdp.parse(ours.reoffer(Direction.SENDONLY)).media
    assert again.cryptos == (Crypto(2, second.suite, second.key),)


def test_preferred_encryption_may_be_declined() -> None:
    """An answer without a key: plain sound."""
    ours = negotiation(srtp="preferred")
    ours.expect()
    ours.offer()
    ours.receive_answer(body("m=audio 4000 RTP/AVP 0"))
    assert ours.media.srtp is None


def test_key_that_answers_none_of_ours() -> None:
    """Another tag: nothing that could be decrypted."""
    ours = negotiation(srtp="required")
    ours.expect()
    ours.offer()
    with pytest.raises(NotAcceptable):
        ours.receive_answer(body("m=audio 4000 RTP/SAVP 0", crypto(0, tag=9)))
