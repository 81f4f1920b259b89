"""Which registrar's turn it is: the primary, or a backup while the primary is away. Pure.

    primary --fails--> backup 1 --fails--> backup 2 --fails--> all have had their turn: a pause
       ^                  |
       '-- the primary has answered several times in a row

It has to answer twice at first; each time that it fails again soon after our return, twice
as often, so that a primary that comes and goes doesn't take us along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softagent.config import Account
from softagent.sip.address import split_host_port
from softagent.sip.alarm import NEVER
from softagent.sip.hop import Transport
from softagent.sip.locating import Place

FEWEST_ANSWERS, MOST_ANSWERS = 2, 32
"""In a row, before we return to a primary."""
STEADY_SECONDS = 600.0
"""A primary that has served for so long has earned new trust."""


@dataclass(frozen=True, slots=True)
class Server:
    """One registrar, and how it is reached."""

    domain: str
    """Of the address that is registered there."""
    place: Place
    route: str = ""
    """The outbound proxy's Route value; empty where there is none."""


class Rota:
    """The registrars of one account, in their order."""

    def __init__(self, servers: Sequence[Server], *, check_seconds: float) -> None:
        self._servers = tuple(servers)
        self._check_seconds = check_seconds
        self._position = 0
        self._is_away = False
        """Not at the primary, or not at the first address that its name stands for."""
        self._answers = 0
        self._needed = FEWEST_ANSWERS
        self._returned_at = -NEVER
        self.next_check = NEVER
        """When to ask the primary whether it is back."""

    @property
    def current(self) -> Server:
        return self._servers[self._position]

    @property
    def primary(self) -> Server:
        return self._servers[0]

    @property
    def has_others(self) -> bool:
        return len(self._servers) > 1

    def fail(self, now: float) -> bool:
        """The current one has failed: on to the next; True when all of them have had their turn."""
        self.step_down(now)
        self._position = (self._position + 1) % len(self._servers)
        self._answers = 0
        if self._position == 0:
            self._is_away, self.next_check = False, NEVER
        return self._position == 0

    def step_down(self, now: float) -> None:
        """The first address of the current one has failed: another one that SRV names has its turn."""
        if self._is_away:
            return
        was_steady = now - self._returned_at >= STEADY_SECONDS
        self._needed = FEWEST_ANSWERS if was_steady else min(2 * self._needed, MOST_ANSWERS)
        self._is_away, self._answers = True, 0
        self.next_check = now + self._check_seconds

    def begin_check(self, now: float) -> bool:
        """Whether to ask the primary now; the next time follows."""
        if now < self.next_check:
            return False
        self.next_check = now + self._check_seconds
        return True

    def hear_primary(self, is_alive: bool, now: float) -> bool:
        """What came of asking; True when it is time to return to it, and it is the current one again."""
        self._answers = self._answers + 1 if is_alive else 0
        if not self._is_away or self._answers < self._needed:
            return False
        self._position, self._is_away, self._answers = 0, False, 0
        self._returned_at, self.next_check = now, NEVER
        return True


def servers_of(account: Account) -> tuple[Server, ...]:
    """The registrars that an account names. With an outbound proxy all are reached through it."""
    transport = None if account.transport == "auto" else Transport[account.transport.upper()]
    primary = Place(account.registrar, account.port, transport)
    places = [primary, *(_place(text, transport) for text in account.backup_registrars)]
    if not account.outbound_proxy:
        return tuple(Server(account.domain or place.host, place) for place in places)
    proxy = _place(account.outbound_proxy, transport)
    asked = f";transport={transport.value.lower()}" if transport else ""
    route = f"<sip:{proxy}{asked};lr>"
    return tuple(Server(account.domain or place.host, proxy, route) for place in places)


def _place(text: str, transport: Transport | None) -> Place:
    """`host`, `host:port`, `[IPv6]:port` or an IPv6 address alone."""
    is_bare_ipv6 = text.count(":") > 1 and not text.startswith("[")
    host, port = (text, None) if is_bare_ipv6 else split_host_port(text)
    return Place(host, port or 0, transport)
