"""The registration at work: finds the registrar, sends what the Registrant wants sent, tells what came of it."""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from softagent.config import Account
from softagent.sip.address import Uri
from softagent.sip.alarm import NEVER
from softagent.sip.contact import Contact
from softagent.sip.digest import Authenticator
from softagent.sip.endpoint import Endpoint
from softagent.sip.hop import Hop, Transport
from softagent.sip.locating import Place
from softagent.sip.message import Headers, Request, Response
from softagent.sip.pacing import Pacing
from softagent.sip.phone import Registration, RegistrationState
from softagent.sip.registration import Registrant
from softagent.sip.resolve import Locator
from softagent.sip.rota import Rota, servers_of

log = logging.getLogger("softagent.sip")

MOST_REDIRECTIONS = 2
"""Followed in a row."""
TCP_TRIES_SECONDS = 60.0
"""Between two attempts to connect for large requests."""


class Binding:
    """One account's contact at its registrar. Used under the endpoint's lock."""

    def __init__(
        self,
        account: Account,
        endpoint: Endpoint,
        locator: Locator,
        authenticator: Authenticator,
        *,
        pacing: Pacing,
        on_registration: Callable[[Registration], None],
        on_resolved: Callable[[Iterable[str]], None] = lambda hosts: None,
    ) -> None:
        """`on_registration` is called on the signalling thread; `on_resolved` gets the PBX's IP addresses."""
        self.registrant = Registrant(
            authenticator, expires_seconds=account.expires_seconds, pacing=pacing
        )
        self._account = account
        self._endpoint = endpoint
        self._locator = locator
        self._pacing = pacing
        self._on_registration = on_registration
        self._on_resolved = on_resolved
        self._rota = Rota(servers_of(account), check_seconds=pacing.primary_check_seconds)
        self._published = self.registrant.registration
        self._hops: list[Hop] = []
        """Addresses of the registrar that are left to try; the first is in use."""
        self._detours: list[Uri] = []
        """Where redirections have led, in their order; the last one counts."""
        self._is_waiting = False
        self._latest: Request | None = None
        self._contact = Contact(account, endpoint)
        self._settled_at = -NEVER
        self._next_look = NEVER
        self._next_keep_alive = NEVER
        self._next_tcp = -NEVER

    @property
    def hop(self) -> Hop | None:
        """The registrar's address, or the proxy's; None before it is known, and while it can't be reached."""
        return self._hops[0] if self._hops else None

    @property
    def domain(self) -> str:
        """Of our address at the registrar in use."""
        return self._rota.current.domain

    @property
    def contact(self) -> Contact:
        """Our address as the registrar's side reaches it."""
        return self._contact

    @property
    def route(self) -> tuple[str, ...]:
        """Route values for requests that begin something (RFC 3608, or the outbound proxy)."""
        proxy = self._rota.current.route
        return self.registrant.service_route or ((proxy,) if proxy else ())

    def start(self) -> None:
        """Register as soon as the signalling thread gets to it."""
        self.registrant.next_wake = self._endpoint.now
        self._endpoint.poke()

    def wake(self, now: float) -> float:
        """Send the REGISTER that is due, if one is; when to be called again."""
        if not self._is_waiting and now >= self.registrant.next_wake:
            with self._surviving():
                self._register(now)
        if self.registrant.is_registered:
            self._look_after(now)
        self._publish()
        if self._is_waiting:
            return NEVER
        wakes = [self.registrant.next_wake]
        if self.registrant.is_registered:
            wakes += [self._next_look, self._next_keep_alive, self._rota.next_check]
        return min(wakes)

    def hear_located(self) -> None:
        """A look-up has ended: calls may come from where the registrar's name leads to."""
        self._is_waiting = False
        if (located := self._locator.find(self._place)) is not None:
            self._on_resolved(hop.host for hop in located.hops)
        self._endpoint.poke()

    def remove(self) -> None:
        """Begin to take the registration back; `registrant.is_removed` tells when that is done."""
        request = self.registrant.remove()
        if request is not None:
            self._send(request)

    def lose(self, hop: Hop) -> None:
        """A connection has ended: over the registrar's no call could come, so another one is made soon."""
        if self.hop is not None and self.hop.shares(hop) and self.registrant.is_registered:
            earliest = self._settled_at + self._pacing.reconnect_seconds
            self.registrant.next_wake = max(self._endpoint.now, earliest)

    def _register(self, now: float) -> None:
        if not self._hops and not self._find(now):
            return
        hop = self._hops[0]
        try:
            self._endpoint.prepare(hop)
            self.registrant.contact = self._contact.towards(hop)
        except OSError as error:
            self.registrant.handle_failure(f"no route to {self._where}: {error.strerror}", now)
            self._go_on(now)
            return
        self._aim(hop)
        request = self.registrant.wake(now)
        if request is not None:
            self._send(request)

    @property
    def _place(self) -> Place:
        return Place.of(self._detours[-1]) if self._detours else self._rota.current.place

    @property
    def _where(self) -> str:
        """The registrar in words."""
        return str(self.hop or self._place)

    def _find(self, now: float) -> bool:
        """Have the registrar's addresses in `_hops`; False while or because there are none."""
        located = self._locator.find(self._place)
        if located is None:
            self._is_waiting = True
            return False
        self._on_resolved(hop.host for hop in located.hops)
        ours = self._account.local_address
        self._hops = [h for h in located.hops if not ours or (":" in h.host) == (":" in ours)]
        if self._hops:
            return True
        problem = (
            located.problem or f'"{self._place.host}" has no address of the same kind as {ours}'
        )
        self.registrant.handle_failure(problem, now)
        self._go_on(now)
        return False

    def _aim(self, hop: Hop) -> None:
        server, route = self._rota.current, self._rota.current.route
        registrar = Uri("sip", "", server.domain)
        if self._detours:
            latest = self._detours[-1]
            registrar, route = replace(latest, user="", parameters=()), ""
        address = Uri("sip", self._account.username, server.domain)
        self.registrant.aim(address, registrar, route=route, where=str(hop))

    def _send(self, request: Request) -> None:
        if not self._hops:
            self.registrant.handle_failure(f"no address for {self._where}", self._endpoint.now)
            return

        def take(response: Response | None) -> None:
            if request is self._latest:
                with self._surviving():
                    self._take(response)

        self._latest = request
        has_others = self._rota.has_others or len(self._hops) > 1
        patience = self._pacing.failover_seconds if has_others else self._pacing.answer_seconds
        limit = min(patience, self._pacing.answer_seconds)
        self._endpoint.request(request, self._hops[0], take, limit_seconds=limit)

    @contextlib.contextmanager
    def _surviving(self) -> Iterator[None]:
        """What breaks in here is tried again later: nothing else would ever wake the registration."""
        try:
            yield
        except Exception as error:
            log.exception("account=%s event=registration-failed", self._account.name)
            self.registrant.handle_failure(f"failed here: {error!r}", self._endpoint.now)
            self._publish()

    def _take(self, response: Response | None) -> None:
        now = self._endpoint.now
        if response is None:
            trouble = self._endpoint.trouble(self._hops[0]) if self._hops else ""
            where = self._where
            reason = f"{where}: {trouble}" if trouble else f"no answer from {where}"
            if self._hops and not trouble:  # alive or not: another connection may do better
                self._endpoint.disconnect(self._hops[0], reason)
            self.registrant.handle_failure(reason, now)
        elif (following := self.registrant.handle(response, now)) is not None:
            self._send(following)
            return
        if self.registrant.redirections:
            self._follow(now)
        elif self.registrant.registration.state is RegistrationState.FAILED:
            self._go_on(now)
        elif response is not None and self.registrant.is_registered:
            self._settle(response, now)
        self._publish()

    def _settle(self, response: Response, now: float) -> None:
        """Registered: see whether a NAT is in between, and begin to look after it."""
        self._settled_at = now
        if self._hops:
            self._endpoint.trouble(
                self._hops[0]
            )  # what it was has passed: no reason for a later failure
        if self._contact.learn(response, now):
            self.registrant.next_wake = now
        if self._next_look == NEVER:
            self._next_look = now + self._pacing.address_check_seconds
        if self._next_keep_alive == NEVER and self._account.keep_alive_seconds:
            self._next_keep_alive = now + self._account.keep_alive_seconds

    def _go_on(self, now: float) -> None:
        """After a failure: to the next address, or to the next registrar, at once where somebody may do better."""
        if self.registrant.is_removed:
            return
        if not self.registrant.is_unavailable:  # it has spoken: another one would say the same
            self._start_over()
            return
        if len(self._hops) > 1:
            self._hops.pop(0)
            self._rota.step_down(now)
            self.registrant.next_wake = now
            return
        was_detour = bool(self._detours)
        self._start_over()
        if not was_detour and not self._rota.fail(now):
            self.registrant.next_wake = now

    def _start_over(self) -> None:
        """Look the registrar up again the next time: it may have moved."""
        self._locator.forget(self._place)
        self._hops, self._detours = [], []

    def _follow(self, now: float) -> None:
        """Go where the registrar has sent us, but neither for ever nor in circles (RFC 3261 section 8.1.3.4)."""
        been = {self._rota.current.place, *(Place.of(uri) for uri in self._detours)}
        new = (uri for uri in self.registrant.redirections if Place.of(uri) not in been)
        following = next(new, None)
        if following is None or len(self._detours) >= MOST_REDIRECTIONS:
            self._start_over()
            return
        self._detours.append(following)
        self._hops = []
        self.registrant.next_wake = now

    def _look_after(self, now: float) -> None:
        """What a registration needs between two REGISTERs."""
        hop = self._hops[0] if self._hops else None
        if hop is None:
            return
        if now >= self._next_look:
            self._next_look = now + self._pacing.address_check_seconds
            if self._contact.has_moved(hop):
                self.registrant.next_wake = now
            self._prepare_tcp(hop, now)
            self._locator.find(self._place)  # others may serve us by now
        if now >= self._next_keep_alive:
            self._next_keep_alive = now + self._account.keep_alive_seconds
            self._endpoint.keep_alive(hop)
        if self._rota.begin_check(now):
            self._check_primary()

    def _prepare_tcp(self, hop: Hop, now: float) -> None:
        """A connection for requests that are too large for UDP; without one they go by UDP."""
        wants_tcp = self._account.large_requests == "tcp" and hop.transport is Transport.UDP
        if wants_tcp and now >= self._next_tcp:
            self._next_tcp = now + TCP_TRIES_SECONDS
            try:
                self._endpoint.prepare(replace(hop, transport=Transport.TCP))
            except OSError:  # no route: UDP has the same trouble, and says so
                return

    def _check_primary(self) -> None:
        """Ask the primary registrar whether it is back; any answer but 503 means that."""
        server = self._rota.primary
        located = self._locator.find(server.place)
        if located is None or not located.hops:
            return

        def take(response: Response | None) -> None:
            now, is_alive = self._endpoint.now, response is not None and response.status != 503
            if self._rota.hear_primary(is_alive, now):
                self._hops, self._detours = [], []
                self.registrant.next_wake = now

        address = f"<{Uri('sip', self._account.username, server.domain)}>"
        fields = (
            ("From", f"{address};tag={secrets.token_hex(8)}"),
            ("To", address),
            ("Call-ID", secrets.token_hex(16)),
            ("CSeq", "1 OPTIONS"),
        )
        request = Request("OPTIONS", str(Uri("sip", "", server.domain)), Headers(fields))
        limit = self._pacing.failover_seconds
        self._endpoint.request(request, located.hops[0], take, limit_seconds=limit)

    def _publish(self) -> None:
        registration = self.registrant.registration
        if registration == self._published:
            return
        self._published = registration
        self._endpoint.notify(lambda: self._on_registration(registration))
