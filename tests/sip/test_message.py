"""The parser: kind to what phones send, and never at a loss."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire import OFFER, request, request_bytes

from softagent.sip.errors import MessageError
from softagent.sip.headers import Via
from softagent.sip.message import LARGEST_HEAD_BYTES, BadRequest, Request, Response, parse

COMPACT = (
    b"INVITE sip:1000@127.0.0.1 SIP/2.0\r\n"
    b"v:SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1,SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bK0\r\n"
    b"f:<sip:a@b>;x=1;tag=t1\r\nt:<sip:c@d>\r\ni:call\r\ncseq:  7   INVITE\r\n"
    b"m:<sip:a@10.0.0.9:5062>\r\nc:application/sdp\r\n\r\n"
)


def test_compact_names_without_spaces() -> None:
    """Compact forms, no space after the colon, two values in one Via, no Content-Length."""
    message = parse(COMPACT + OFFER)
    assert isinstance(message, Request)
    assert message.via == Via("UDP", "10.0.0.1", None, (("branch", "z9hG4bK1"),))
    assert [Via.parse(value).host for value in message.headers.values("Via")] == [
        "10.0.0.1",
        "10.0.0.2",
    ]
    assert (message.call_id, message.cseq.number, message.sender.tag) == ("call", 7, "t1")
    assert message.addresses("Contact")[0].uri.port == 5062
    assert message.body == OFFER


@pytest.mark.parametrize("name", ["call-id", "CALL-ID", "Call-Id", "i", "I"])
def test_names_in_any_case(name: str) -> None:
    """Header names don't care for case (RFC 3261 section 7.3.1)."""
    message = parse(request_bytes("OPTIONS").replace(b"Call-ID", name.encode()))
    assert message.call_id == "call-1"
    assert message.headers.first("Call-ID") == "call-1"


def test_folded_lines() -> None:
    """A line that begins with white space continues the one before."""
    for fold in (b"\r\n  \t", b"\r\n \r\n\t"):
        folded = request_bytes("OPTIONS").replace(b"Contact: <", b"Contact:" + fold + b"<")
        assert parse(folded).addresses("Contact")[0].uri.user == "1003"


def test_bare_line_feeds_and_leading_keep_alive() -> None:
    """Line feeds alone, and line breaks before the message (section 7.5)."""
    plain = request_bytes("OPTIONS").replace(b"\r\n", b"\n")
    assert parse(b"\r\n\r\n" + plain) == request("OPTIONS")


def test_spaces_in_via() -> None:
    """White space around the slashes of a Via is allowed (section 25.1)."""
    via = Via.parse("SIP / 2.0 / udp  10.0.0.1 : 5070 ;branch=z9hG4bK1;rport")
    assert (via.transport, via.host, via.port, via.parameter("rport")) == (
        "UDP",
        "10.0.0.1",
        5070,
        "",
    )


def test_body_is_cut_to_its_length() -> None:
    """What follows the stated length is no part of the message (section 18.3)."""
    assert parse(request_bytes("INVITE", body=OFFER) + b"junk").body == OFFER


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"OPTIONS sip:1000@127.0.0.1 SIP/2.0", b"OPTIONS SIP/2.0"),
        (b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia"),
        (b"CSeq: 1 OPTIONS", b"CSeq: 1 INVITE"),
        (b"CSeq: 1 OPTIONS", b"CSeq: 4294967296 OPTIONS"),
        (b"CSeq: 1 OPTIONS", b"CSeq: OPTIONS"),
        (b"Call-ID: call-1\r\n", b""),
        (b"Via: SIP/2.0/UDP", b"Via: HTTP/1.1/TCP"),
        (b"<sip:1003@127.0.0.1>;tag", b"nobody;tag"),
        (b"Content-Length: 0", b"Content-Length: 12"),
        (b"Content-Length: 0", b"Content-Length: -1"),
    ],
)
def test_refuses_broken_messages(old: bytes, new: bytes) -> None:
    """Every one that can't be answered is a MessageError."""
    whole = request_bytes("OPTIONS")
    assert old in whole
    with pytest.raises(MessageError):
        parse(whole.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia", 505),
        (b"1000@127.0.0.1 SIP", b"1000@127.0.0.1; lr SIP", 400),
        (b"CSeq: 1 OPTIONS", b"CSeq: 1 INVITE", 400),
        (b"Call-ID: call-1", b"Call-ID: call-1\r\nCall-ID: call-2", 400),
        (b"Call-ID: call-1\r\n", b"", 400),
        (b"<sip:1003@127.0.0.1>;tag", b"nobody;tag", 400),
        (b"Content-Length: 0", b"Content-Length: 1", 400),
        (b"Content-Length: 0", b"Content-Length: 0\r\nContent-Length: 1", 400),
        (b"Via: SIP/2.0/UDP", b"Via: SIP/1.0/UDP", 400),
    ],
)
def test_says_what_to_answer(old: bytes, new: bytes, status: int) -> None:
    """A damaged request with a readable topmost Via is told so, an ACK never."""
    whole = request_bytes("OPTIONS")
    assert old in whole
    with pytest.raises(BadRequest) as bad:
        parse(whole.replace(old, new))
    assert (bad.value.status, bad.value.request.method) == (status, "OPTIONS")
    with pytest.raises(MessageError) as dropped:
        parse(whole.replace(old, new).replace(b"OPTIONS", b"ACK"))
    assert not isinstance(dropped.value, BadRequest)


