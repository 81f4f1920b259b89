"""Looks names up without anybody waiting: answers come from a cache, questions are asked in a thread."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from dns.rdtypes.IN.NAPTR import NAPTR
from dns.rdtypes.IN.SRV import SRV

from softagent.sip.address import numeric
from softagent.sip.hop import Hop
from softagent.sip.locating import Naptr, Place, Questions, Srv, Unlocated, locate

log = logging.getLogger("softagent.sip")

QUESTION_SECONDS = 3.0
SHORTEST_SECONDS, LONGEST_SECONDS = 5.0, 3600.0
"""How long an answer is kept, whatever its time to live."""
SYSTEM_SECONDS = 60.0
"""The same for one of the system's, which has no time to live."""
LONGEST_STALE_SECONDS = 86400.0
"""For how long an answer that isn't asked for any more is remembered (RFC 8767 section 5)."""
MOST_PLACES = 64
"""How many are remembered; the one not looked up for the longest time is forgotten."""
HOSTS_FILE = Path("/etc/hosts")


class Dns:
    """Questions to the name servers of this machine, asked through dnspython, and to its own files.

    One look-up's worth: after a server that doesn't answer nothing more is asked of any, and
    the system's own resolver has to do.
    """

    def __init__(self, *, resolver: Callable[[], dns.resolver.Resolver]) -> None:
        self.seconds = LONGEST_SECONDS
        """How long all answers so far may be kept."""
        self.is_down = False
        """Whether a server has failed to answer: what it has said before may still be true."""
        self._resolver: dns.resolver.Resolver | None = None
        try:
            self._resolver = resolver()
        except (dns.exception.DNSException, OSError):
            log.info("event=no-name-server hint=/etc/resolv.conf")
            self.is_down = True

    def naptr(self, name: str) -> Sequence[Naptr]:
        return [
            Naptr(
                record.order,
                record.preference,
                record.flags.decode("ascii", "replace"),
                record.service.decode("ascii", "replace"),
                _plain(record.replacement),
            )
            for record in self._ask(name, dns.rdatatype.NAPTR)
            if isinstance(record, NAPTR)
        ]

    def srv(self, name: str) -> Sequence[Srv]:
        return [
            Srv(record.priority, record.weight, record.port, _plain(record.target))
            for record in self._ask(name, dns.rdatatype.SRV)
            if isinstance(record, SRV)
        ]

    def addresses(self, name: str) -> Sequence[str]:
        """From /etc/hosts, the name servers, or else whatever the system asks (mDNS, WINS ...)."""
        if known := addresses_in_hosts(name):
            return known
        found = [str(record) for record in self._ask(name, dns.rdatatype.A)]
        found += [str(record) for record in self._ask(name, dns.rdatatype.AAAA)]
        return found or self._ask_system(name)

    def _ask(self, name: str, kind: dns.rdatatype.RdataType) -> Sequence[object]:
        if self._resolver is None:
            return ()
        try:
            answer = self._resolver.resolve(
                name, kind, lifetime=QUESTION_SECONDS, raise_on_no_answer=False, search=True
            )
        except (dns.resolver.LifetimeTimeout, dns.resolver.NoNameservers) as error:
            log.info("event=name-server-down name=%s error=%r", name, str(error))
            self._resolver, self.seconds, self.is_down = None, SHORTEST_SECONDS, True
            return ()
        except (dns.exception.DNSException, OSError):  # no such name, or none that DNS can ask for
            return ()
        if answer.rrset is None:
            return ()
        self._keep_for(float(answer.rrset.ttl))
        return list(answer.rrset)

    def _ask_system(self, name: str) -> Sequence[str]:
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            raise Unlocated(f'the name "{name}" can\'t be resolved: {error}') from None
        self._keep_for(SYSTEM_SECONDS)
        return [str(address[0]) for *_, address in found]

    def _keep_for(self, seconds: float) -> None:
        self.seconds = min(self.seconds, max(SHORTEST_SECONDS, seconds))


@dataclass(frozen=True, slots=True)
class Located:
    """What came of a look-up."""

    hops: tuple[Hop, ...]
    problem: str = ""
    """Why there is none."""
    until: float = 0.0


class Locator:
    """The places that one telephone has to do with. Used under its owner's lock, which its threads take too."""

    def __init__(
        self,
        name: str,
        lock: threading.RLock,
        *,
        on_located: Callable[[], None],
        resolver: Callable[[], dns.resolver.Resolver] = dns.resolver.Resolver,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_located` is called under the lock each time a look-up has ended."""
        self._name = name
        self._lock = lock
        self._on_located = on_located
        self._resolver = resolver
        self._clock = clock
        self._known: dict[Place, Located] = {}
        self._asked: set[Place] = set()

    def find(self, place: Place) -> Located | None:
        """What is known of a place; None while it is being looked up, which this begins."""
        if place.literal is not None:
            return Located((place.literal,))
        known = self._known.get(place)
        if known is not None and self._clock() < known.until:
            return known
        if place not in self._asked:
            thread = threading.Thread(
                target=self._look_up, args=(place,), name=f"sip-resolve-{self._name}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError as error:  # no more threads: who waited for one would wait for ever
                return Located((), f'the name "{place.host}" can\'t be looked up: {error}')
            self._asked.add(place)
        return None

    def forget(self, place: Place) -> None:
        """Look it up again the next time, unless that would be too often: it may have moved."""
        known = self._known.get(place)
        if known is not None and not known.problem:
            soon = self._clock() + SHORTEST_SECONDS
            self._known[place] = Located(known.hops, until=min(known.until, soon))

    def _look_up(self, place: Place) -> None:
        """Runs in its own thread; nobody waits for it, since getaddrinfo can't be stopped."""
        questions = Dns(resolver=self._resolver)
        hops, problem = _answer(place, questions)
        with self._lock:
            now = self._clock()
            last = self._known.pop(place, None)
            self._forget_old(now)
            if problem and questions.is_down and last is not None and last.hops:
                log.warning("event=name-kept name=%s reason=%r", place.host, problem)
                self._known[place] = Located(last.hops, until=now + SHORTEST_SECONDS)
            else:
                seconds = 0.5 if problem else questions.seconds
                self._known[place] = Located(hops, problem, now + seconds)
            self._asked.discard(place)
            self._on_located()

    def _forget_old(self, now: float) -> None:
        """Keep what a name has led to last for while no name server answers (RFC 8767)."""
        self._known = {
            place: known
            for place, known in self._known.items()
            if now < known.until + (LONGEST_STALE_SECONDS if known.hops else 0.0)
        }
        while len(self._known) >= MOST_PLACES:
            del self._known[next(iter(self._known))]


def _answer(place: Place, questions: Questions) -> tuple[tuple[Hop, ...], str]:
    try:
        return locate(place, questions), ""
    except Unlocated as error:
        return (), str(error)
    except Exception as error:  # a thread that ends without an answer would be waited for for ever
        log.exception("event=look-up-failed name=%s", place.host)
        return (), f'the name "{place.host}" can\'t be resolved: {error!r}'


def addresses_in_hosts(name: str, file: Path = HOSTS_FILE) -> list[str]:
    """What /etc/hosts says of a name: it goes before the name servers, as everywhere on the machine."""
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        address, *names = line.partition("#")[0].split() or [""]
        if name.lower() in (known.lower() for known in names) and numeric(address):
            found.append(address)
    return list(dict.fromkeys(found))


def _plain(name: dns.name.Name) -> str:
    """Without the dot at the end; the root, which means "not offered", stays "."."""
    return name.to_text(omit_final_dot=True)
