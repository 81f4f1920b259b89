"""Which registrar's turn it is."""

from __future__ import annotations

import pytest

from softagent.config import Account, Secret
from softagent.sip.hop import Transport
from softagent.sip.locating import Place
from softagent.sip.rota import FEWEST_ANSWERS, MOST_ANSWERS, STEADY_SECONDS, Rota, servers_of

SERVERS = servers_of(
    Account("a", "one.lan", "1", Secret("x"), backup_registrars=("two.lan", "three.lan"))
)


@pytest.fixture
def rota() -> Rota:
    return Rota(SERVERS, check_seconds=30.0)


def return_to_primary(rota: Rota, now: float) -> int:
    """How many answers in a row it takes."""
    for count in range(1, 1000):
        if rota.hear_primary(True, now):
            return count
    raise AssertionError("never")


def test_each_has_its_turn(rota: Rota) -> None:
    """The primary, then the backups in their order; then a pause, and the primary again."""
    turns = [rota.current.domain]
    pauses = []
    for _ in range(4):
        pauses.append(rota.fail(0.0))
        turns.append(rota.current.domain)
    assert turns == ["one.lan", "two.lan", "three.lan", "one.lan", "two.lan"]
    assert pauses == [False, False, True, False]


def test_a_single_one_always_pauses() -> None:
    """There is nobody else."""
    rota = Rota(SERVERS[:1], check_seconds=30.0)
    assert not rota.has_others
    assert rota.fail(0.0)
    assert rota.next_check == float("inf")


def test_the_primary_is_asked_only_while_a_backup_serves(rota: Rota) -> None:
    """Every 30 s."""
    assert not rota.begin_check(1e9)
    rota.fail(100.0)
    assert not rota.begin_check(129.0)
    assert rota.begin_check(130.0)
    assert not rota.begin_check(131.0)
    assert rota.begin_check(160.0)


def test_the_first_address_of_a_name_is_returned_to() -> None:
    """SRV puts a cluster's nodes in an order, too; nothing is asked while the first one serves."""
    rota = Rota(SERVERS[:1], check_seconds=30.0)
    rota.step_down(100.0)
    assert rota.next_check == 130.0
    rota.step_down(110.0)
    assert rota.next_check == 130.0
    assert return_to_primary(rota, 130.0) == FEWEST_ANSWERS
    assert rota.next_check == float("inf")
    assert not rota.hear_primary(True, 160.0)


def test_the_primary_has_to_answer_in_a_row(rota: Rota) -> None:
    """One answer may be chance."""
    rota.fail(0.0)
    for _ in range(10):
        assert not rota.hear_primary(True, 30.0)
        assert not rota.hear_primary(False, 60.0)
    assert return_to_primary(rota, 90.0) == FEWEST_ANSWERS
    assert rota.current.domain == "one.lan"
    assert not rota.hear_primary(True, 120.0)


def test_a_primary_that_comes_and_goes_is_trusted_less(rota: Rota) -> None:
    """Twice as many answers each time, within bounds; all is forgiven once it has served for long."""
    needed = []
    for _ in range(7):
        rota.fail(0.0)
        needed.append(return_to_primary(rota, 0.0))
    assert needed == [2, 4, 8, 16, 32, MOST_ANSWERS, MOST_ANSWERS]
    rota.fail(STEADY_SECONDS)
    assert return_to_primary(rota, STEADY_SECONDS) == FEWEST_ANSWERS


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("two.lan", Place("two.lan", 0, Transport.TCP)),
        ("two.lan:5070", Place("two.lan", 5070, Transport.TCP)),
        ("192.0.2.1:5070", Place("192.0.2.1", 5070, Transport.TCP)),
        ("2001:db8::1", Place("2001:db8::1", 0, Transport.TCP)),
        ("[2001:db8::1]:5070", Place("2001:db8::1", 5070, Transport.TCP)),
        ("[2001:db8::1]", Place("2001:db8::1", 0, Transport.TCP)),
    ],
)
def test_backups_as_they_are_written(text: str, place: Place) -> None:
    """With or without a port; the transport is the account's."""
    account = Account("a", "one.lan", "1", Secret("x"), transport="tcp", backup_registrars=(text,))
    assert servers_of(account)[1].place == place


def test_domains() -> None:
    """A backup is registered with under its own name, unless one domain is set for all."""
    assert [server.domain for server in SERVERS] == ["one.lan", "two.lan", "three.lan"]
    account = Account(
        "a", "one.lan", "1", Secret("x"), domain="office.lan", backup_registrars=("b",)
    )
    assert [server.domain for server in servers_of(account)] == ["office.lan", "office.lan"]


def test_an_outbound_proxy_stands_before_all() -> None:
    """All requests go there, with a loose route that names it."""
    account = Account(
        "a", "one.lan", "1", Secret("x"), transport="tls", outbound_proxy="proxy.lan:5070"
    )
    [server] = servers_of(account)
    assert server.domain == "one.lan"
    assert server.place == Place("proxy.lan", 5070, Transport.TLS)
    assert server.route == "<sip:proxy.lan:5070;transport=tls;lr>"
