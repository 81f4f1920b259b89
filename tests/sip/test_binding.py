"""The registration among several registrars, proxies, redirections and NATs."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from conftest import EAGER, QUICK, Handset, answered
from name_server import NameServer
from peer import PATIENCE_SECONDS, Peer
from stream_peer import StreamPeer

from softagent.config import Account, Secret
from softagent.sip.hop import Transport
from softagent.sip.locating import Place
from softagent.sip.message import Headers, Request
from softagent.sip.pacing import PROMPT, pacing_of
from softagent.sip.phone import Registration, RegistrationState
from softagent.sip.pyvoip import PyVoipPhone
from softagent.sip.rota import FEWEST_ANSWERS

FIELDS = (
    ("From", "<sip:1000@pbx>;tag=1"),
    ("To", "<sip:1000@pbx>"),
    ("Call-ID", "large"),
    ("CSeq", "1 OPTIONS"),
)
HASTY = replace(
    EAGER, failover_seconds=0.05, primary_check_seconds=0.02, address_check_seconds=0.02
)


@pytest.fixture
def start() -> Iterator[Callable[..., Handset]]:
    """Starts telephones that are stopped at the end."""
    handsets: list[Handset] = []

    def started(peer: Peer, **changes: object) -> Handset:
        handset = Handset(peer, **changes)
        account = handset.phone.account
        handset.phone = PyVoipPhone(account, timing=QUICK, pacing=HASTY)
        handsets.append(handset)
        handset.start()
        return handset

    yield started
    for handset in handsets:
        handset.phone.stop(timeout_seconds=0.0)


@pytest.fixture
def backup() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


def until(handset: Handset, state: RegistrationState) -> Registration:
    """The next registration of that state."""
    while (registration := handset.registration()).state is not state:
        pass
    return registration


def contacts(register: Request) -> list[str]:
    return [str(contact) for contact in register.addresses("Contact")]


def test_a_backup_takes_over(peer: Peer, backup: Peer, start: Callable[..., Handset]) -> None:
    """When the first registrar doesn't answer; calls come from there then."""
    handset = start(peer, backup_registrars=(backup.sent_by,))
    register = backup.register()
    assert register.uri == "sip:127.0.0.1"
    registered = until(handset, RegistrationState.REGISTERED)
    assert registered.registrar == backup.sent_by
    backup.invite()
    handset.call().answer()
    backup.response(200)


def test_a_backup_takes_over_from_a_server_in_trouble(
    peer: Peer, backup: Peer, start: Callable[..., Handset]
) -> None:
    """5xx is that server's own; a refusal would be the same everywhere (RFC 3263 section 4.3)."""
    start(peer, backup_registrars=(backup.sent_by,))
    peer.reply(peer.next_request(), 503)
    backup.register()


def test_refused_credentials_go_nowhere_else(
    peer: Peer, backup: Peer, start: Callable[..., Handset]
) -> None:
    """The wait for somebody to mend them is the same."""
    handset = start(peer, backup_registrars=(backup.sent_by,))
    peer.reply(peer.next_request(), 403)
    assert until(handset, RegistrationState.FAILED).is_refused
    with pytest.raises(TimeoutError):
        backup.take(0.2)


def test_the_primary_is_returned_to(
    peer: Peer, backup: Peer, start: Callable[..., Handset]
) -> None:
    """Once it has answered twice in a row; until then no REGISTER goes there."""
    handset = start(peer, backup_registrars=(backup.sent_by,))
    backup.register()
    asked = []
    while len(asked) < 2:
        message = peer.next_request()
        if message.method == "OPTIONS":
            asked.append(message)
            peer.reply(message, 200)
        else:
            assert not asked
    register = peer.register()
    assert register.cseq.number > 1
    while until(handset, RegistrationState.REGISTERED).registrar != peer.sent_by:
        pass


def test_all_registrars_away(peer: Peer, backup: Peer, start: Callable[..., Handset]) -> None:
    """Each is tried again and again; whoever comes back first has us."""
    start(peer, backup_registrars=(backup.sent_by,))
    for _ in range(3):
        assert peer.next_request().method == "REGISTER"
        assert backup.next_request().method == "REGISTER"
    peer.register()


def test_registered_after_a_failure_and_a_challenge(
    peer: Peer, start: Callable[..., Handset]
) -> None:
    """The registrar's address isn't lost between the two: the removal finds it."""
    handset = start(peer)
    peer.reply(peer.next_request(), 500)
    challenge = 'WWW-Authenticate: Digest realm="pbx", nonce="a"\r\n'
    peer.reply(peer.next_request(), 401, challenge)
    peer.register()
    until(handset, RegistrationState.REGISTERED)
    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(handset.phone.stop, timeout_seconds=PATIENCE_SECONDS)
        peer.register(expires=0)
        stopping.result(PATIENCE_SECONDS)


