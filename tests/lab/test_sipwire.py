"""The lab's own SIP messages: what is written can be read, and digests are the RFC's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.lab import sipwire
from softagent.lab.sdpwire import offer, parse_answer
from softagent.lab.sipwire import Headers, Request, Response, WireError

names = st.text(st.characters(codec="ascii", categories=["Lu", "Ll"]), min_size=2, max_size=12)
values = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30
)
fields = st.lists(st.tuples(names.map(lambda name: "X-" + name), values), max_size=6).map(tuple)


@given(fields, st.binary(max_size=200))
def test_a_request_survives_the_wire(extra: tuple[tuple[str, str], ...], body: bytes) -> None:
    """What serialize writes, parse reads back: method, URI, fields in order, body."""
    request = Request("INVITE", "sip:100@127.0.0.1:5060", Headers(extra), body)
    read = sipwire.parse(sipwire.serialize(request))
    assert isinstance(read, Request)
    assert (read.method, read.uri, read.body) == (request.method, request.uri, body)
    assert read.headers.fields == (*extra, ("Content-Length", str(len(body))))


def test_headers_compare_without_case_and_in_compact_form() -> None:
    """`v:` is a Via and CSEQ a CSeq; a folded line is one value."""
    read = sipwire.parse(b"SIP/2.0 180 Ringing\r\nv: a\r\nVIA: b,\r\n c\r\nl: 0\r\n\r\n")
    assert isinstance(read, Response)
    assert read.headers.all("Via") == ("a", "b, c")


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\xff\xfe\r\n\r\n",
        b"INVITE sip:a SIP/3.0\r\nA: b\r\n\r\n",
        b"INVITE sip:a SIP/2.0\r\nno colon\r\n\r\n",
        b"INVITE sip:a SIP/2.0\r\nContent-Length: 5\r\n\r\nabc",
        b"INVITE sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\nabc",
    ],
)
def test_what_is_not_sip_is_refused(datagram: bytes) -> None:
    """Every malformed datagram is a WireError, nothing else."""
    with pytest.raises(WireError):
        sipwire.parse(datagram)


def test_digest_is_that_of_the_rfc() -> None:
    """The worked example of RFC 2617 section 3.5."""
    parameters = {
        "realm": "testrealm@host.com",
        "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "uri": "/dir/index.html",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "0a4f113b",
    }
    assert (
        sipwire.digest(
            user="Mufasa", password="Circle Of Life", method="GET", parameters=parameters
        )
        == "6629fae49393a05397450978507c4ef1"
    )


def test_an_answered_challenge_verifies() -> None:
    """The answer to a challenge carries the digest that its own parameters give."""
    answer = sipwire.answer_challenge(
        'Digest realm="lab", nonce="n", qop="auth,auth-int", opaque="o"',
        user="100",
        password="secret",
        method="REGISTER",
        uri="sip:lab",
    )
    given_back = sipwire.auth_parameters(answer)
    expected = sipwire.digest(
        user="100", password="secret", method="REGISTER", parameters=given_back
    )
    assert given_back["response"] == expected
    assert (given_back["qop"], given_back["opaque"]) == ("auth", "o")


def test_addresses_are_read_out_of_uris() -> None:
    """User, host and port of a URI, and the parameters behind its brackets."""
    value = '"Front desk" <sip:100@10.0.0.7:5070;transport=udp>;tag=abc;expires=60'
    uri = sipwire.address_uri(value)
    assert sipwire.uri_address(uri) == ("10.0.0.7", 5070)
    assert sipwire.uri_address("sip:pbx.example") == ("pbx.example", 5060)
    assert sipwire.uri_user(uri) == "100"
    assert sipwire.parameter(value, "tag") == "abc"
    assert sipwire.parameter(value, "transport") == ""


def test_an_offer_reads_as_its_own_answer() -> None:
    """The first offered codec is the one chosen, digits included."""
    answer = parse_answer(offer("127.0.0.1", 26000, codecs=("PCMA", "PCMU"), session=1))
    assert (answer.host, answer.port, answer.codec, answer.payload_type) == (
        "127.0.0.1",
        26000,
        "PCMA",
        8,
    )
    assert answer.event_payload_type == 101


@pytest.mark.parametrize(
    "body",
    [
        b"v=0\r\n",
        b"c=IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 0\r\n",
        b"c=IN IP4 127.0.0.1\r\nm=audio 26000 RTP/AVP 18\r\n",
        b"m=audio 26000 RTP/AVP 0\r\n",
    ],
)
def test_an_answer_without_usable_audio_is_refused(body: bytes) -> None:
    """No stream, a refused stream, a foreign codec or no address: WireError."""
    with pytest.raises(WireError):
        parse_answer(body)
