"""One account's line to its PBX: the signalling socket, the registration and the credentials together."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from softagent.config import Account
from softagent.sip.address import NameAddress, Uri
from softagent.sip.addressing import local_address
from softagent.sip.admission import Admission
from softagent.sip.agreement import Abilities
from softagent.sip.binding import Binding
from softagent.sip.digest import Authenticator, Credentials
from softagent.sip.endpoint import Endpoint
from softagent.sip.errors import MessageError
from softagent.sip.hop import Hop
from softagent.sip.locating import Place
from softagent.sip.message import Request
from softagent.sip.pacing import Pacing
from softagent.sip.phone import OnResult, Registration, Result
from softagent.sip.repetition import Timing
from softagent.sip.resolve import Locator
from softagent.sip.sdp import family_of
from softagent.sip.tls import TlsPolicy
from softagent.sip.transaction import ServerTransaction
from softagent.sip.uas import Fields, capabilities


class Line:
    """What a telephone plugs into. Any thread may open and close it; the rest is used under `lock`."""

    def __init__(
        self,
        account: Account,
        *,
        timing: Timing,
        pacing: Pacing,
        on_request: Callable[[ServerTransaction], None],
        has_dialog: Callable[[Request], bool],
        on_registration: Callable[[Registration], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`has_dialog` tells whether a request belongs to a call. `on_request` is called under the lock, `on_registration` without it; both on the signalling thread."""
        self._account = account
        self._has_dialog = has_dialog
        self._admission = Admission(
            account.access, is_known=self._is_known, is_repeated=self._is_repeated
        )
        names, whose = (account.registrar, account.domain), f'account "{account.name}": '
        self._tls = TlsPolicy(account.tls, names, whose=whose)
        self.endpoint = Endpoint(
            account.name,
            timing=timing,
            on_request=on_request,
            on_wake=lambda now: self._binding.wake(now),
            on_lost=lambda hop: self._binding.lose(hop),
            locate=self.locate,
            tls=self._tls,
            admission=self._admission,
            clock=clock,
        )
        self.lock = self.endpoint.lock
        user = account.auth_user or account.username
        self.authenticator = Authenticator(Credentials(user, account.password))
        self._locator = Locator(
            account.name,
            self.lock,
            on_located=lambda: self._binding.hear_located(),
            clock=clock,
        )
        self._binding = Binding(
            account,
            self.endpoint,
            self._locator,
            self.authenticator,
            pacing=pacing,
            on_registration=on_registration,
            on_resolved=self._admission.trust,
        )

    @property
    def capabilities(self) -> Fields:
        """What an OPTIONS is told."""
        return capabilities(self._account.language)

    @property
    def identity(self) -> Uri:
        """Our address of record, as others know us."""
        return Uri("sip", self._account.username, self._binding.domain)

    @property
    def pbx(self) -> Hop | None:
        """Where calls of ours go; None while the registrar's name isn't resolved, or it can't be reached."""
        hop, route = self._binding.hop, self._binding.registrant.service_route
        if hop is None or not route:
            return hop
        return Hop.towards(NameAddress.parse(route[0]).uri, hop) or hop

    @property
    def registration(self) -> Registration:
        """Where the registration stands."""
        with self.lock:
            return self._binding.registrant.registration

    def open(self) -> None:
        """Bind the sockets and start their thread. Raises PortInUse, or ConfigError for a certificate too."""
        account = self._account
        if account.transport in ("tls", "auto"):
            self._tls.load()
        needs_tcp = account.transport == "tcp"
        self.endpoint.open(account.local_address, account.local_port, needs_tcp=needs_tcp)

    def register(self) -> None:
        """Begin to register, and keep at it."""
        with self.lock:
            self._binding.start()

    def close(self, *, timeout_seconds: float) -> None:
        """Remove the registration, wait until that and every other request is answered, close the socket."""
        deadline = time.monotonic() + timeout_seconds
        if self.endpoint.is_open:
            with self.lock:
                self._binding.remove()
                self.endpoint.changed.wait_for(self._is_quiet, timeout_seconds)
        self.endpoint.close(max(0.1, deadline - time.monotonic()))

    def tell(self, on_result: OnResult, result: Result) -> None:
        """Have the end of an action told without the lock: on the signalling thread, or here where that has ended."""
        if self.endpoint.is_alive:
            self.endpoint.notify(functools.partial(on_result, result))
        else:
            on_result(result)

    def authenticator_towards(self, source: Hop) -> Authenticator | None:
        """Our credentials for a call with whoever is there: the PBX's only.

        Anybody else who may call could challenge our BYE, and guess the password from the answer.
        """
        return self.authenticator if self._admission.is_pbx(source.host) else None

    def contact_towards(self, source: Hop) -> Uri:
        """Our address as the other side can reach it."""
        return self._binding.contact.for_peer(source)

    def locate(self, hop: Hop) -> Hop:
        """The hop whose name has been looked up in the place of one that stands in for it.

        Begins the look-up; until it has ended, and when it leads nowhere, the hop stays as it is.
        """
        if hop.stands_for is None:
            return hop
        usual = hop.transport if hop.transport.is_reliable else None
        located = self._locator.find(Place.of(hop.stands_for, usual=usual))
        return located.hops[0].by_way_of(hop) if located and located.hops else hop

    def host_towards(self, source: Hop) -> str:
        """Our address on this machine for whoever is there: where sound can be received. Raises OSError."""
        return self._account.local_address or local_address(source)

    @property
    def route(self) -> tuple[str, ...]:
        """Route values for requests that begin something: of the Service-Route, or of the outbound proxy."""
        return self._binding.route

    def abilities(self, contact: Uri) -> Abilities:
        """What we can do with sound that comes to that address of ours."""
        account = self._account
        return Abilities(account.codecs, family_of(contact.host), account.srtp)

    @property
    def session_seconds(self) -> int:
        """The interval of the session timer to ask for."""
        return self._account.session_seconds

    def _is_repeated(self, request: Request) -> bool:
        """Whether a request has come before, so that its answer is known already."""
        try:
            return self.endpoint.transactions.knows(request)
        except MessageError:  # damaged
            return False

    def _is_known(self, request: Request) -> bool:
        """Whether a request belongs to a call, or takes one back that rings (RFC 3261 section 9.2)."""
        try:
            if request.method == "CANCEL":
                return self.endpoint.transactions.invite_of(request) is not None
            return self._has_dialog(request)
        except MessageError:  # damaged
            return False

    def _is_quiet(self) -> bool:
        return self._binding.registrant.is_removed and self.endpoint.transactions.is_quiet
