"""What comes of an offer."""

from __future__ import annotations

import base64

import pytest
from wire import OFFER

from softagent.media.description import Direction
from softagent.sip import sdp
from softagent.sip.agreement import Abilities, Agreement, Encryption, agree, narrowed
from softagent.sip.errors import NotAcceptable
from softagent.sip.sdp import Format

BOTH = ("PCMU", "PCMA")
KEY = base64.b64encode(bytes(range(30))).decode()
CRYPTO = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"
PLAIN_LINE = "m=audio 4000 RTP/AVP 0"
SECURE_LINE = "m=audio 4002 RTP/SAVP 0"


def take(*lines: str, codecs: tuple[str, ...] = BOTH, srtp: Encryption = "off") -> Agreement:
    """What comes of an offer whose lines are given."""
    body = "\r\n".join(("v=0", "c=IN IP4 1.1.1.1", *lines))
    return agree(sdp.parse(body.encode()), Abilities(codecs, srtp=srtp))


def refusal(*lines: str, srtp: Encryption = "off") -> int:
    """The warning code of an offer that is refused."""
    with pytest.raises(NotAcceptable) as problem:
        take(*lines, srtp=srtp)
    return problem.value.code


def test_takes_our_first_codec_that_is_offered() -> None:
    """Our order counts, as RFC 3264 section 6.1 allows; numbers are the offer's."""
    agreed = agree(sdp.parse(OFFER), Abilities(("G722", "PCMA", "PCMU")))
    assert agreed == Agreement(
        line=0,
        protocol="RTP/AVP",
        codec=Format(8, "PCMA"),
        event=Format(101, "TELEPHONE-EVENT"),
        noise=None,
        host="127.0.0.1",
        port=21900,
        direction=Direction.SENDRECV,
        ptime_ms=20,
        crypto=None,
        rtcp_mux=False,
        rtcp_port=None,
    )


def test_events_of_the_telephone_s_clock() -> None:
    """Of several telephone-events the one at 8000 Hz is ours, also beside G.722 (RFC 4733 section 2.1)."""
    agreed = take(
        *("m=audio 4000 RTP/AVP 9 100 101 13", "a=rtpmap:100 telephone-event/16000"),
        "a=rtpmap:101 telephone-event/8000",
        codecs=("G722",),
    )
    assert (agreed.codec.name, agreed.event, agreed.noise) == (
        *("G722", Format(101, "TELEPHONE-EVENT")),
        Format(13, "CN"),
    )
    assert [known.payload_type for known in agreed.formats] == [9, 13, 101]
    sixteen = ("m=audio 4000 RTP/AVP 0 100", "a=rtpmap:100 telephone-event/16000")
    assert take(*sixteen).event is None


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("sendrecv", Direction.SENDRECV),
        ("sendonly", Direction.RECVONLY),
        ("recvonly", Direction.SENDONLY),
        ("inactive", Direction.INACTIVE),
    ],
)
def test_direction_is_mirrored(theirs: str, ours: Direction) -> None:
    """Hold is answered with its mirror image (RFC 3264 section 6.1)."""
    assert take(PLAIN_LINE, f"a={theirs}").direction is ours


@pytest.mark.parametrize(
    ("theirs", "ours"), [("sendrecv", Direction.RECVONLY), ("recvonly", Direction.INACTIVE)]
)
def test_old_way_of_holding(theirs: str, ours: Direction) -> None:
    """c=0.0.0.0 is the hold of RFC 2543: nothing may be sent there, but something may come."""
    agreed = take(PLAIN_LINE, "c=IN IP4 0.0.0.0", f"a={theirs}")
    assert (agreed.direction, agreed.host, agreed.port) == (ours, "", 4000)


@pytest.mark.parametrize("host", ["pbx.example", "localhost", "10.0.0", "010.0.0.1"])
def test_what_would_need_a_look_up(host: str) -> None:
    """The media clock can't wait for DNS: the signalling's source will stand in."""
    agreed = take(PLAIN_LINE, f"c=IN IP4 {host}")
    assert (agreed.host, agreed.direction) == ("", Direction.SENDRECV)


