"""LabPbx: a registrar on loopback that telephones register with and that can call them.

telephone -> REGISTER, OPTIONS -> LabPbx
telephone <- INVITE .. BYE     <- LabCall
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from softagent.lab.endpoint import SipEndpoint
from softagent.lab.outgoing import ALLOW, CallFailed, Dialled, LabCall
from softagent.lab.sipwire import (
    Address,
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
class _Binding:
    """Where a registered user is (RFC 3261 10.3)."""

    contact: str
    source: Address
    ends_at: float


class LabPbx:
    """A small PBX: digest-authenticated registrations, OPTIONS, outgoing calls.

    Any thread may call the public methods; requests are handled on the endpoint's receive thread.
    """

    def __init__(
        self,
        users: Mapping[str, str],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        grant_seconds: int = 120,
    ) -> None:
        """`users`: name -> password. `grant_seconds`: longest registration. Raises PortInUse."""
        self._users = dict(users)
        self._grant_seconds = grant_seconds
        self._endpoint = SipEndpoint(host, port, on_request=self._handle, name="lab-pbx")
        self._changed = threading.Condition()
        """Guards the three below; waiters are told of each registration."""
        self._bindings: dict[str, _Binding] = {}
        self._nonces: OrderedDict[str, int] = OrderedDict()
        self._calls: dict[str, LabCall] = {}

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._endpoint.address

    def start(self) -> None:
        self._endpoint.start()

    def stop(self) -> None:
        """End every call and close the socket."""
        with self._changed:
            calls = list(self._calls.values())
        for call in calls:
            call.hang_up()
        self._endpoint.stop()

    def is_registered(self, user: str) -> bool:
        with self._changed:
            return self._find(user) is not None

    def wait_registered(self, user: str, timeout_seconds: float) -> bool:
        """Wait until `user` has registered; False when it hasn't by then."""
        with self._changed:
            return self._changed.wait_for(lambda: self._find(user) is not None, timeout_seconds)

    def call(
        self,
        user: str,
        *,
        media: Address,
        codecs: Sequence[str] = ("PCMU", "PCMA"),
        caller: str = "200",
        caller_name: str = "Lab caller",
    ) -> LabCall:
        """Ring a registered user; audio is taken at `media`. Raises CallFailed when it isn't registered."""
        host, port = self._endpoint.address
        with self._changed:
            binding = self._find(user)
            if binding is None:
                raise CallFailed(404, f"{user} is not registered")
            dialled = Dialled(
                uri=binding.contact,
                address=binding.source,
                from_uri=f"sip:{caller}@{host}:{port}",
                from_name=caller_name,
            )
            call = LabCall(self._endpoint, dialled, media=media, codecs=codecs)
            self._calls = {name: old for name, old in self._calls.items() if not old.is_over}
            self._calls[call.call_id] = call
        call.invite()
        return call

    def _handle(self, request: Request, source: Address) -> None:
        with self._changed:
            call = self._calls.get(request.headers.first("Call-ID"))
        if call is not None:
            call.handle(request, source)
            return
        match request.method:
            case "REGISTER":
                self._register(request, source)
            case "OPTIONS":
                self._endpoint.respond(
                    request, source, 200, "OK", fields=(("Allow", ALLOW),), tag="lab"
                )
            case "ACK":
                pass
            case "BYE" | "CANCEL" | "INFO" | "UPDATE":
                self._endpoint.respond(request, source, 481, "Call/Transaction Does Not Exist")
            case _:
                self._endpoint.respond(request, source, 501, "Not Implemented", tag="lab")

    # Registrations ---------------------------------------------------------------

    def _register(self, request: Request, source: Address) -> None:
        user = uri_user(address_uri(request.headers.first("To")))
        authorization = request.headers.first("Authorization")
        if not authorization:
            self._challenge(request, source)
            return
        try:
            given = auth_parameters(authorization)
            verdict = self._verify(user, given)
        except (KeyError, ValueError):
            self._endpoint.respond(request, source, 400, "Bad Authorization", tag="lab")
            return
        match verdict:
            case "stale":
                self._challenge(request, source, is_stale=True)
            case "refused":
                self._endpoint.respond(request, source, 403, "Forbidden", tag="lab")
            case _:
                self._bind(user, request, source)

    def _challenge(self, request: Request, source: Address, *, is_stale: bool = False) -> None:
        nonce = secrets.token_hex(16)
        with self._changed:
            self._nonces[nonce] = 0
            while len(self._nonces) > REMEMBERED_NONCES:
                self._nonces.popitem(last=False)
        value = f'Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5, qop="auth"'
        if is_stale:
            value += ", stale=true"
        self._endpoint.respond(
            request, source, 401, "Unauthorized", fields=(("WWW-Authenticate", value),), tag="lab"
        )

    def _verify(self, user: str, given: dict[str, str]) -> str:
        """ "granted", "refused", or "stale" for a nonce that isn't ours or was used with this count.

        Raises KeyError or ValueError for an incomplete answer (RFC 2617 3.2.2).
        """
        count = int(given["nc"], 16) if given.get("qop") == "auth" else 1
        password = self._users.get(user)
        with self._changed:
            used = self._nonces.get(given["nonce"])
            if used is None or count <= used:
                return "stale"
            self._nonces[given["nonce"]] = count
        if password is None or given["username"] != user or given["realm"] != REALM:
            return "refused"
        expected = digest(user=user, password=password, method="REGISTER", parameters=given)
        return "granted" if secrets.compare_digest(expected, given["response"]) else "refused"

    def _bind(self, user: str, request: Request, source: Address) -> None:
        """Add, refresh or (with an expiry of 0) remove the user's contact (RFC 3261 10.3)."""
        contact = request.headers.first("Contact")
        asked = parameter(contact, "expires") or request.headers.first("Expires") or "3600"
        if not asked.isdecimal():
            raise WireError(f"bad expiry {asked!r}")
        granted = min(int(asked), self._grant_seconds)
        with self._changed:
            if granted and contact:
                ends_at = time.monotonic() + granted
                self._bindings[user] = _Binding(address_uri(contact), source, ends_at)
            elif not granted:
                self._bindings.pop(user, None)
            binding = self._find(user)
            self._changed.notify_all()
        bound = (("Contact", f"<{binding.contact}>;expires={granted}"),) if binding else ()
        fields = (*bound, ("Expires", str(granted)))
        self._endpoint.respond(request, source, 200, "OK", fields=fields, tag="lab")

    def _find(self, user: str) -> _Binding | None:
        """The user's current binding. Call it with the lock held."""
        binding = self._bindings.get(user)
        return binding if binding and binding.ends_at > time.monotonic() else None