def test_what_is_too_long_is_not_read_to_its_end() -> None:
    """513 for a request with endless headers, 400 for one with endless hops (section 21.5.14)."""
    whole = request_bytes("OPTIONS")
    with pytest.raises(BadRequest) as long:
        parse(
            whole.replace(b"Contact:", b"Subject: " + b"x" * LARGEST_HEAD_BYTES + b"\r\nContact:")
        )
    assert long.value.status == 513
    with pytest.raises(BadRequest) as many:
        parse(whole.replace(b"Contact:", b"X: y\r\n" * 300 + b"Contact:"))
    assert many.value.status == 513
    hops = b"Via: SIP/2.0/UDP 192.0.2.1\r\n" * 100
    with pytest.raises(BadRequest) as looped:
        parse(whole.replace(b"Contact:", hops + b"Contact:"))
    assert looped.value.status == 400
    with pytest.raises(MessageError):
        parse(b"SIP/2.0 200 OK\r\n" + whole.partition(b"\r\n")[2].replace(b"Contact:", hops * 9))


def test_an_unknown_method_may_differ_from_the_cseq() -> None:
    """It gets a 501, which says more (RFC 4475 section 3.1.2.18)."""
    data = request_bytes("OPTIONS").replace(b"OPTIONS sip", b"NEWMETHOD sip")
    assert parse(data).cseq.method == "OPTIONS"


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\0\0\0\0", b"\x00", b"SIP/2.0", b"\xff" * 9])
def test_refuses_keep_alives_and_garbage(data: bytes) -> None:
    """What keeps a NAT open is no message."""
    with pytest.raises(MessageError):
        parse(data)


def test_response_without_a_reason() -> None:
    """The reason phrase may be empty, and unlisted statuses are fine."""
    data = request_bytes("OPTIONS").split(b"\r\n", 1)[1]
    message = parse(b"SIP/2.0 299\r\n" + data)
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (299, "")


def test_bytes_that_are_not_utf8_come_back_unchanged() -> None:
    """Latin-1 names are echoed as they came."""
    data = request_bytes("OPTIONS").replace(b'"Caller"', b'"M\xfcller"')
    assert b'"M\xfcller"' in parse(data).serialize()


def test_round_trip() -> None:
    """What is written is read as the same."""
    message = request("INVITE", body=OFFER)
    assert parse(message.serialize()) == message


@given(st.binary(max_size=400))
def test_any_bytes_parse_or_raise_message_error(data: bytes) -> None:
    """No datagram gets anything else out of the parser."""
    with contextlib.suppress(MessageError):
        parse(data)


@settings(max_examples=300)
@given(st.data())
def test_any_damage_parses_or_raises_message_error(data: st.DataObject) -> None:
    """A real message with any stretch of it replaced: the same, its parts included."""
    whole = COMPACT + OFFER
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 40)))
    damaged = whole[:start] + data.draw(st.binary(max_size=40)) + whole[end:]
    with contextlib.suppress(MessageError):
        parse(damaged).addresses("Contact")