def test_sound_over_our_own_family_only() -> None:
    """A socket of ours speaks one family; a line of that one may follow."""
    six = ("m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1")
    assert refusal(*six) == 301
    agreed = take(*six, "m=audio 5000 RTP/AVP 0")
    assert (agreed.line, agreed.host) == (1, "1.1.1.1")
    body = "\r\n".join(("v=0", *six)).encode()
    assert agree(sdp.parse(body), Abilities(BOTH, "IP6")).host == "2001:db8::1"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("m=audio 0 RTP/AVP 0", 304),
        ("m=image 4000 udptl t38", 304),
        ("m=audio 4000 UDP/TLS/RTP/SAVPF 0", 302),
        ("m=audio 4000 RTP/AVP 3 18", 305),
        ("m=audio 4000 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000", 305),
        ("m=video 4000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 3", 305),
        ("a=x", 304),
    ],
)
def test_nothing_in_common(line: str, code: int) -> None:
    """The warning says what is wrong with the line that comes nearest (RFC 3261 section 20.43)."""
    assert refusal(line) == code


@pytest.mark.parametrize(
    ("lines", "ptime_ms"),
    [
        ((), 20),
        (("a=ptime:30",), 30),
        (("a=ptime:25",), 20),
        (("a=ptime:5",), 10),
        (("a=ptime:200",), 60),
        (("a=maxptime:10",), 10),
        (("a=ptime:60", "a=maxptime:40"), 40),
        (("a=ptime:0",), 20),
    ],
)
def test_packet_time(lines: tuple[str, ...], ptime_ms: int) -> None:
    """What they ask for, in steps of 10 ms and as far as we can (RFC 8866 section 6.4)."""
    assert take(PLAIN_LINE, *lines).ptime_ms == ptime_ms


def test_rtcp() -> None:
    """On the same port only where that is offered (RFC 5761); elsewhere where it isn't the next one (RFC 3605)."""
    assert take(PLAIN_LINE, "a=rtcp-mux").rtcp_mux
    assert take(PLAIN_LINE, "a=rtcp:4001").rtcp_port is None
    assert take(PLAIN_LINE, "a=rtcp:4444 IN IP4 1.1.1.1").rtcp_port == 4444


@pytest.mark.parametrize("srtp", ["off", "preferred", "required"])
@pytest.mark.parametrize("line", [PLAIN_LINE, SECURE_LINE])
def test_encryption_without_a_key(line: str, srtp: Encryption) -> None:
    """RTP/SAVP without a key is nothing; plain RTP is not enough where encryption is required."""
    if line == PLAIN_LINE and srtp != "required":
        assert take(line, srtp=srtp).crypto is None
    else:
        assert refusal(line, srtp=srtp) == 302


@pytest.mark.parametrize(
    ("line", "srtp", "is_encrypted"),
    [
        (PLAIN_LINE, "off", False),
        (PLAIN_LINE, "preferred", True),
        (PLAIN_LINE, "required", True),
        (SECURE_LINE, "preferred", True),
        (SECURE_LINE, "required", True),
        ("m=audio 4002 RTP/SAVPF 0", "required", True),
    ],
)
def test_encryption_with_a_key(line: str, srtp: Encryption, is_encrypted: bool) -> None:
    """A key in RTP/AVP is optimistic encryption; the line is answered with its own protocol."""
    agreed = take(line, CRYPTO, srtp=srtp)
    assert (agreed.crypto is not None) is is_encrypted
    assert agreed.protocol in line


def test_encrypted_line_is_refused_when_off() -> None:
    """488: who asks for RTP/SAVP wants no plain sound."""
    assert refusal(SECURE_LINE, CRYPTO) == 302


def test_encrypted_and_plain_line_side_by_side() -> None:
    """The encrypted one where we want that, the other one where we don't."""
    both = (PLAIN_LINE, SECURE_LINE, CRYPTO)
    assert [take(*both, srtp=srtp).line for srtp in ("off", "preferred", "required")] == [0, 1, 1]  # type: ignore[arg-type]


def test_narrowed() -> None:
    """Both sides may hold at once."""
    assert narrowed(Direction.RECVONLY, Direction.SENDONLY) is Direction.INACTIVE
    assert narrowed(Direction.SENDRECV, Direction.SENDONLY) is Direction.SENDONLY
