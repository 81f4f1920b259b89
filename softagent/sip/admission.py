"""Who may send us requests: the PBX, whoever else is allowed, and neither of them too many.

    datagram -> before_reading -> parse -> of_source -> of_caller -> the telephone
                     |                         |            |
                  silence                 403 or silence   403

What belongs to a call that is up passes: its tags are 128 random bits that only its two
ends have seen, and a PBX may fail over to another address in the middle of a call. Nobody
gets a bigger answer than the request was, or more answers than the rate allows, so nobody
can be flooded through us. Pure: time is a number that the caller passes in; what is kept is
bounded, however many sources there are.
"""

from __future__ import annotations

import enum
import fnmatch
import ipaddress
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from softagent.config import AccessSettings
from softagent.sip.address import numeric
from softagent.sip.dialog import caller_of
from softagent.sip.message import METHODS_IN_USE, Request

MOST_SOURCES = 1024
"""How many sources are told apart; the one not heard of for the longest time is forgotten."""
MOST_TRUSTED = 64
"""How many addresses of the PBX are remembered."""
STRANGERS_PART = 5
"""One stranger gets this part of the rate that all of them share."""
NOTES_PER_SECOND, NOTES_AT_ONCE = 1.0, 5.0
"""Lines about one source in the log."""
ALL_NOTES_PER_SECOND, ALL_NOTES_AT_ONCE = 10.0, 50.0
IPV6_SITE_BITS = 64
"""What one site usually gets of IPv6: its addresses count as one source."""


class Reason(enum.Enum):
    """Why a request is refused, in the words of the log."""

    STRANGER = "stranger"
    """Neither the PBX nor in `allow_from`."""
    FLOOD = "flood"
    """Too many requests."""
    CALLER = "caller"
    """A number that is not in `allow_callers`."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What becomes of a request that isn't admitted."""

    reason: Reason
    status: int | None
    """The answer; None is silence."""
    is_noted: bool
    """Whether it is worth a line in the log: a source's first ones are, then one a second."""


class Bucket:
    """A token bucket: `rate` tokens a second, `capacity` at most."""

    __slots__ = ("_capacity", "_filled_at", "_rate", "_tokens")

    def __init__(self, rate: float, capacity: float, now: float) -> None:
        self._rate, self._capacity = rate, capacity
        self._tokens, self._filled_at = capacity, now

    def take(self, now: float) -> bool:
        """Take a token; False where there is none."""
        passed = max(0.0, now - self._filled_at)
        self._tokens = min(self._capacity, self._tokens + passed * self._rate)
        self._filled_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


@dataclass(frozen=True, slots=True)
class Source:
    """What is kept of one source."""

    requests: Bucket
    notes: Bucket


class Sources:
    """The sources heard of lately, each with the same allowance."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._known: OrderedDict[str, Source] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def of(self, host: str, now: float) -> Source:
        """The source of that address, a new one with full buckets."""
        site = site_of(host)
        source = self._known.get(site)
        if source is None:
            requests = Bucket(self._per_second, 2 * self._per_second, now)
            source = Source(requests, Bucket(NOTES_PER_SECOND, NOTES_AT_ONCE, now))
            self._known[site] = source
            if len(self._known) > MOST_SOURCES:
                self._known.popitem(last=False)
        self._known.move_to_end(site)
        return source


class Admission:
    """The doorman of one telephone. Used under the endpoint's lock."""

    def __init__(
        self,
        settings: AccessSettings,
        *,
        is_known: Callable[[Request], bool],
        is_repeated: Callable[[Request], bool],
    ) -> None:
        """`is_known` tells whether a request belongs to a call, `is_repeated` whether it has been let in before."""
        rate = float(settings.requests_per_second)
        self._networks = tuple(ipaddress.ip_network(n, strict=False) for n in settings.allow_from)
        self._callers = tuple(re.compile(fnmatch.translate(p)) for p in settings.allow_callers)
        self._is_known = is_known
        self._is_repeated = is_repeated
        self._trusted: OrderedDict[str, None] = OrderedDict()
        self._friends = Sources(rate)
        self._strangers = Sources(max(1.0, rate / STRANGERS_PART))
        self._all_strangers = Bucket(rate, rate, 0.0)
        self._all_notes = Bucket(ALL_NOTES_PER_SECOND, ALL_NOTES_AT_ONCE, 0.0)

    def trust(self, hosts: Iterable[str]) -> None:
        """Let the PBX in from these IP addresses too: what its name stands for may change."""
        for host in hosts:
            self._trusted[_plain(host)] = None
            self._trusted.move_to_end(_plain(host))
            if len(self._trusted) > MOST_TRUSTED:
                self._trusted.popitem(last=False)

    def is_pbx(self, host: str) -> bool:
        """Whether that IP address is one of the PBX's."""
        return _plain(host) in self._trusted

    def is_allowed(self, host: str) -> bool:
        """Whether requests may come from that IP address."""
        plain = _plain(host)
        if plain in self._trusted:
            return True
        address = ipaddress.ip_address(plain)
        return any(address in network for network in self._networks)

    def before_reading(self, host: str, now: float) -> Refusal | None:
        """Whether a stranger's message is worth being read: a flood of them costs next to nothing."""
        if self.is_allowed(host):
            return None
        source = self._strangers.of(host, now)
        if source.requests.take(now) and self._all_strangers.take(now):
            return None
        return self._refuse(Reason.FLOOD, None, source, now)

    def of_source(self, request: Request, host: str, now: float) -> Refusal | None:
        """Whether a request may come from there, be it damaged or not."""
        if self._is_known(request):
            return None
        is_allowed = self.is_allowed(host)
        source = (self._friends if is_allowed else self._strangers).of(host, now)
        if not is_allowed:
            if self._is_repeated(request):  # its call may be over by now
                return None
            if request.method == "ACK":  # of a 403: nothing to answer, nothing to tell
                return Refusal(Reason.STRANGER, None, is_noted=False)
            return self._refuse(Reason.STRANGER, 403, source, now)
        if source.requests.take(now):
            return None
        return self._refuse(Reason.FLOOD, None, source, now)

    def of_caller(self, request: Request, host: str, now: float) -> Refusal | None:
        """Whether this caller may call: 403, for 603 would end the call on all other telephones."""
        if not self._callers or request.method != "INVITE" or self._is_known(request):
            return None
        number = caller_of(request).number
        if any(pattern.fullmatch(number) for pattern in self._callers):
            return None
        return self._refuse(Reason.CALLER, 403, self._friends.of(host, now), now)

    def _refuse(self, reason: Reason, status: int | None, source: Source, now: float) -> Refusal:
        is_noted = source.notes.take(now) and self._all_notes.take(now)
        return Refusal(reason, status, is_noted)


def site_of(host: str) -> str:
    """What counts as one source: an IPv4 address, or an IPv6 address's network."""
    address = ipaddress.ip_address(_plain(host))
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((address, IPV6_SITE_BITS), strict=False))


def shown_method(request: Request) -> str:
    """The method for the log; a stranger's own word is not repeated there."""
    return request.method if request.method in METHODS_IN_USE else "unknown"


def _plain(host: str) -> str:
    """An IP address in its one spelling, without a zone."""
    return numeric(host.partition("%")[0])
