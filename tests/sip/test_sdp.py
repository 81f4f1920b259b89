"""Session descriptions, read and written."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire import OFFER

from softagent.media.description import Direction
from softagent.sip import sdp
from softagent.sip.agreement import Abilities, agree
from softagent.sip.errors import DescriptionError, NotAcceptable
from softagent.sip.sdp import Format, Media

EVERYTHING = Abilities(("G722", "PCMU", "PCMA"), srtp="preferred")


def audio(*lines: str) -> Media:
    """What is read of an audio line with these lines around it; a bare m= is filled up."""
    body = "\r\n".join(("v=0", "c=IN IP4 1.1.1.1", *lines))
    [media] = sdp.parse(body.encode()).media
    return media


def test_reads_an_offer() -> None:
    """All that a telephone needs of it."""
    [media] = sdp.parse(OFFER).media
    assert (media.kind, media.host, media.port, media.protocol) == (
        *("audio", "127.0.0.1", 21900),
        "RTP/AVP",
    )
    assert media.formats == (Format(0, "PCMU"), Format(8, "PCMA"), Format(101, "TELEPHONE-EVENT"))
    assert media.direction is Direction.SENDRECV


def test_static_payload_types_need_no_rtpmap() -> None:
    """0, 8, 9 and 13 have their names from RFC 3551."""
    names = [known.name for known in audio("m=audio 4000 RTP/AVP 8 0 9 13 3").formats]
    assert names == ["PCMA", "PCMU", "G722", "CN"]


def test_dynamic_payload_type_of_a_known_codec() -> None:
    """A codec is its name, not its number."""
    media = audio("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 pcma/8000/1")
    assert media.formats == (Format(96, "PCMA"),)


@pytest.mark.parametrize(
    "encoding", ["PCMU/16000", "PCMU/8000/2", "telephone-event/16000", "L16/44100/2"]
)
def test_other_clocks_and_channels_are_other_formats(encoding: str) -> None:
    """The name alone doesn't make it ours, not even under a static number."""
    media = audio("m=audio 4000 RTP/AVP 0 97", f"a=rtpmap:0 {encoding}", f"a=rtpmap:97 {encoding}")
    assert media.formats == ()


def test_rtpmap_that_can_not_be_read_is_none() -> None:
    """The static number keeps its name."""
    media = audio("m=audio 4000 RTP/AVP 0", "a=rtpmap:0 PCMU", "a=rtpmap:x y/z", "a=rtpmap:300 A/1")
    assert media.formats == (Format(0, "PCMU"),)


def test_connection_at_the_media_line_wins() -> None:
    """c= at both levels: the nearer one counts (RFC 8866 section 5.7)."""
    assert audio("m=audio 4000 RTP/AVP 0", "c=IN IP4 2.2.2.2/127").host == "2.2.2.2"


def test_connection_over_ipv6() -> None:
    """The address comes with its family."""
    media = audio("m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1")
    assert (media.family, media.host) == ("IP6", "2001:db8::1")


@pytest.mark.parametrize("level", ["session", "media"])
@pytest.mark.parametrize("direction", Direction)
def test_direction(direction: Direction, level: str) -> None:
    """At either level."""
    lines = ["m=audio 4000 RTP/AVP 0"]
    lines.insert(0 if level == "session" else 1, f"a={direction.value}")
    assert audio(*lines).direction is direction


def test_attributes() -> None:
    """Packet times and RTCP."""
    media = audio(
        *("m=audio 4000 RTP/AVP 0", "a=ptime:30", "a=maxptime:60.0", "a=rtcp-mux"),
        "a=rtcp:4100 IN IP4 1.1.1.1",
    )
    assert (media.ptime_ms, media.maxptime_ms) == (30, 60)
    assert (media.rtcp_mux, media.rtcp_port) == (True, 4100)


def test_what_browsers_add_is_passed_over() -> None:
    """BUNDLE, ICE and DTLS."""
    media = audio(
        *("a=group:BUNDLE 0", "a=ice-lite", "m=audio 4000 RTP/AVP 0", "a=mid:0"),
        *("a=candidate:1 1 UDP 2130706431 10.0.0.1 8998 typ host", "a=setup:actpass"),
        *("a=fingerprint:sha-256 AA:BB", "a=ptime:x", "a=rtcp:x", "a", "b=AS:64", "junk"),
    )
    assert media == Media("audio", 4000, "RTP/AVP", ("0",), "1.1.1.1", formats=(Format(0, "PCMU"),))


def test_a_description_may_be_empty() -> None:
    """No stream is no error (RFC 3264 section 5)."""
    assert sdp.parse(b"v=0\r\n").media == ()


def test_what_is_written_can_be_read() -> None:
    """Every part of a line survives the round trip."""
    line = sdp.audio(
        21000,
        "RTP/AVP",
        (Format(8, "PCMA"), Format(13, "CN"), Format(97, "TELEPHONE-EVENT")),
        direction=Direction.RECVONLY,
        ptime_ms=30,
        rtcp_mux=True,
    )
    refused = Media("video", 5000, "RTP/AVP", ("31", "34")).refused
    body = sdp.Description((refused, line), "3 4").serialize(host="10.0.0.9", session="7 1")
    assert body.decode().splitlines() == [
        "v=0",
        "o=- 7 1 IN IP4 10.0.0.9",
        "s=-",
        "c=IN IP4 10.0.0.9",
        "t=3 4",
        "m=video 0 RTP/AVP 31 34",
        "m=audio 21000 RTP/AVP 8 13 97",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:13 CN/8000",
        "a=rtpmap:97 telephone-event/8000",
        "a=fmtp:97 0-15",
        "a=ptime:30",
        "a=rtcp-mux",
        "a=recvonly",
    ]
    read = sdp.parse(body)
    assert read.timing == "3 4"
    assert read.media[1].formats == line.formats
    assert b"IN IP6 2001:db8::9" in sdp.Description((line,)).serialize(
        host="2001:db8::9", session="7 1"
    )


@pytest.mark.parametrize(
    "body", ["", "s=-", "m=audio", "m=audio x RTP/AVP 0", "c=IN\nm=a 1 b 0", "m=audio 70000 a 0"]
)
def test_refuses_what_is_no_description(body: str) -> None:
    """One kind of error."""
    with pytest.raises(DescriptionError):
        sdp.parse(body.encode())


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_raise(body: bytes) -> None:
    """No body gets anything else out of the parser."""
    with contextlib.suppress(DescriptionError, NotAcceptable):
        agree(sdp.parse(body), EVERYTHING)


@given(st.integers(0, len(OFFER)), st.integers(0, 30), st.binary(max_size=30))
def test_any_damage_parses_or_raises(start: int, length: int, junk: bytes) -> None:
    """A real offer with any stretch of it replaced."""
    with contextlib.suppress(DescriptionError, NotAcceptable):
        body = OFFER[:start] + junk + OFFER[start + length :]
        agree(sdp.parse(body), EVERYTHING)
