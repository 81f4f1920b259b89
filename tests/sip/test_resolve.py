"""Look-ups over a real DNS server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import dns.resolver
import pytest
from name_server import NameServer
from peer import PATIENCE_SECONDS

from softagent.sip.hop import Hop, Transport
from softagent.sip.locating import Place
from softagent.sip.resolve import MOST_PLACES, Located, Locator, addresses_in_hosts

ZONE = {
    ("pbx.lan", "NAPTR"): (300, ['10 10 "s" "SIP+D2T" "" _sip._tcp.pbx.lan.']),
    ("_sip._tcp.pbx.lan", "SRV"): (60, ["10 0 5070 a.lan.", "20 0 5071 b.lan."]),
    ("_sip._udp.pbx.lan", "SRV"): (60, ["10 0 5080 a.lan."]),
    ("_sip._udp.off.lan", "SRV"): (60, ["0 0 0 ."]),
    ("off.lan", "A"): (60, ["192.0.2.9"]),
    ("a.lan", "A"): (20, ["192.0.2.1"]),
    ("a.lan", "AAAA"): (30, ["2001:db8::1"]),
    ("b.lan", "A"): (90, ["192.0.2.2"]),
    ("brief.lan", "A"): (0, ["192.0.2.3"]),
}


@pytest.fixture
def server() -> Iterator[NameServer]:
    server = NameServer(ZONE)
    yield server
    server.close()


class Desk:
    """A locator whose clock is turned by hand."""

    def __init__(self, server: NameServer | None) -> None:
        self.now = 0.0
        self.lock = threading.RLock()
        self.ended = threading.Event()
        resolver = server.resolver if server else self.no_resolver
        self.locator = Locator(
            "test", self.lock, on_located=self.ended.set, resolver=resolver, clock=lambda: self.now
        )

    def no_resolver(self) -> dns.resolver.Resolver:
        raise dns.resolver.NoResolverConfiguration

    def look_up(self, place: Place) -> Located:
        """Wait for what is being looked up."""
        with self.lock:
            self.ended.clear()
            assert self.locator.find(place) is None
        assert self.ended.wait(5 * PATIENCE_SECONDS)
        with self.lock:
            located = self.locator.find(place)
        assert located is not None
        return located


def test_naptr_srv_and_addresses(server: NameServer) -> None:
    """All the way, both families, in the order of the records."""
    located = Desk(server).look_up(Place("pbx.lan"))
    tcp = Transport.TCP
    assert located.hops == (
        Hop("192.0.2.1", 5070, tcp),
        Hop("2001:db8::1", 5070, tcp),
        Hop("192.0.2.2", 5071, tcp),
    )
    assert {hop.name for hop in located.hops} == {"pbx.lan"}


def test_a_given_transport_needs_no_naptr(server: NameServer) -> None:
    """SRV at once."""
    hops = Desk(server).look_up(Place("pbx.lan", 0, Transport.UDP)).hops
    assert hops == (Hop("192.0.2.1", 5080), Hop("2001:db8::1", 5080))
    assert server.questions[0] == ("_sip._udp.pbx.lan", "SRV")


def test_a_service_that_is_not_offered(server: NameServer) -> None:
    """ "." as the target: the name's own address is left."""
    assert Desk(server).look_up(Place("off.lan", 0, Transport.UDP)).hops == (
        Hop("192.0.2.9", 5060),
    )


def test_answers_are_kept_for_their_time(server: NameServer) -> None:
    """The shortest of all records that led there, and at least a little."""
    desk = Desk(server)
    located = desk.look_up(Place("pbx.lan"))
    assert located.until == 20.0
    desk.now = 19.0
    assert desk.locator.find(Place("pbx.lan")) is located
    desk.now = 20.0
    assert desk.look_up(Place("pbx.lan")).until == 40.0
    assert desk.look_up(Place("brief.lan", 5060)).until == 25.0


def test_what_has_failed_is_looked_up_again_soon(server: NameServer) -> None:
    """It may have moved, but a server is not asked more often than every few seconds."""
    desk = Desk(server)
    place = Place("b.lan", 5060)
    desk.look_up(place)
    desk.locator.forget(place)
    assert desk.locator.find(place) is not None
    desk.now = 5.0
    server.zone["b.lan", "A"] = (90, ["192.0.2.7"])
    assert desk.look_up(place).hops == (Hop("192.0.2.7", 5060),)


def test_numbers_are_never_asked_for(server: NameServer) -> None:
    """Known at once."""
    located = Desk(server).locator.find(Place("192.0.2.1"))
    assert located is not None
    assert located.hops == (Hop("192.0.2.1", 5060),)
    assert server.questions == []


def test_a_name_that_nobody_knows(server: NameServer) -> None:
    """Neither the name servers nor the system: the reason names it, and it is asked for again."""
    desk = Desk(server)
    located = desk.look_up(Place("nobody.invalid", 5060))
    assert located.hops == ()
    assert located.problem.startswith('the name "nobody.invalid" can\'t be resolved: ')
    assert located.until == 0.5


@pytest.mark.parametrize("is_there", [True, False])
def test_without_name_servers_the_system_is_asked(server: NameServer, is_there: bool) -> None:
    """One that is silent is asked once only; the machine's own files and ways are left."""
    server.is_silent = True
    desk = Desk(server if is_there else None)
    located = desk.look_up(Place("127.1", 5060))
    assert located.hops == (Hop("127.0.0.1", 5060),)
    assert len({kind for _, kind in server.questions}) <= 1


def test_no_thread_to_look_it_up_in(server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is told, and the next time it is tried again."""
    desk, place = Desk(server), Place("b.lan", 5060)

    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", fail)
        located = desk.locator.find(place)
    assert located is not None
    assert located.problem == "the name \"b.lan\" can't be looked up: can't start new thread"
    assert desk.look_up(place).hops


def test_a_name_server_that_is_away(server: NameServer) -> None:
    """The last answer holds meanwhile (RFC 8767): after a power cut the PBX may be back first."""
    desk, place = Desk(server), Place("b.lan", 5060)
    known = desk.look_up(place).hops
    server.is_silent = True
    desk.now = 90.0
    kept = desk.look_up(place)
    assert (kept.hops, kept.problem, kept.until) == (known, "", 95.0)
    desk.now = 95.0
    server.is_silent = False
    del server.zone["b.lan", "A"]
    assert desk.look_up(place).problem, "a name that is gone is gone"


def test_names_are_not_remembered_without_end(server: NameServer) -> None:
    """One that is used goes last."""
    desk = Desk(server)
    for number in range(MOST_PLACES + 5):
        desk.look_up(Place("a.lan", 5000 + number))
    assert len(desk.locator._known) == MOST_PLACES
    assert Place("a.lan", 5004) not in desk.locator._known


def test_hosts_file_goes_first(tmp_path: Path) -> None:
    """As everywhere on the machine; comments and what is no address are left out."""
    file = tmp_path / "hosts"
    file.write_text("192.0.2.1 PBX.lan pbx # pbx2\n\nx pbx\n2001:db8::1\tpbx\n192.0.2.1 pbx\n")
    assert addresses_in_hosts("pbx", file) == ["192.0.2.1", "2001:db8::1"]
    assert addresses_in_hosts("Pbx.lan", file) == ["192.0.2.1"]
    assert addresses_in_hosts("pbx2", file) == []
    assert addresses_in_hosts("pbx", tmp_path / "none") == []
