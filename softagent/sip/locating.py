"""From a name to the hops that may be tried, in their order (RFC 3263, RFC 2782). Pure but for the questions it asks.

port given          -> addresses of the name
transport given     -> SRV of it, else addresses
neither             -> NAPTR, else SRV of each transport, else addresses by UDP
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from softagent.sip.address import Uri, join_host_port, numeric, parameter
from softagent.sip.hop import Hop, Transport

MOST_HOPS = 16
"""More of them than anybody would wait for."""
_SERVICES = {Transport.UDP: "_sip._udp", Transport.TCP: "_sip._tcp", Transport.TLS: "_sips._tcp"}
_NAPTR_SERVICES = {
    "SIP+D2U": Transport.UDP,
    "SIP+D2T": Transport.TCP,
    "SIPS+D2T": Transport.TLS,
}


class Unlocated(Exception):
    """A place has no address; the message says why."""


@dataclass(frozen=True, slots=True)
class Srv:
    """One SRV record."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class Naptr:
    """One NAPTR record, as far as SIP needs it (RFC 3263 section 4.1)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class Questions(Protocol):
    """A resolver. An empty answer means that there is no such record; it waits as long as it takes."""

    def naptr(self, name: str) -> Sequence[Naptr]: ...

    def srv(self, name: str) -> Sequence[Srv]: ...

    def addresses(self, name: str) -> Sequence[str]:
        """IP addresses of either family, the best first. Raises Unlocated when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is, as a person or a URI says it."""

    host: str
    port: int = 0
    """0 where none is given."""
    transport: Transport | None = None
    """None leaves it to the DNS."""

    @classmethod
    def of(cls, uri: Uri, *, usual: Transport | None = None) -> Place:
        """The place that a URI names (RFC 3263 section 4); `usual` is meant where it names no transport."""
        is_open = uri.scheme == "sip" and parameter(uri.parameters, "transport") is None
        return cls(uri.host, uri.port or 0, usual if is_open else Transport.of(uri))

    @property
    def literal(self) -> Hop | None:
        """The hop of a place whose address is given as a number."""
        address = numeric(self.host)
        return self._hop(address, self.transport or Transport.UDP, self.port) if address else None

    def _hop(self, address: str, transport: Transport, port: int) -> Hop:
        """A certificate must carry the name that was asked for, not the one that SRV led to (RFC 5922)."""
        return Hop(address, port or transport.default_port, transport, name=self.host)

    def __str__(self) -> str:
        return join_host_port(self.host, self.port or None)


def locate(
    place: Place, questions: Questions, *, chance: Callable[[], float] = random.random
) -> tuple[Hop, ...]:
    """The hops of a place, the one to try first first; Unlocated when there is none."""
    if place.literal is not None:
        return (place.literal,)
    if place.port:
        transport = place.transport or Transport.UDP
        return _hops(place, [(place.host, place.port, transport)], questions)
    services = [(name, transport) for name, transport in _services(place, questions)]
    for name, transport in services:
        records = questions.srv(name)
        if [record.target for record in records] == ["."]:  # this service isn't offered (RFC 2782)
            continue
        if records:
            ends = [(r.target, r.port, transport) for r in _in_order(records, chance)]
            return _hops(place, ends, questions)
    transport = place.transport or Transport.UDP
    return _hops(place, [(place.host, transport.default_port, transport)], questions)


def _services(place: Place, questions: Questions) -> Iterator[tuple[str, Transport]]:
    """Names of SRV records, with the transport that each is about."""
    if place.transport is not None:
        yield f"{_SERVICES[place.transport]}.{place.host}", place.transport
        return
    known = [
        record
        for record in questions.naptr(place.host)
        if record.flags.lower() == "s" and record.service.upper() in _NAPTR_SERVICES
    ]
    known.sort(key=lambda record: (record.order, record.preference))
    for record in known:
        yield record.replacement, _NAPTR_SERVICES[record.service.upper()]
    if not known:
        for transport, service in _SERVICES.items():
            yield f"{service}.{place.host}", transport


def _in_order(records: Sequence[Srv], chance: Callable[[], float]) -> Iterator[Srv]:
    """By priority; among equals each comes first as often as its weight says (RFC 2782)."""
    left = sorted(records, key=lambda record: (record.priority, record.weight))
    while left:
        equals = [record for record in left if record.priority == left[0].priority]
        mark = chance() * sum(record.weight for record in equals)
        for record in equals:
            mark -= record.weight
            if mark < 0 or record is equals[-1]:
                left.remove(record)
                yield record
                break


def _hops(
    place: Place, ends: Sequence[tuple[str, int, Transport]], questions: Questions
) -> tuple[Hop, ...]:
    """The hops of several host names; one that has no address is skipped while others have."""
    found: list[Hop] = []
    problem = Unlocated(f'the name "{place.host}" leads nowhere')
    for name, port, transport in ends:
        try:
            addresses = questions.addresses(name)
        except Unlocated as error:
            problem = error
            continue
        found += [place._hop(address, transport, port) for address in addresses]
    if not found:
        raise problem
    return tuple(dict.fromkeys(found))[:MOST_HOPS]
