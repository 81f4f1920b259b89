"""From names to hops, by records in a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.sip.address import Uri
from softagent.sip.hop import Hop, Transport
from softagent.sip.locating import Naptr, Place, Srv, Unlocated, locate

UDP, TCP, TLS = Transport.UDP, Transport.TCP, Transport.TLS


@dataclass
class Records:
    """A resolver that knows what it is given."""

    hosts: dict[str, list[str]] = field(default_factory=dict)
    services: dict[str, list[Srv]] = field(default_factory=dict)
    pointers: dict[str, list[Naptr]] = field(default_factory=dict)

    def naptr(self, name: str) -> Sequence[Naptr]:
        return self.pointers.get(name, [])

    def srv(self, name: str) -> Sequence[Srv]:
        return self.services.get(name, [])

    def addresses(self, name: str) -> Sequence[str]:
        if name not in self.hosts:
            raise Unlocated(f"no {name}")
        return self.hosts[name]


def test_numbers_need_no_questions() -> None:
    """Neither records nor a resolver."""
    assert locate(Place("192.0.2.1"), Records()) == (Hop("192.0.2.1", 5060),)
    assert locate(Place("2001:db8::1", 0, TLS), Records()) == (Hop("2001:db8::1", 5061, TLS),)


def test_a_port_rules_out_srv() -> None:
    """It was meant for that port of that host (RFC 3263 section 4.2)."""
    records = Records(
        {"pbx.lan": ["192.0.2.1", "2001:db8::1"]},
        {"_sip._udp.pbx.lan": [Srv(0, 0, 5099, "other.lan")]},
    )
    hops = locate(Place("pbx.lan", 5070), records)
    assert hops == (Hop("192.0.2.1", 5070), Hop("2001:db8::1", 5070))


@pytest.mark.parametrize(
    ("transport", "service", "port"),
    [(UDP, "_sip._udp", 5060), (TCP, "_sip._tcp", 5060), (TLS, "_sips._tcp", 5061)],
)
def test_srv_of_a_transport(transport: Transport, service: str, port: int) -> None:
    """By priority; the name for the certificate stays the one asked for (RFC 5922 section 4)."""
    records = Records(
        {"a.lan": ["192.0.2.1"], "b.lan": ["192.0.2.2"], "pbx.lan": ["192.0.2.9"]},
        {f"{service}.pbx.lan": [Srv(20, 0, 5072, "b.lan"), Srv(10, 0, 5071, "a.lan")]},
    )
    hops = locate(Place("pbx.lan", 0, transport), records)
    assert hops == (Hop("192.0.2.1", 5071, transport), Hop("192.0.2.2", 5072, transport))
    assert {hop.name for hop in hops} == {"pbx.lan"}
    del records.services[f"{service}.pbx.lan"]
    assert locate(Place("pbx.lan", 0, transport), records) == (Hop("192.0.2.9", port, transport),)


def test_naptr_chooses_the_transport() -> None:
    """By order and preference, of what we speak (section 4.1)."""
    records = Records(
        {"a.lan": ["192.0.2.1"]},
        {
            "_sips._tcp.pbx.lan": [Srv(0, 0, 5071, "a.lan")],
            "_sip._udp.pbx.lan": [Srv(0, 0, 5070, "a.lan")],
        },
        {
            "pbx.lan": [
                Naptr(50, 50, "s", "SIP+D2U", "_sip._udp.pbx.lan"),
                Naptr(40, 50, "s", "SIP+D2S", "_sip._sctp.pbx.lan"),
                Naptr(50, 10, "S", "sips+d2t", "_sips._tcp.pbx.lan"),
            ]
        },
    )
    assert locate(Place("pbx.lan"), records) == (Hop("192.0.2.1", 5071, TLS),)


def test_without_naptr_the_transports_are_tried_in_turn() -> None:
    """UDP first; one that isn't offered (".") is passed over."""
    records = Records(
        {"a.lan": ["192.0.2.1"]},
        {
            "_sip._udp.pbx.lan": [Srv(0, 0, 0, ".")],
            "_sip._tcp.pbx.lan": [Srv(0, 0, 5070, "a.lan")],
        },
    )
    assert locate(Place("pbx.lan"), records) == (Hop("192.0.2.1", 5070, TCP),)


def test_without_any_record_it_is_udp() -> None:
    """At the usual port."""
    assert locate(Place("pbx.lan"), Records({"pbx.lan": ["192.0.2.1"]})) == (
        Hop("192.0.2.1", 5060),
    )


def test_a_target_without_an_address_is_passed_over() -> None:
    """The others may do; when none does, the reason is told."""
    records = Records(
        {"b.lan": ["192.0.2.2"]},
        {"_sip._udp.pbx.lan": [Srv(0, 0, 5070, "a.lan"), Srv(1, 0, 5070, "b.lan")]},
    )
    assert locate(Place("pbx.lan", 0, UDP), records) == (Hop("192.0.2.2", 5070),)
    records.hosts.clear()
    with pytest.raises(Unlocated, match=r"^no b\.lan$"):
        locate(Place("pbx.lan", 0, UDP), records)


def test_weights() -> None:
    """Among equals each comes first as often as its weight says (RFC 2782)."""
    records = Records(
        {name: [address] for name, address in [("a.lan", "192.0.2.1"), ("b.lan", "192.0.2.2")]},
        {"_sip._udp.pbx.lan": [Srv(0, 3, 5060, "a.lan"), Srv(0, 1, 5060, "b.lan")]},
    )
    firsts = Counter(
        locate(Place("pbx.lan", 0, UDP), records, chance=lambda share=share: share)[0].host
        for share in [step / 100 for step in range(100)]
    )
    assert firsts == {"192.0.2.1": 75, "192.0.2.2": 25}


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 65535)), max_size=8),
    st.floats(0, 1, exclude_max=True),
)
def test_every_target_is_tried_once(records: list[tuple[int, int]], share: float) -> None:
    """In the order of the priorities, whatever the weights and the dice."""
    table = Records()
    table.services["_sip._udp.pbx.lan"] = [
        Srv(priority, weight, 1000 + number, f"h{number}")
        for number, (priority, weight) in enumerate(records)
    ]
    table.hosts = {f"h{number}": [f"192.0.2.{number}"] for number in range(len(records))}
    table.hosts["pbx.lan"] = ["192.0.2.99"]
    hops = locate(Place("pbx.lan", 0, UDP), table, chance=lambda: share)
    numbers = [hop.port - 1000 for hop in hops if hop.host != "192.0.2.99"]
    assert sorted(numbers) == list(range(len(records)))
    priorities = [records[number][0] for number in numbers]
    assert priorities == sorted(priorities)


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("sip:pbx.lan", Place("pbx.lan")),
        ("sip:a@pbx.lan:5070;transport=tcp", Place("pbx.lan", 5070, TCP)),
        ("sips:pbx.lan", Place("pbx.lan", 0, TLS)),
    ],
)
def test_places_of_uris(uri: str, place: Place) -> None:
    """What isn't said is left to the DNS."""
    assert Place.of(Uri.parse(uri)) == place