@pytest.mark.parametrize("status", [301, 302])
def test_a_redirection_is_followed(
    peer: Peer, backup: Peer, start: Callable[..., Handset], status: int
) -> None:
    """To where the Contact says, with the same address of record."""
    handset = start(peer)
    peer.reply(peer.next_request(), status, f"Contact: <sip:{backup.sent_by}>\r\n")
    register = backup.register()
    assert register.uri == f"sip:{backup.sent_by}"
    assert register.need("To") == "<sip:1000@127.0.0.1>"
    assert until(handset, RegistrationState.REGISTERED).registrar == backup.sent_by


def test_redirections_in_a_circle(peer: Peer, backup: Peer, start: Callable[..., Handset]) -> None:
    """Each place is gone to once; then it is a failure, and the next try begins anew."""
    handset = start(peer)
    peer.reply(peer.next_request(), 302, f"Contact: <sip:{backup.sent_by}>\r\n")
    # The primary was named by number and with its port, as in this Contact.
    backup.reply(backup.next_request(), 302, f"Contact: <sip:{peer.sent_by};transport=udp>\r\n")
    assert until(handset, RegistrationState.FAILED).reason == "302 Scripted"
    peer.register()


def test_an_outbound_proxy(peer: Peer, start: Callable[..., Handset]) -> None:
    """Gets what is meant for the registrar, with itself as a loose route."""
    start(peer, registrar="pbx.invalid", port=0, outbound_proxy=peer.sent_by)
    register = peer.register()
    assert register.uri == "sip:pbx.invalid"
    assert register.headers.values("Route") == (f"<sip:{peer.sent_by};transport=udp;lr>",)


@pytest.mark.parametrize("broken", ["learn", "headers"])
def test_what_breaks_here_costs_one_try(
    broken: str, peer: Peer, start: Callable[..., Handset]
) -> None:
    """Whether an answer comes or the time for a REGISTER: another one follows."""
    handset = start(peer)
    first = peer.next_request()
    authenticator = handset.phone.sip.line.authenticator
    works, failures = getattr(authenticator, broken), [ValueError(), ValueError()]

    def fail(*arguments: object) -> object:
        if failures:
            raise failures.pop()
        return works(*arguments)

    setattr(authenticator, broken, fail)
    challenge = 'WWW-Authenticate: Digest realm="pbx", nonce="a"\r\n'
    peer.reply(first, 401, challenge)
    while failures:
        again = peer.next_request()
        if again.cseq.number > first.cseq.number:
            first = again
            peer.reply(again, 401, challenge)
    peer.register()
    assert until(handset, RegistrationState.FAILED).reason == "failed here: ValueError()"
    until(handset, RegistrationState.REGISTERED)


def test_service_route(peer: Peer, start: Callable[..., Handset]) -> None:
    """What the registrar gives goes before the proxy's own route (RFC 3608)."""
    handset = start(peer, outbound_proxy=peer.sent_by)
    line = handset.phone.sip.line
    assert line.route == (f"<sip:{peer.sent_by};transport=udp;lr>",)
    peer.reply(peer.next_request(), 200, "Service-Route: <sip:edge.lan;lr>\r\n")
    until(handset, RegistrationState.REGISTERED)
    assert line.route == ("<sip:edge.lan;lr>",)


def seen_at(peer: Peer, register: Request, host: str, port: int | str) -> None:
    """Grant a REGISTER that came through a NAT."""
    via = f"{register.via.with_parameter('rport', str(port)).with_parameter('received', host)}"
    head = f"SIP/2.0 200 OK\r\nVia: {via}\r\nExpires: 120\r\n" + "".join(
        f"{name}: {register.need(name)}\r\n" for name in ("From", "To", "Call-ID", "CSeq")
    )
    peer.send(f"{head}Content-Length: 0\r\n\r\n".encode())


def test_an_address_changed_by_a_nat_is_announced(
    peer: Peer, start: Callable[..., Handset]
) -> None:
    """In the Contact of the next REGISTER, which takes the old one back, and in calls; sound stays local."""
    handset = start(peer)
    first = peer.next_request()
    seen_at(peer, first, "198.51.100.7", 40000)
    second = peer.next_request()
    assert contacts(second) == [
        "<sip:1000@198.51.100.7:40000>",
        f"{contacts(first)[0]};expires=0",
    ]
    seen_at(peer, second, "198.51.100.7", 40000)
    peer.invite()
    call = handset.call()
    call.answer()
    ok = peer.response(200)
    assert ok.headers.first("Contact") == "<sip:1000@198.51.100.7:40000>"
    assert call.media.local_host == "127.0.0.1"


