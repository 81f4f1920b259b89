"""Hops: what a URI names, and which connection leads there."""

from __future__ import annotations

import pytest

from softagent.sip.address import Uri
from softagent.sip.hop import Hop, Transport


@pytest.mark.parametrize(
    ("uri", "hop"),
    [
        ("sip:100@192.0.2.1", Hop("192.0.2.1", 5060)),
        ("sip:192.0.2.1:5070;transport=TCP", Hop("192.0.2.1", 5070, Transport.TCP)),
        ("sip:192.0.2.1;transport=tls", Hop("192.0.2.1", 5061, Transport.TLS)),
        ("sips:100@192.0.2.1", Hop("192.0.2.1", 5061, Transport.TLS)),
        ("sips:192.0.2.1;transport=tcp", Hop("192.0.2.1", 5061, Transport.TLS)),
        ("sip:100@[2001:db8::1]:5070", Hop("2001:db8::1", 5070)),
        ("sip:100@[2001:DB8:0:0::1]", Hop("2001:db8::1", 5060)),
        ("sip:100@[::ffff:192.0.2.1]", Hop("192.0.2.1", 5060)),
        ("sip:100@pbx.lan", None),
        ("sip:192.0.2.1;transport=sctp", None),
        ("tel:100", None),
    ],
)
def test_hop_that_a_uri_names(uri: str, hop: Hop | None) -> None:
    """By number only: port and transport have defaults (RFC 3261 sections 19.1.2 and 26.2.2)."""
    assert Hop.literal(Uri.parse(uri)) == hop


def test_the_connection_goes_with_the_host() -> None:
    """A connection is taken for the same host and transport, whatever its port; for no other."""
    source = Hop("192.0.2.7", 40000, Transport.TCP, connection=3)
    contact = Hop("192.0.2.7", 5060, Transport.TCP)
    assert contact.by_way_of(source) == Hop("192.0.2.7", 5060, Transport.TCP, connection=3)
    for other in (Hop("192.0.2.8", 5060, Transport.TCP), Hop("192.0.2.7", 5060)):
        assert other.by_way_of(source) == other


def test_the_transport_of_the_source_stands_in() -> None:
    """For a Contact that names none, of the same host only."""
    source = Hop("192.0.2.7", 40000, Transport.TCP, connection=3)
    plain, udp = Uri.parse("sip:192.0.2.7:5060"), Uri.parse("sip:192.0.2.7:5060;transport=udp")
    assert Hop.towards(plain, source) == Hop("192.0.2.7", 5060, Transport.TCP, connection=3)
    assert Hop.towards(udp, source) == Hop("192.0.2.7", 5060)
    assert Hop.towards(Uri.parse("sip:192.0.2.8"), source) == Hop("192.0.2.8", 5060)
    assert Hop.towards(Uri.parse("sip:pbx.lan"), source) is None
    written, known = Uri.parse("sip:[2001:DB8::0:1]"), Hop("2001:db8::1", 9, Transport.TCP, 3)
    assert Hop.towards(written, known) == Hop("2001:db8::1", 5060, Transport.TCP, 3)


def test_a_hop_is_shown_as_an_address() -> None:
    """An IPv6 address in brackets."""
    assert str(Hop("192.0.2.7", 5060)) == "192.0.2.7:5060"
    assert str(Hop("2001:db8::1", 5061, Transport.TLS)) == "[2001:db8::1]:5061"
