"""Who is registered with the lab's PBX, and whether they may be (RFC 3261 10.3, RFC 2617). No socket."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from softagent.lab.sipwire import (
    Address,
    Headers,
    Request,
    WireError,
    address_uri,
    auth_parameters,
    digest,
    parameter,
    uri_user,
)

REALM = "softagent-lab"
REMEMBERED_NONCES = 256


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a registered user is."""

    contact: str
    source: Address
    ends_at: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a REGISTER is to be answered."""

    status: int
    reason: str
    fields: tuple[tuple[str, str], ...] = ()


class Registrar:
    """Digest-authenticated bindings, one a user. The owner guards it; times are given to it."""

    def __init__(self, users: Mapping[str, str], *, grant_seconds: int) -> None:
        """`users`: name -> password. `grant_seconds`: longest registration."""
        self._users = dict(users)
        self._grant_seconds = grant_seconds
        self._bindings: dict[str, Binding] = {}
        self._nonces: OrderedDict[str, int] = OrderedDict()
        """Nonces given out, with the highest count that each was used with."""

    def find(self, user: str, *, now: float) -> Binding | None:
        """The user's current binding."""
        binding = self._bindings.get(user)
        return binding if binding and binding.ends_at > now else None

    def register(self, request: Request, source: Address, *, now: float) -> Verdict:
        """Judge a REGISTER, and add, refresh or remove the user's binding when it is right."""
        user = uri_user(address_uri(request.headers.first("To")))
        authorization = request.headers.first("Authorization")
        if not authorization:
            return self._challenge()
        try:
            given = auth_parameters(authorization)
            if not self._use_nonce(given):
                return self._challenge(", stale=true")
            if not self._is_right(user, given):
                return Verdict(403, "Forbidden")
            return self._bind(user, request.headers, source, now=now)
        except (KeyError, ValueError) as error:
            return Verdict(400, f"Bad Request ({type(error).__name__})")

    def _challenge(self, remark: str = "") -> Verdict:
        nonce = secrets.token_hex(16)
        self._nonces[nonce] = 0
        while len(self._nonces) > REMEMBERED_NONCES:
            self._nonces.popitem(last=False)
        value = f'Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5, qop="auth"{remark}'
        return Verdict(401, "Unauthorized", (("WWW-Authenticate", value),))

    def _use_nonce(self, given: Mapping[str, str]) -> bool:
        """False for a nonce that isn't ours, or was used with this count before (RFC 2617 3.2.2)."""
        count = int(given["nc"], 16) if given.get("qop") == "auth" else 1
        used = self._nonces.get(given["nonce"])
        if used is None or count <= used:
            return False
        self._nonces[given["nonce"]] = count
        return True

    def _is_right(self, user: str, given: dict[str, str]) -> bool:
        password = self._users.get(user)
        if password is None or given["username"] != user or given["realm"] != REALM:
            return False
        expected = digest(user=user, password=password, method="REGISTER", parameters=given)
        return secrets.compare_digest(expected, given["response"])

    def _bind(self, user: str, headers: Headers, source: Address, *, now: float) -> Verdict:
        contact = headers.first("Contact")
        asked = parameter(contact, "expires") or headers.first("Expires") or "3600"
        if not asked.isdecimal():
            raise WireError(f"bad expiry {asked!r}")
        granted = min(int(asked), self._grant_seconds)
        if granted and contact:
            self._bindings[user] = Binding(address_uri(contact), source, now + granted)
        elif not granted:
            self._bindings.pop(user, None)
        binding = self.find(user, now=now)
        bound = (("Contact", f"<{binding.contact}>;expires={granted}"),) if binding else ()
        return Verdict(200, "OK", (*bound, ("Expires", str(granted))))