def test_a_nat_that_is_not_to_be_followed(peer: Peer, start: Callable[..., Handset]) -> None:
    """`follow_nat = false`: for a PBX that wants the Contact as it is."""
    handset = start(peer, follow_nat=False)
    register = peer.next_request()
    seen_at(peer, register, "198.51.100.7", 40000)
    until(handset, RegistrationState.REGISTERED)
    peer.invite()
    peer.response(180)
    handset.call().answer()
    assert peer.response(200).headers.first("Contact") == contacts(register)[0]


def test_a_nat_that_changes_the_port_each_time(peer: Peer, start: Callable[..., Handset]) -> None:
    """Isn't run after: one REGISTER more, and then it is as far as we get."""
    handset = start(peer)
    for port in (40000, 40001):
        seen_at(peer, peer.next_request(), "198.51.100.7", port)
    until(handset, RegistrationState.REGISTERED)
    with pytest.raises(TimeoutError):
        peer.take(0.2)


@pytest.mark.parametrize(
    ("host", "port"), [("unknown", "5060"), ("198.51.100.7", "70000"), ("198.51.100.7", "²")]
)
def test_an_address_that_is_none_is_not_announced(
    host: str, port: str, peer: Peer, start: Callable[..., Handset]
) -> None:
    """No call could come there, and no answer tell us better."""
    handset = start(peer)
    seen_at(peer, peer.next_request(), host, port)
    until(handset, RegistrationState.REGISTERED)
    with pytest.raises(TimeoutError):
        peer.take(0.2)


@pytest.mark.parametrize("written", ["[::1]", "0:0:0:0:0:0:0:1"])
def test_one_ipv6_address_written_in_another_way(
    written: str, start: Callable[..., Handset]
) -> None:
    """Is no other address (RFC 5118 section 4.5): no NAT is seen in it."""
    peer = Peer("::1")
    handset = start(peer, registrar="::1")
    register = peer.next_request()
    seen_at(peer, register, written, peer.phone[1])
    until(handset, RegistrationState.REGISTERED)
    with pytest.raises(TimeoutError):
        peer.take(0.2)
    peer.close()


