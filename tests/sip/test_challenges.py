"""When a request is worth sending again with credentials."""

from __future__ import annotations

import pytest
from wire import request, response

from softagent.config import Secret
from softagent.sip.challenges import MOST_ATTEMPTS, Challenges
from softagent.sip.digest import Authenticator, Credentials
from softagent.sip.message import Response

INVITE = request("INVITE")


@pytest.fixture
def challenges() -> Challenges:
    return Challenges(Authenticator(Credentials("1000", Secret("letmein"))))


def challenge(status: int = 401, realm: str = "pbx", more: str = "") -> Response:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    headers = f'{name}: Digest realm="{realm}", nonce="n{more}"{more}\r\n'
    return response(INVITE, status, headers=headers)


def test_each_realm_is_answered_once(challenges: Challenges) -> None:
    """The PBX and a proxy before it; a second time the password is wrong."""
    assert challenges.take(challenge(407, "proxy"))
    assert challenges.take(challenge(401, "pbx"))
    names = [name for name, _ in challenges.headers("INVITE", INVITE.uri)]
    assert names == ["Proxy-Authorization", "Authorization"]
    assert not challenges.take(challenge(401, "pbx"))


def test_stale_nonce_is_no_refusal(challenges: Challenges) -> None:
    """It is renewed, but not for ever."""
    taken = [challenges.take(challenge(more=", stale=true")) for _ in range(MOST_ATTEMPTS)]
    assert taken == [True] * (MOST_ATTEMPTS - 1) + [False]


@pytest.mark.parametrize("status", [200, 403, 486])
def test_other_responses_are_no_challenge(challenges: Challenges, status: int) -> None:
    assert not challenges.take(response(INVITE, status))


def test_unknown_scheme_can_not_be_answered(challenges: Challenges) -> None:
    answer = response(INVITE, 401, headers='WWW-Authenticate: Basic realm="pbx"\r\n')
    assert not challenges.take(answer)
