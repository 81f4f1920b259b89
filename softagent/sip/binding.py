"""The registration at work: finds the registrar, sends what the Registrant wants sent, tells what came of it."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable

from softagent.config import Account
from softagent.sip.address import Uri, join_host_port
from softagent.sip.alarm import NEVER
from softagent.sip.digest import Authenticator
from softagent.sip.endpoint import Endpoint
from softagent.sip.hop import Hop, Transport
from softagent.sip.message import Request, Response
from softagent.sip.phone import Registration, RegistrationState
from softagent.sip.registration import Pacing, Registrant


class Binding:
    """One account's contact at its registrar. Used under the endpoint's lock."""

    def __init__(
        self,
        account: Account,
        endpoint: Endpoint,
        authenticator: Authenticator,
        *,
        pacing: Pacing,
        on_registration: Callable[[Registration], None],
        on_resolved: Callable[[Iterable[str]], None],
    ) -> None:
        """`on_resolved` gets every IP address that the registrar's name stands for."""
        domain = account.domain or account.registrar
        self.registrant = Registrant(
            Uri("sip", account.username, domain),
            Uri("sip", "", domain),
            authenticator,
            expires_seconds=account.expires_seconds,
            pacing=pacing,
        )
        self._account = account
        self._transport = Transport[account.transport.upper()]
        self._port = account.port or self._transport.default_port
        self._endpoint = endpoint
        self._answer_seconds = pacing.answer_seconds
        self._on_registration = on_registration
        self._on_resolved = on_resolved
        self._published = self.registrant.registration
        self._hop: Hop | None = None
        self._is_resolving = False
        self._latest: Request | None = None

    @property
    def where(self) -> str:
        """The registrar as the user wrote it, for messages."""
        return join_host_port(self._account.registrar, self._account.port or None)

    @property
    def hop(self) -> Hop | None:
        """The registrar's address; None before its name is resolved, and while it can't be reached."""
        return self._hop

    def start(self) -> None:
        """Register as soon as the signalling thread gets to it."""
        self.registrant.next_wake = self._endpoint.now
        self._endpoint.poke()

    def wake(self, now: float) -> float:
        """Send the REGISTER that is due, if one is; when to be called again."""
        if not self._is_resolving and now >= self.registrant.next_wake:
            self._register(now)
        self._publish()
        return NEVER if self._is_resolving else self.registrant.next_wake

    def remove(self) -> None:
        """Begin to take the registration back; `registrant.is_removed` tells when that is done."""
        request = self.registrant.remove()
        if request is not None:
            self._send(request)

    def lose(self, hop: Hop) -> None:
        """A connection has ended: over the registrar's no call could come, so another one is made at once."""
        if self._hop is not None and self._hop.shares(hop) and self.registrant.is_registered:
            self.registrant.next_wake = self._endpoint.now

    def _register(self, now: float) -> None:
        if self._hop is None:
            self._resolve()
            return
        try:
            self._endpoint.prepare(self._hop)
            contact = self._endpoint.contact(
                self._account.username, self._hop, self._account.local_address
            )
        except OSError as error:
            self.registrant.handle_failure(f"no route to {self.where}: {error.strerror}", now)
            return
        self.registrant.contact = contact
        request = self.registrant.wake(now)
        if request is not None:
            self._send(request)

    def _send(self, request: Request) -> None:
        if self._hop is None:
            self.registrant.handle_failure(f"no address for {self.where}", self._endpoint.now)
            return

        def take(response: Response | None) -> None:
            if request is self._latest:
                self._take(response)

        self._latest = request
        self._endpoint.request(request, self._hop, take, limit_seconds=self._answer_seconds)

    def _take(self, response: Response | None) -> None:
        now = self._endpoint.now
        if response is None:
            trouble = self._hop and self._endpoint.trouble(self._hop)
            reason = f"{self.where}: {trouble}" if trouble else f"no answer from {self.where}"
            self.registrant.handle_failure(reason, now)
        elif (following := self.registrant.handle(response, now)) is not None:
            self._send(following)
        if self.registrant.registration.state is RegistrationState.FAILED:
            self._hop = None  # look the name up again: the PBX may have moved
        self._publish()

    def _resolve(self) -> None:
        """Find the registrar's address: at once from a number, else in a thread, for a look-up may take long."""
        host, port, transport = self._account.registrar, self._port, self._transport
        try:
            ipaddress.ip_address(host)
        except ValueError:
            self._is_resolving = True
            name = f"sip-resolve-{self._account.name}"
            threading.Thread(target=self._look_up, name=name, daemon=True).start()
        else:
            self._hop = Hop(host, port, transport, name=host)
            self._on_resolved((host,))
            self._register(self._endpoint.now)

    def _look_up(self) -> None:
        """Runs in its own thread; nobody waits for it, since getaddrinfo can't be stopped."""
        host, port = self._account.registrar, self._port
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
            address, problem = found[0][4], ""
            hosts = [str(entry[4][0]) for entry in found]
        except (OSError, UnicodeError) as error:
            address, hosts, problem = None, [], f'the name "{host}" can\'t be resolved: {error}'
        with self._endpoint.lock:
            self._is_resolving = False
            self._hop = (
                None if address is None else Hop(str(address[0]), port, self._transport, name=host)
            )
            self._on_resolved(hosts)
            if problem:
                self.registrant.handle_failure(problem, self._endpoint.now)
            self._endpoint.poke()

    def _publish(self) -> None:
        registration = self.registrant.registration
        if registration == self._published:
            return
        self._published = registration
        self._endpoint.notify(lambda: self._on_registration(registration))
