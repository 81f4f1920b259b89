"""How often one request is sent again with credentials: once for each challenge, so that a wrong password ends it."""

from __future__ import annotations

from softagent.sip.digest import Authenticator, Challenge, is_stale
from softagent.sip.message import Response

MOST_ATTEMPTS = 5
"""The first, one each for the PBX and a proxy before it, and for a nonce of each that was too old."""


class Challenges:
    """The challenges to one request of ours (RFC 3261 section 22)."""

    def __init__(self, authenticator: Authenticator | None) -> None:
        """None towards somebody who has no business with our password."""
        self._authenticator = authenticator
        self._answered: set[tuple[int, str]] = set()
        self._attempts = 1

    def headers(self, method: str, uri: str) -> tuple[tuple[str, str], ...]:
        """The credentials to send along, those for challenges to other requests too."""
        return () if self._authenticator is None else self._authenticator.headers(method, uri)

    def take(self, response: Response) -> bool:
        """Whether a response is a challenge after which the request is worth sending again."""
        if response.status not in (401, 407) or self._authenticator is None:
            return False
        is_proxy = response.status == 407
        name = "Proxy-Authenticate" if is_proxy else "WWW-Authenticate"
        parsed = (Challenge.parse(v, is_proxy=is_proxy) for v in response.headers.values(name))
        realms = {(response.status, known.realm) for known in parsed if known is not None}
        is_new = is_stale(response) or not realms <= self._answered
        self._answered |= realms
        self._attempts += 1
        return is_new and self._attempts <= MOST_ATTEMPTS and self._authenticator.learn(response)
