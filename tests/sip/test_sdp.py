"""Offers as PBXs and phones make them, and the answers they get."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire import OFFER

from softagent.sip import sdp
from softagent.sip.errors import DescriptionError
from softagent.sip.sdp import Agreement, Direction, Format

BOTH = ("PCMU", "PCMA")
SOURCE = "192.0.2.7"
"""Where the offers here come from."""


def agree(body: str, codecs: tuple[str, ...] = BOTH) -> Agreement | None:
    """What comes of an offer whose lines are given."""
    return sdp.agree(sdp.parse(body.encode()), codecs, source_host=SOURCE)


def test_takes_our_first_codec_that_is_offered() -> None:
    """Our order counts, not the offer's."""
    agreed = sdp.agree(sdp.parse(OFFER), ("G722", "PCMA", "PCMU"), source_host=SOURCE)
    assert agreed == Agreement(
        line=0,
        codec=Format(8, "PCMA", 8000),
        event_payload_type=101,
        host="127.0.0.1",
        port=21900,
        direction=Direction.SENDRECV,
    )


def test_static_payload_types_need_no_rtpmap() -> None:
    """0, 8 and 9 have their names from RFC 3551."""
    agreed = agree("c=IN IP4 10.0.0.1\nm=audio 4000 RTP/AVP 8 0")
    assert agreed is not None
    assert (agreed.codec.name, agreed.codec.payload_type, agreed.event_payload_type) == (
        "PCMU",
        0,
        None,
    )


def test_dynamic_payload_type_of_a_known_codec() -> None:
    """A codec is its name, not its number."""
    agreed = agree("c=IN IP4 1.2.3.4\nm=audio 4000 RTP/AVP 96\na=rtpmap:96 pcma/8000/1")
    assert agreed is not None
    assert agreed.codec == Format(96, "PCMA", 8000)


def test_connection_at_the_media_line_wins() -> None:
    """c= at both levels: the nearer one counts (RFC 8866 section 5.7)."""
    agreed = agree("c=IN IP4 1.1.1.1\nm=audio 4000 RTP/AVP 0\nc=IN IP4 2.2.2.2/127")
    assert agreed is not None
    assert agreed.host == "2.2.2.2"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("sendrecv", Direction.SENDRECV),
        ("sendonly", Direction.RECVONLY),
        ("recvonly", Direction.SENDONLY),
        ("inactive", Direction.INACTIVE),
    ],
)
@pytest.mark.parametrize("level", ["session", "media"])
def test_direction_is_mirrored(theirs: str, ours: Direction, level: str) -> None:
    """Hold is answered with its mirror image, at whichever level it is said."""
    line, audio = f"a={theirs}\n", "m=audio 4000 RTP/AVP 0\n"
    body = line + audio if level == "session" else audio + line
    agreed = agree("c=IN IP4 1.1.1.1\n" + body)
    assert agreed is not None
    assert agreed.direction is ours


def test_old_way_of_holding() -> None:
    """c=0.0.0.0 is the hold of RFC 2543, and no address: the offer's own source stands in for it."""
    agreed = agree("c=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 0")
    assert agreed is not None
    assert agreed.direction is Direction.INACTIVE
    assert (agreed.host, agreed.port) == (SOURCE, 4000)


@pytest.mark.parametrize("host", ["pbx.example", "localhost", "10.0.0", "010.0.0.1", "::1"])
def test_what_would_need_a_look_up(host: str) -> None:
    """The media clock can't wait for DNS: the offer's source stands in for a host name too."""
    agreed = agree(f"c=IN IP4 {host}\nm=audio 4000 RTP/AVP 0")
    assert agreed is not None
    assert (agreed.host, agreed.direction) == (SOURCE, Direction.SENDRECV)


def test_no_sound_over_ipv6() -> None:
    """Our sockets speak IPv4; a line that does too may follow."""
    six = "m=audio 4000 RTP/AVP 0\nc=IN IP6 2001:db8::1\n"
    assert agree(six) is None
    agreed = agree(f"{six}m=audio 5000 RTP/AVP 0\nc=IN IP4 1.1.1.1")
    assert agreed is not None
    assert (agreed.line, agreed.host) == (1, "1.1.1.1")


@pytest.mark.parametrize(
    "audio",
    [
        "m=audio 0 RTP/AVP 0",
        "m=audio 4000 RTP/SAVP 0",
        "m=audio 4000 RTP/AVP 3 18",
        "m=audio 4000 RTP/AVP 96\na=rtpmap:96 PCMU/16000",
        "m=audio 4000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000",
        "m=image 4000 udptl t38",
    ],
)
def test_nothing_in_common(audio: str) -> None:
    """Switched off, encrypted, unknown codecs, or no sound at all."""
    assert agree(f"c=IN IP4 1.1.1.1\n{audio}\n") is None


def test_no_connection_line_is_no_offer() -> None:
    """Without an address there is nowhere to send."""
    assert agree("m=audio 4000 RTP/AVP 0") is None


def test_answer_refuses_the_other_lines() -> None:
    """Every m= line is answered in its place (RFC 3264 section 6), video with port 0."""
    body = (
        b"c=IN IP4 1.1.1.1\r\nt=3 4\r\nm=video 5000 RTP/AVP 31 34\r\n"
        b"m=audio 4000 RTP/AVP 8 97\r\na=rtpmap:97 telephone-event/8000\r\na=sendonly\r\n"
    )
    offer = sdp.parse(body)
    agreed = sdp.agree(offer, BOTH, source_host=SOURCE)
    assert agreed is not None
    answer = sdp.answer(offer, agreed, host="10.0.0.9", port=21000, session="7 1").decode()
    assert answer.splitlines() == [
        "v=0",
        "o=- 7 1 IN IP4 10.0.0.9",
        "s=-",
        "c=IN IP4 10.0.0.9",
        "t=3 4",
        "m=video 0 RTP/AVP 31 34",
        "m=audio 21000 RTP/AVP 8 97",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:97 telephone-event/8000",
        "a=fmtp:97 0-15",
        "a=ptime:20",
        "a=recvonly",
    ]


def test_our_own_offer_can_be_taken() -> None:
    """What we offer in answer to an empty re-INVITE is what we run with."""
    body = sdp.offer("PCMU", 0, 101, host="10.0.0.9", port=21000, session="7 1")
    agreed = sdp.agree(sdp.parse(body), BOTH, source_host=SOURCE)
    assert agreed is not None
    assert (agreed.host, agreed.port, agreed.event_payload_type) == ("10.0.0.9", 21000, 101)


@pytest.mark.parametrize("body", ["", "v=0", "m=audio", "m=audio x RTP/AVP 0", "c=IN\nm=a 1 b 0"])
def test_refuses_what_is_no_description(body: str) -> None:
    """One kind of error."""
    with pytest.raises(DescriptionError):
        sdp.parse(body.encode())


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_raise(body: bytes) -> None:
    """No body gets anything else out of the parser."""
    with contextlib.suppress(DescriptionError):
        sdp.agree(sdp.parse(body), BOTH, source_host=SOURCE)


@given(st.integers(0, len(OFFER)), st.integers(0, 30), st.binary(max_size=30))
def test_any_damage_parses_or_raises(start: int, length: int, junk: bytes) -> None:
    """A real offer with any stretch of it replaced."""
    with contextlib.suppress(DescriptionError):
        body = OFFER[:start] + junk + OFFER[start + length :]
        sdp.agree(sdp.parse(body), BOTH, source_host=SOURCE)
