"""Registrations with numbers as time."""

from __future__ import annotations

import pytest

from softagent.lab.registrar import Registrar, Verdict
from softagent.lab.sipwire import Headers, Request, answer_challenge

SOURCE = ("127.0.0.1", 5599)


def request(*fields: tuple[str, str]) -> Request:
    headers = (("To", "<sip:100@lab>"), ("Contact", "<sip:100@127.0.0.1:5599>"), *fields)
    return Request("REGISTER", "sip:lab", Headers(headers))


def register(registrar: Registrar, *, expires: str, now: float) -> Verdict:
    """Answer a fresh challenge."""
    challenge = dict(registrar.register(request(), SOURCE, now=now).fields)["WWW-Authenticate"]
    answer = answer_challenge(
        challenge, user="100", password="secret", method="REGISTER", uri="sip:lab"
    )
    fields = (("Expires", expires), ("Authorization", answer))
    return registrar.register(request(*fields), SOURCE, now=now)


@pytest.fixture
def registrar() -> Registrar:
    return Registrar({"100": "secret"}, grant_seconds=40)


def test_a_registration_ends_when_its_time_is_up(registrar: Registrar) -> None:
    """30 s granted at 1000: there until 1030, gone from then on."""
    assert register(registrar, expires="30", now=1000.0).status == 200
    assert registrar.find("100", now=1029.9) is not None
    assert registrar.find("100", now=1030.0) is None


def test_a_refresh_starts_the_time_anew(registrar: Registrar) -> None:
    """Registered again at 1020: there until 1050."""
    for now in (1000.0, 1020.0):
        register(registrar, expires="30", now=now)
    assert registrar.find("100", now=1049.9) is not None


@pytest.mark.parametrize(
    "authorization",
    ["Basic abc", "Digest realm=x", 'Digest nonce="n", qop=auth, nc=zz'],
)
def test_a_malformed_answer_is_a_bad_request(registrar: Registrar, authorization: str) -> None:
    """400, not a crash."""
    verdict = registrar.register(request(("Authorization", authorization)), SOURCE, now=0.0)
    assert verdict.status == 400


def test_a_malformed_expiry_is_a_bad_request(registrar: Registrar) -> None:
    """A time that is no number."""
    assert register(registrar, expires="soon", now=0.0).status == 400
