"""Bodies of one part and of several."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from wire import OFFER, request

from softagent.sip.body import find, parts

SDP = "application/sdp"


def mixed(*pieces: bytes, boundary: bytes = b"frontier") -> bytes:
    """A multipart body."""
    return b"".join(b"--" + boundary + b"\r\n" + p + b"\r\n" for p in pieces) + (
        b"--" + boundary + b"--\r\n"
    )


MIXED = 'multipart/mixed; boundary="frontier"'
ISUP = (
    b"Content-Type: application/isup\r\nContent-Disposition: signal;handling=optional\r\n\r\n\x01"
)
DESCRIBED = b"Content-Type: application/sdp\r\n\r\n" + OFFER


def test_one_part() -> None:
    """The message's own type."""
    [part] = parts(request("INVITE", body=OFFER))
    assert (part.kind, part.content) == (SDP, OFFER)
    assert parts(request("INVITE")) == ()


def test_several_parts() -> None:
    """The description is found among others, with its last line break or without (RFC 2046 section 5.1.1)."""
    asked = request("INVITE", kind=MIXED, body=mixed(ISUP, DESCRIBED))
    assert find(asked, SDP) == OFFER
    isup, _ = parts(asked)
    assert isup.is_optional
    assert (isup.kind, isup.content) == ("application/isup", b"\x01")
    assert find(asked, "text/plain") == b""


def test_parts_within_parts() -> None:
    """As S/MIME and alternatives bring them."""
    inner = b"Content-Type: multipart/alternative;boundary=in\r\n\r\n" + mixed(
        DESCRIBED, boundary=b"in"
    )
    assert find(request("INVITE", kind=MIXED, body=mixed(ISUP, inner)), SDP) == OFFER


def test_codings() -> None:
    """Only what is there as it is can be read."""
    packed = b"Content-Encoding: gzip\r\n" + DESCRIBED
    [part] = parts(request("INVITE", kind=MIXED, body=mixed(packed)))
    assert not part.is_plain
    [part] = parts(request("INVITE", headers="Content-Transfer-Encoding: binary\r\n", body=OFFER))
    assert part.is_plain


def test_no_boundary_no_parts() -> None:
    """Then it is one part of an unknown type."""
    [part] = parts(request("INVITE", kind="multipart/mixed", body=mixed(ISUP)))
    assert part.kind == "multipart/mixed"


@given(st.binary(max_size=200))
def test_any_bytes_are_taken_apart(body: bytes) -> None:
    """Whatever stands between the boundaries."""
    parts(request("INVITE", kind=MIXED, body=b"--frontier\r\n" + body + b"\r\n--frontier--"))