def test_our_address_changes(
    peer: Peer, start: Callable[..., Handset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another lease or interface is noticed between two REGISTERs."""
    handset = start(peer)
    first = peer.register()
    until(handset, RegistrationState.REGISTERED)
    monkeypatch.setattr("softagent.sip.addressing.local_address", lambda hop: "127.0.0.5")
    second = peer.next_request()
    assert contacts(second)[0] == contacts(first)[0].replace("127.0.0.1", "127.0.0.5")


def test_keep_alives(peer: Peer, start: Callable[..., Handset]) -> None:
    """An empty line each so many seconds holds a NAT's mapping open (RFC 5626 section 3.5.1)."""
    handset = start(peer, keep_alive_seconds=1)
    peer.register()
    until(handset, RegistrationState.REGISTERED)
    data, source = peer.take(3.0)
    assert (data, source[1]) == (b"\r\n\r\n", handset.phone.local_port)


def test_large_requests_go_by_tcp_where_that_works(start: Callable[..., Handset]) -> None:
    """And by UDP, in fragments, where it doesn't (RFC 3261 section 18.1.1)."""
    peer, stream = Peer(), StreamPeer()
    stream.socket.close()
    stream.socket = socket.create_server(("127.0.0.1", peer.port))
    handset = start(peer, large_requests="tcp")
    peer.register()
    until(handset, RegistrationState.REGISTERED)
    stream.accept()
    line = handset.phone.sip.line
    large = Request("OPTIONS", "sip:pbx", Headers((*FIELDS, ("Subject", "x" * 1300))))
    small = Request("OPTIONS", "sip:pbx", Headers(FIELDS))
    by_tcp = replace(line.pbx, transport=Transport.TCP)
    channels = line.endpoint._channels
    with line.endpoint.changed:
        line.endpoint.changed.wait_for(lambda: channels.is_connected(by_tcp), PATIENCE_SECONDS)
        for request in (large, small):
            line.endpoint.request(request, line.pbx, lambda response: None)
    assert stream.next_request().via.transport == "TCP"
    assert peer.next_request().via.transport == "UDP"
    stream.close()
    with line.endpoint.changed:
        line.endpoint.changed.wait_for(lambda: not channels.is_connected(by_tcp), PATIENCE_SECONDS)
        line.endpoint.request(large, line.pbx, lambda response: None)
    while len((again := peer.next_request()).serialize()) < 1300:
        pass
    assert again.via.transport == "UDP"
    peer.close()


def test_srv_failover(start: Callable[..., Handset], peer: Peer, backup: Peer) -> None:
    """The next target of the name when the first doesn't answer (RFC 3263 section 4.3)."""
    server = NameServer(
        {
            ("_sip._udp.office.lan", "SRV"): (
                60,
                [f"1 0 {peer.port} one.lan.", f"2 0 {backup.port} two.lan."],
            ),
            ("one.lan", "A"): (60, ["127.0.0.1"]),
            ("two.lan", "A"): (60, ["127.0.0.1"]),
        }
    )
    account = Account("test", "office.lan", "1000", Secret("letmein"))
    phone = PyVoipPhone(account, timing=QUICK, pacing=HASTY)
    phone.sip.line._locator._resolver = server.resolver
    with contextlib.closing(server):
        phone.start(on_call=lambda call: None, on_registration=lambda registration: None)
        assert peer.next_request().uri == "sip:office.lan"
        assert backup.register().uri == "sip:office.lan"
        answers = 0
        while answers < FEWEST_ANSWERS:  # and back to the first, once that has answered
            message = peer.next_request()
            answers += message.method == "OPTIONS"
            peer.reply(message, 200 if message.method == "OPTIONS" else 503)
        peer.register()
        phone.stop(timeout_seconds=0.0)


def test_a_name_that_leads_elsewhere_too(peer: Peer) -> None:
    """While we are registered: whoever the name stands for by now may call."""
    server = NameServer({("office.lan", "A"): (5, ["127.0.0.1"])})
    handset = Handset(peer, registrar="office.lan")
    line = handset.phone.sip.line
    line._locator._resolver = server.resolver
    node = Peer("127.0.0.2")
    with contextlib.closing(server), contextlib.closing(node):
        handset.start()
        peer.register()
        until(handset, RegistrationState.REGISTERED)
        node.phone = peer.phone
        node.invite()
        node.response(403)
        server.zone["office.lan", "A"] = (5, ["127.0.0.1", "127.0.0.2"])
        handset.pass_time(6)
        with line.endpoint.changed:
            assert line.endpoint.changed.wait_for(
                lambda: line._admission.is_allowed("127.0.0.2"), PATIENCE_SECONDS
            )
        node.invite(call="call-2")
        node.response(180)
        handset.phone.stop(timeout_seconds=0.0)


def test_a_name_in_a_route_is_looked_up(
    peer: Peer, backup: Peer, start: Callable[..., Handset]
) -> None:
    """While the call rings; requests of ours go there by then."""
    server = NameServer({("proxy.lan", "A"): (60, ["127.0.0.1"])})
    handset = start(peer)
    peer.register()
    line = handset.phone.sip.line
    line._locator._resolver = server.resolver
    call, _ = answered(peer, handset, headers=f"Record-Route: <sip:proxy.lan:{backup.port};lr>\r\n")
    peer.until_fence()
    with contextlib.closing(server), line.endpoint.changed:
        place = Place("proxy.lan", backup.port)
        assert line.endpoint.changed.wait_for(
            lambda: line._locator.find(place) is not None, PATIENCE_SECONDS
        )
    call.hang_up()
    assert backup.request("BYE").headers.values("Route")


def test_a_name_in_a_route_that_leads_nowhere(peer: Peer, start: Callable[..., Handset]) -> None:
    """The INVITE's own source is left."""
    handset = start(peer)
    peer.register()
    call, _ = answered(peer, handset, headers="Record-Route: <sip:proxy.invalid:5099;lr>\r\n")
    peer.until_fence()
    call.hang_up()
    assert peer.request("BYE").headers.values("Route")


def test_pacing_options() -> None:
    """`retry` and `registration_check_seconds` are the user's to choose."""
    account = Account("a", "pbx.lan", "1", Secret("x"))
    assert pacing_of(account) == PROMPT
    patient = replace(account, retry="patient", registration_check_seconds=600)
    pacing = pacing_of(patient)
    assert (pacing.first_retry_seconds, pacing.longest_retry_seconds) == (30.0, 1800.0)
    assert pacing.longest_refresh_seconds == 600.0
