"""Dialling through somebody else's PBX, which is nothing but a socket and a script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from raw_phone import WAIT_SECONDS, RawPhone

from softagent.lab.line import LabLine
from softagent.lab.outgoing import CallFailed, LabCall
from softagent.lab.sdpwire import offer
from softagent.lab.sipwire import Request, auth_parameters, cseq, digest

MEDIA = ("127.0.0.1", 26000)


@pytest.fixture
def pbx() -> Iterator[RawPhone]:
    pbx = RawPhone(("127.0.0.1", 9))
    yield pbx
    pbx.close()


@pytest.fixture
def line(pbx: RawPhone) -> Iterator[LabLine]:
    line = LabLine(pbx.address, user="1001", password="secret")
    pbx.peer = line.address
    line.start()
    yield line
    line.stop()


def dial(pbx: RawPhone, line: LabLine, challenge: str) -> tuple[LabCall, Request]:
    """Dial 600; the first INVITE is challenged, its ACK taken."""
    call = line.call("600", media=MEDIA)
    invite = pbx.receive_request("INVITE")
    pbx.respond(invite, 401, "Unauthorized", ("WWW-Authenticate", challenge))
    pbx.receive_request("ACK")
    return call, invite


def test_a_challenged_invite_is_sent_again_with_the_digest(pbx: RawPhone, line: LabLine) -> None:
    """The same call, the next number, the right digest; then it is answered."""
    call, first = dial(pbx, line, 'Digest realm="pbx", nonce="abc", qop="auth"')
    second = pbx.receive_request("INVITE")
    assert second.headers.first("Call-ID") == first.headers.first("Call-ID")
    assert cseq(second.headers)[0] == cseq(first.headers)[0] + 1
    given = auth_parameters(second.headers.first("Authorization"))
    expected = digest(user="1001", password="secret", method="INVITE", parameters=given)
    assert given["response"] == expected
    pbx.respond(second, 200, "OK", body=offer("127.0.0.1", 26002, codecs=("PCMU",), session=1))
    assert call.wait_answered(WAIT_SECONDS).port == 26002


def test_a_second_challenge_is_a_refusal(pbx: RawPhone, line: LabLine) -> None:
    """A wrong password isn't tried for ever."""
    challenge = 'Digest realm="pbx", nonce="abc"'
    call, _ = dial(pbx, line, challenge)
    again = pbx.receive_request("INVITE")
    pbx.respond(again, 401, "Unauthorized", ("WWW-Authenticate", challenge))
    with pytest.raises(CallFailed, match="401"):
        call.wait_answered(WAIT_SECONDS)


@pytest.mark.parametrize(
    ("challenge", "message"),
    [
        ('Digest realm="pbx", nonce="abc", algorithm=SHA-256', "SHA-256"),
        ('Digest realm="pbx"', "without realm or nonce"),
        ("Basic", "not Digest"),
    ],
)
def test_a_challenge_that_cannot_be_met_fails_the_call(
    pbx: RawPhone, line: LabLine, challenge: str, message: str
) -> None:
    """At once, saying why."""
    call, _ = dial(pbx, line, challenge)
    with pytest.raises(CallFailed, match=message):
        call.wait_answered(WAIT_SECONDS)


def test_a_record_route_is_followed_backwards(pbx: RawPhone, line: LabLine) -> None:
    """The ACK carries the route set reversed and goes to its first hop (RFC 3261 12.1.2)."""
    line.call("600", media=MEDIA)
    invite = pbx.receive_request("INVITE")
    host, port = pbx.address
    near = f"<sip:{host}:{port};lr>"
    pbx.respond(
        invite,
        200,
        "OK",
        ("Record-Route", "<sip:127.0.0.1:9;lr>"),
        ("Record-Route", near),
        body=offer("127.0.0.1", 26002, codecs=("PCMU",), session=1),
    )
    ack = pbx.receive_request("ACK")
    assert ack.headers.all("Route") == (near, "<sip:127.0.0.1:9;lr>")
