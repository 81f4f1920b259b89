"""Digest authentication as a client: RFC 2617 and 7616 as SIP uses them (RFC 3261 section 22, RFC 8760)."""

from __future__ import annotations

import functools
import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from softagent.config import Secret
from softagent.sip.address import parameter, parse_parameters, split
from softagent.sip.message import Response

_HASHES: dict[str, Callable[[bytes], Any]] = {
    "MD5": functools.partial(hashlib.md5, usedforsecurity=False),
    "SHA-256": hashlib.sha256,
    "SHA-512-256": functools.partial(hashlib.new, "sha512_256"),
}
"""By the names of RFC 7616 section 6.1 and RFC 8760. Where OpenSSL keeps to FIPS 140, MD5 raises without that flag."""
MOST_REALMS = 8
"""Realms whose challenges are remembered, and answered with each request; the latest count."""
_CHALLENGES = (("WWW-Authenticate", False), ("Proxy-Authenticate", True))


@dataclass(frozen=True, slots=True)
class Credentials:
    """User name and password for every realm of the PBX."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Challenge:
    """One WWW-Authenticate or Proxy-Authenticate header."""

    is_proxy: bool
    realm: str
    nonce: str
    algorithm: str = ""
    """As the server spells it; empty where it names none, which means MD5."""
    qop: tuple[str, ...] = ()
    opaque: str | None = None
    is_stale: bool = False

    @classmethod
    def parse(cls, text: str, *, is_proxy: bool) -> Challenge | None:
        """Parse one header value; None for a scheme other than Digest or one without a nonce."""
        scheme, _, rest = text.strip().partition(" ")
        fields = tuple(item for part in split(rest, ",") for item in parse_parameters(part))
        nonce = parameter(fields, "nonce")
        if scheme.lower() != "digest" or nonce is None:
            return None
        return cls(
            is_proxy,
            parameter(fields, "realm") or "",
            nonce,
            parameter(fields, "algorithm") or "",
            tuple(option.lower() for option in split(parameter(fields, "qop") or "", ",")),
            parameter(fields, "opaque"),
            (parameter(fields, "stale") or "").lower() == "true",
        )

    @property
    def is_usable(self) -> bool:
        """Whether we know the algorithm and the quality of protection."""
        return self._hash_name in _HASHES and (not self.qop or "auth" in self.qop)

    @property
    def _hash_name(self) -> str:
        return (self.algorithm or "MD5").upper().removesuffix("-SESS")

    def answer(
        self, credentials: Credentials, method: str, uri: str, *, count: int, cnonce: str
    ) -> str:
        """The Authorization header's value (RFC 7616 section 3.4); `count` is the use of this nonce, from 1."""
        new = _HASHES[self._hash_name]

        def digest(*parts: str) -> str:
            text = ":".join(parts).encode("utf-8", "surrogateescape")
            return str(new(text).hexdigest())

        secret = digest(credentials.username, self.realm, credentials.password.value)
        if self.algorithm.lower().endswith("-sess"):
            secret = digest(secret, self.nonce, cnonce)
        request = digest(method, uri)
        uses = f"{count:08x}"
        proof = (self.nonce, uses, cnonce, "auth") if self.qop else (self.nonce,)
        fields = {
            "username": _quote(credentials.username),
            "realm": _quote(self.realm),
            "nonce": _quote(self.nonce),
            "uri": _quote(uri),
            "response": _quote(digest(secret, *proof, request)),
        }
        if self.algorithm:
            fields["algorithm"] = self.algorithm
        if self.opaque is not None:
            fields["opaque"] = _quote(self.opaque)
        if self.qop or self.algorithm.lower().endswith("-sess"):
            fields["cnonce"] = _quote(cnonce)
        if self.qop:
            fields |= {"qop": "auth", "nc": uses}
        return "Digest " + ", ".join(f"{name}={value}" for name, value in fields.items())


class Authenticator:
    """Answers challenges, and sends the answer along unasked while the server's nonce holds.

    Used by one owner that does its own locking.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        new_cnonce: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._credentials = credentials
        self._new_cnonce = new_cnonce
        self._challenges: dict[tuple[bool, str], Challenge] = {}
        self._uses: dict[str, int] = {}

    def learn(self, response: Response) -> bool:
        """Take the challenges of a 401 or 407; whether there is one that can be answered.

        A forking proxy puts those of several servers into one response, of either kind (RFC
        3261 section 22.3). Of several for one realm the topmost that we support counts (RFC
        8760 section 2.4).
        """
        fresh: dict[tuple[bool, str], Challenge] = {}
        for challenge in _challenges(response):
            if challenge.is_usable:
                fresh.setdefault((challenge.is_proxy, challenge.realm), challenge)
        for key, challenge in fresh.items():
            self._challenges.pop(key, None)
            self._challenges[key] = challenge
        for key in list(self._challenges)[:-MOST_REALMS]:
            del self._challenges[key]
        self._forget_old_nonces()
        return bool(fresh)

    def renew(self, response: Response) -> None:
        """Take the nonce that a 2xx gives for the next request (RFC 7616 section 3.5), if it gives one.

        It names no realm, so it counts where there is only one.
        """
        for name, is_proxy in (("Authentication-Info", False), ("Proxy-Authentication-Info", True)):
            value = response.headers.first(name) or ""
            fields = tuple(item for part in split(value, ",") for item in parse_parameters(part))
            nonce = parameter(fields, "nextnonce")
            keys = [key for key in self._challenges if key[0] is is_proxy]
            if nonce and len(keys) == 1:
                self._challenges[keys[0]] = replace(self._challenges[keys[0]], nonce=nonce)
        self._forget_old_nonces()

    def _forget_old_nonces(self) -> None:
        nonces = {challenge.nonce for challenge in self._challenges.values()}
        self._uses = {nonce: uses for nonce, uses in self._uses.items() if nonce in nonces}

    def headers(self, method: str, uri: str) -> tuple[tuple[str, str], ...]:
        """Authorization headers for one request, one for each realm that has challenged us."""
        found = []
        for challenge in self._challenges.values():
            count = self._uses[challenge.nonce] = self._uses.get(challenge.nonce, 0) + 1
            value = challenge.answer(
                self._credentials, method, uri, count=count, cnonce=self._new_cnonce()
            )
            name = "Proxy-Authorization" if challenge.is_proxy else "Authorization"
            found.append((name, value))
        return tuple(found)


def is_stale(response: Response) -> bool:
    """Whether a 401 or 407 only says that the nonce was too old: the credentials were right."""
    return any(challenge.is_stale for challenge in _challenges(response))


def is_answerable(response: Response) -> bool:
    """Whether there is a challenge in a 401 or 407 that we know how to answer."""
    return any(challenge.is_usable for challenge in _challenges(response))


def _challenges(response: Response) -> Iterator[Challenge]:
    """Every Digest challenge in a response, in its order."""
    for name, is_proxy in _CHALLENGES:
        for value in response.headers.values(name):
            if (challenge := Challenge.parse(value, is_proxy=is_proxy)) is not None:
                yield challenge


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
