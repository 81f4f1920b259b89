"""Digest answers against the RFCs' own examples."""

from __future__ import annotations

import hashlib
import re

import pytest
from wire import request, response

from softagent.config import Secret
from softagent.sip.digest import MOST_REALMS, Authenticator, Challenge, Credentials, is_stale
from softagent.sip.message import Response

MUFASA = Credentials("Mufasa", Secret("Circle of Life"))
MUFASA_1999 = Credentials("Mufasa", Secret("Circle Of Life"))


def field(value: str, name: str) -> str:
    """One parameter of an Authorization header."""
    found = re.search(rf'\b{name}="?([^",]*)"?', value)
    assert found is not None, f"no {name} in {value}"
    return found[1]


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_example(algorithm: str, expected: str) -> None:
    """RFC 7616 section 3.9.1."""
    challenge = Challenge(
        is_proxy=False,
        realm="http-auth@example.org",
        nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        algorithm=algorithm,
        qop=("auth", "auth-int"),
        opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
    )
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    value = challenge.answer(MUFASA, "GET", "/dir/index.html", count=1, cnonce=cnonce)
    assert field(value, "response") == expected
    assert (field(value, "nc"), field(value, "qop")) == ("00000001", "auth")
    assert field(value, "opaque") == "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"


@pytest.mark.parametrize(
    ("qop", "expected"),
    [
        (("auth",), "6629fae49393a05397450978507c4ef1"),
        ((), "670fd8c2df070c60b045671b8b24ff02"),
    ],
)
def test_rfc_2617_example(qop: tuple[str, ...], expected: str) -> None:
    """RFC 2617 section 3.5, and the same without qop as RFC 2069 did it."""
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    challenge = Challenge(False, "testrealm@host.com", nonce, qop=qop)
    value = challenge.answer(MUFASA_1999, "GET", "/dir/index.html", count=1, cnonce="0a4f113b")
    assert field(value, "response") == expected
    assert ("nc=" in value) is bool(qop)
    assert "algorithm" not in value


def test_md5_sess() -> None:
    """The session variant hashes nonce and cnonce into the secret (RFC 7616 section 3.4.2)."""
    challenge = Challenge(False, "r", "n", algorithm="MD5-sess", qop=("auth",))
    value = challenge.answer(
        Credentials("u", Secret("p")), "REGISTER", "sip:h", count=2, cnonce="c"
    )

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    secret = md5(f"{md5('u:r:p')}:n:c")
    assert field(value, "response") == md5(f"{secret}:n:00000002:c:auth:{md5('REGISTER:sip:h')}")


def challenged(status: int, *challenges: str) -> Response:
    """A 401 or 407 with these challenges."""
    name = "Proxy-Authenticate" if status == 407 else "WWW-Authenticate"
    lines = "".join(f"{name}: {challenge}\r\n" for challenge in challenges)
    return response(request("REGISTER"), status, "Unauthorized", lines)


def test_topmost_supported_challenge_counts() -> None:
    """Of several for one realm the first that we know (RFC 8760 section 2.4)."""
    authenticator = Authenticator(MUFASA)
    unauthorized = challenged(
        401,
        'Digest realm="r", nonce="1", algorithm=SHA-1024',
        'Basic realm="r"',
        'Digest realm="r", nonce="2", algorithm=SHA-256, qop="auth,auth-int"',
        'Digest realm="r", nonce="3", algorithm=MD5',
    )
    assert authenticator.learn(unauthorized)
    ((name, value),) = authenticator.headers("REGISTER", "sip:h")
    assert (name, field(value, "nonce"), field(value, "algorithm")) == (
        "Authorization",
        "2",
        "SHA-256",
    )


def test_sha_512_256() -> None:
    """The third algorithm of RFC 8760; RFC 7616's own example of it also hashes the user name."""
    challenge = Challenge(is_proxy=False, realm="r", nonce="n", algorithm="SHA-512-256")

    def digest(text: str) -> str:
        return hashlib.new("sha512_256", text.encode()).hexdigest()

    value = challenge.answer(MUFASA, "REGISTER", "sip:h", count=1, cnonce="c")
    secret, asked = digest("Mufasa:r:Circle of Life"), digest("REGISTER:sip:h")
    assert field(value, "response") == digest(f"{secret}:n:{asked}")


def test_counts_the_uses_of_a_nonce() -> None:
    """nc goes up with each use and starts again with a new nonce."""
    authenticator = Authenticator(MUFASA, new_cnonce=lambda: "c")
    counts = []
    for nonce in ("a", "a", "b"):
        if nonce == "b":
            authenticator.learn(challenged(401, 'Digest realm="r",nonce="b",qop="auth"'))
        elif not counts:
            authenticator.learn(challenged(401, 'Digest realm="r",nonce="a",qop="auth"'))
        counts.append(field(authenticator.headers("BYE", "sip:h")[0][1], "nc"))
    assert counts == ["00000001", "00000002", "00000001"]


def test_proxy_and_registrar_at_once() -> None:
    """A proxy's challenge and a registrar's are both answered from then on."""
    authenticator = Authenticator(MUFASA)
    authenticator.learn(challenged(407, 'Digest realm="p", nonce="1"'))
    authenticator.learn(challenged(401, 'Digest realm="r", nonce="2"'))
    names = [name for name, _ in authenticator.headers("REGISTER", "sip:h")]
    assert names == ["Proxy-Authorization", "Authorization"]


def test_realms_are_not_remembered_without_end() -> None:
    """Some name each node, or each day: the latest few are answered."""
    authenticator = Authenticator(MUFASA)
    for number in (0, *range(50), 0):
        authenticator.learn(challenged(401, f'Digest realm="r{number}", nonce="1"'))
    found = [field(value, "realm") for _, value in authenticator.headers("REGISTER", "sip:h")]
    assert found == [*(f"r{number}" for number in range(51 - MOST_REALMS, 50)), "r0"]


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        "Digest",
        "Basic realm=x",
        'Digest realm="r"',
        'Digest realm="r", nonce="1", algorithm=AKAv1-MD5',
        'Digest realm="r", nonce="1", qop="auth-int"',
    ],
)
def test_challenges_that_can_not_be_answered(challenge: str) -> None:
    """Nothing is learnt from what we don't speak."""
    authenticator = Authenticator(MUFASA)
    assert not authenticator.learn(challenged(401, challenge))
    assert authenticator.headers("REGISTER", "sip:h") == ()


def test_stale() -> None:
    """stale=true in any case and quoting."""
    for flag, expected in (("stale=TRUE", True), ('stale="true"', True), ("stale=false", False)):
        assert is_stale(challenged(401, f'Digest realm="r", nonce="1", {flag}')) is expected


def test_password_stays_out_of_sight() -> None:
    """Neither repr nor answer shows it."""
    assert "Circle" not in repr(MUFASA)
