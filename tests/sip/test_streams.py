"""The telephone on TCP, TLS and IPv6."""

from __future__ import annotations

import datetime
import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from conftest import Handset, answered
from peer import PATIENCE_SECONDS, Peer, statuses
from stream_peer import StreamPeer
from wire import OFFER, request_bytes

from softagent.config import TlsSettings
from softagent.sip.address import NameAddress
from softagent.sip.channels import Channels
from softagent.sip.hop import Transport
from softagent.sip.message import Request
from softagent.sip.phone import CallEnd, RegistrationState
from softagent.sip.tls import TlsPolicy


@pytest.fixture
def tcp() -> Iterator[StreamPeer]:
    peer = StreamPeer()
    yield peer
    peer.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Handset]]:
    """Starts telephones that are stopped at the end."""
    handsets: list[Handset] = []

    def started(peer: Peer, **changes: object) -> Handset:
        changes = {"transport": peer.transport.lower(), "registrar": peer.host, **changes}
        handset = Handset(peer, **changes)
        handsets.append(handset)
        handset.start()
        return handset

    yield started
    for handset in handsets:
        handset.phone.stop(timeout_seconds=0.0)


def registered(handset: Handset) -> None:
    while handset.registration().state is not RegistrationState.REGISTERED:
        pass


def contact_of(message: Request) -> NameAddress:
    return message.addresses("Contact")[0]


def test_a_call_over_tcp(tcp: StreamPeer, start: Callable[..., Handset]) -> None:
    """Registered, rung, answered and ended on the one connection that the telephone made."""
    handset = start(tcp)
    register = tcp.register()
    assert register.via.transport == "TCP"
    contact = contact_of(register).uri
    assert (contact.port, contact.parameters) == (handset.phone.local_port, (("transport", "tcp"),))
    call, _ = answered(tcp, handset)
    call.hang_up()
    assert tcp.request("BYE").via.transport == "TCP"
    assert handset.end() is CallEnd.AGENT_HUNG_UP


def test_nothing_is_repeated_over_tcp(tcp: StreamPeer, start: Callable[..., Handset]) -> None:
    """Not the REGISTER (section 17.1.2.2), nor a refusal (17.2.1); a 200 is, until its ACK (13.3.1.4)."""
    handset = start(tcp)
    tcp.register()
    tcp.invite(body=OFFER.replace(b"0 8 101", b"3 18"))
    tcp.response(488)
    tcp.invite(call="call-2")
    handset.call().answer()
    tcp.response(200)
    tcp.response(200)
    assert 488 not in statuses(tcp.until_fence())


def test_the_pbx_may_connect(tcp: StreamPeer, start: Callable[..., Handset]) -> None:
    """The telephone listens where its Contact says; answers go back on the connection of the request."""
    handset = start(tcp)
    contact = contact_of(tcp.register()).uri
    tcp.connect(contact.port or 0)
    _, tag = answered(tcp, handset)
    tcp.ask("BYE", to_tag=tag, sequence=2)
    tcp.response(200, "BYE")


def test_requests_of_ours_go_back_on_its_connection(
    tcp: StreamPeer, start: Callable[..., Handset]
) -> None:
    """As long as it lives, whatever port its Contact names (RFC 5923)."""
    handset = start(tcp)
    tcp.register()
    tcp.connect(handset.phone.local_port)
    call, _ = answered(
        tcp, handset, headers=f"Record-Route: <sip:{tcp.sent_by};transport=tcp;lr>\r\n"
    )
    tcp.until_fence()
    call.hang_up()
    assert tcp.request("BYE").headers.values("Route")


def test_an_answer_outlives_its_connection(tcp: StreamPeer, start: Callable[..., Handset]) -> None:
    """It goes where Via says that the sender listens (section 18.2.2)."""
    handset = start(tcp)
    tcp.register()
    tcp.connect(handset.phone.local_port)
    tcp.invite()
    tcp.response(180)
    call = handset.call()
    tcp.hang_up()
    tcp.accept()
    call.answer()
    tcp.response(200)


def test_a_lost_connection_is_made_again_at_once(
    tcp: StreamPeer, start: Callable[..., Handset]
) -> None:
    """And registered on: over the old one no call could come."""
    handset = start(tcp)
    first = tcp.register()
    registered(handset)
    tcp.hang_up()
    again = tcp.register()
    assert again.cseq.number == first.cseq.number + 1


def test_an_old_loss_explains_no_new_failure(
    tcp: StreamPeer, start: Callable[..., Handset]
) -> None:
    """A connection on which nothing comes back is given up at once, and that is what is told."""
    handset = start(tcp)
    tcp.register()
    registered(handset)
    tcp.hang_up()
    tcp.register()
    tcp.until_fence()
    handset.pass_time(60)
    assert tcp.next_request().method == "REGISTER"
    failed = handset.registration()
    assert failed.state is RegistrationState.FAILED
    assert failed.reason == f"no answer from {tcp.sent_by}"
    assert tcp.is_hung_up_on()


def test_a_goodbye_survives_its_connection(tcp: StreamPeer, start: Callable[..., Handset]) -> None:
    """Closed while the BYE was on its way: it comes again over the next one."""
    handset = start(tcp)
    tcp.register()
    call, _ = answered(tcp, handset)
    tcp.until_fence()
    call.hang_up()
    bye = tcp.request("BYE")
    tcp.hang_up()
    assert tcp.request("BYE") == bye
    tcp.reply(bye, 200)


def test_a_connection_that_nothing_comes_back_on(
    tcp: StreamPeer, start: Callable[..., Handset]
) -> None:
    """Is given up with the REGISTER that got no answer: the next one takes another."""
    handset = start(tcp)
    tcp.accept()
    assert handset.registration().state is RegistrationState.REGISTERING
    assert handset.registration().reason == f"no answer from 127.0.0.1:{tcp.port}"
    tcp.accept()
    tcp.register()
    registered(handset)


def test_a_pbx_that_takes_no_connections(tcp: StreamPeer, start: Callable[..., Handset]) -> None:
    """The reason is in the registration, and the next try follows."""
    tcp.socket.close()
    handset = start(tcp)
    assert handset.registration().state is RegistrationState.REGISTERING
    failed = handset.registration()
    assert failed.state is RegistrationState.FAILED
    assert failed.reason == f"127.0.0.1:{tcp.port}: connection refused"


def test_keep_alives_are_answered(tcp: StreamPeer, start: Callable[..., Handset]) -> None:
    """A double line end with a single one, also in the middle of other things (RFC 5626 section 4.4.1)."""
    start(tcp)
    tcp.register()
    tcp.send(b"\r\n\r\n")
    assert tcp.take_bytes(2) == b"\r\n"
    assert statuses(tcp.until_fence()) == []


@pytest.mark.parametrize(
    "junk", [b"A b SIP/2.0\r\nContent-Length: x\r\n\r\n", b"z" * 40_000, b"\0" * 40_000]
)
def test_a_stream_that_can_not_be_read_is_closed(
    tcp: StreamPeer, start: Callable[..., Handset], junk: bytes
) -> None:
    """What follows can't be told apart any more; other connections don't care."""
    handset = start(tcp)
    tcp.register()
    other = StreamPeer()
    other.connect(handset.phone.local_port)
    other.send(junk)
    assert other.is_hung_up_on()
    other.close()
    assert statuses(tcp.until_fence()) == []


def test_a_message_that_can_not_be_read_is_skipped(
    tcp: StreamPeer, start: Callable[..., Handset]
) -> None:
    """Where it ends is known: the next one is answered."""
    start(tcp)
    tcp.register()
    tcp.send(b"hello\r\nContent-Length: 3\r\n\r\nabc")
    assert statuses(tcp.until_fence()) == []


def test_damaged_requests_are_answered_on_their_connection(
    tcp: StreamPeer, start: Callable[..., Handset]
) -> None:
    """400 and 505 without a transaction, and the connection goes on."""
    start(tcp)
    tcp.register()
    damaged = request_bytes("OPTIONS", sent_by=tcp.sent_by).replace(b"/UDP", b"/TCP")
    tcp.send(damaged.replace(b"CSeq: 1 OPTIONS", b"CSeq: 1 INVITE"))
    tcp.send(damaged.replace(b"127.0.0.1 SIP/2.0", b"127.0.0.1 SIP/7.0"))
    assert statuses(tcp.until_fence()) == [400, 505]


def test_too_many_visitors(tcp: StreamPeer, start: Callable[..., Handset]) -> None:
    """The telephone's own connection stays, the last visitor goes."""
    handset = start(tcp)
    tcp.register()
    address = ("127.0.0.1", handset.phone.local_port)
    visitors = [socket.create_connection(address) for _ in range(70)]
    visitors[-1].settimeout(PATIENCE_SECONDS)
    assert visitors[-1].recv(1) == b""
    assert statuses(tcp.until_fence()) == []
    for visitor in visitors:
        visitor.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_large_messages_by_udp(host: str, start: Callable[..., Handset]) -> None:
    """In fragments, both ways."""
    peer = Peer(host)
    start(peer)
    peer.register()
    subject = "x" * 20_000
    peer.ask(
        "OPTIONS",
        headers=f"Record-Route: <sip:a>\r\nSubject: {subject}\r\n",
        branch="z9hG4bK" + subject,
    )
    assert len(peer.response(200, "OPTIONS").serialize()) > 20_000
    peer.close()


@pytest.mark.parametrize("make", [Peer, StreamPeer])
def test_a_call_over_ipv6(make: type[Peer], start: Callable[..., Handset]) -> None:
    """Addresses stand in brackets in Via and Contact, and without them in SDP (RFC 3261 25.1, RFC 8866)."""
    peer = make("::1")
    handset = start(peer)
    register = peer.register()
    assert register.via.host == "::1"
    assert contact_of(register).uri.host == "::1"
    assert f"Contact: <sip:1000@[::1]:{handset.phone.local_port}".encode() in register.serialize()
    peer.ask("OPTIONS")
    assert peer.response(200, "OPTIONS").via.parameter("received") == "::1"
    peer.close()


# TLS ---------------------------------------------------------------------------


class Office:
    """An authority of our own, and what it signs."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(self.ca_file)
        self.settings = TlsSettings(ca_file=self.ca_file)

    def context(self, *names: str, **options: object) -> ssl.SSLContext:
        """A server's, with a certificate for these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*names, **options).configure_cert(context)  # type: ignore[arg-type]
        return context


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_a_call_over_tls(office: Office, start: Callable[..., Handset]) -> None:
    """The Contact is `sip:` with the port of our end of the connection, which the PBX finds again by it."""
    peer = StreamPeer(context=office.context("127.0.0.1"))
    handset = start(peer, tls=office.settings)
    register = peer.register()
    contact = contact_of(register).uri
    assert register.via.transport == "TLS"
    assert (contact.scheme, contact.parameters) == ("sip", (("transport", "tls"),))
    assert (contact.host, contact.port) == peer.phone
    call, tag = answered(peer, handset)
    peer.ask("INFO", to_tag=tag, sequence=2)
    peer.response(200, "INFO")
    call.hang_up()
    peer.request("BYE")
    peer.close()


def test_large_messages_over_tls(office: Office, start: Callable[..., Handset]) -> None:
    """In as many records as it takes."""
    peer = StreamPeer(context=office.context("127.0.0.1"))
    start(peer, tls=office.settings)
    peer.register()
    subject = "x" * 25_000
    peer.ask("OPTIONS", branch="z9hG4bK" + subject)
    assert len(peer.response(200, "OPTIONS").serialize()) > 25_000
    peer.close()


@pytest.mark.parametrize(
    ("names", "options", "reason"),
    [
        (("pbx.lan", "10.9.9.9"), {}, "its certificate is for pbx.lan and 10.9.9.9, not for 127.0.0.1"),
        (("127.0.0.1",), {"not_before": datetime.datetime(2020, 1, 1), "not_after": datetime.datetime(2021, 1, 1)}, "its certificate has expired"),
        (("127.0.0.1",), {"not_before": datetime.datetime(2099, 1, 1), "not_after": datetime.datetime(2100, 1, 1)}, "its certificate isn't valid yet: is this machine's clock right?"),
    ],
)  # fmt: skip
def test_certificates_that_are_refused(
    office: Office,
    start: Callable[..., Handset],
    names: tuple[str, ...],
    options: dict[str, object],
    reason: str,
) -> None:
    """What is wrong with it is said in the registration's reason; nothing is sent."""
    peer = StreamPeer(context=office.context(*names, **options))
    handset = start(peer, tls=office.settings)
    try:
        peer.accept()
        assert peer.is_hung_up_on()
    except ssl.SSLError:
        pass  # our alert came first
    handset.registration()
    assert handset.registration().reason == f"127.0.0.1:{peer.port}: {reason}"
    peer.close()


def test_a_certificate_of_a_stranger(office: Office, start: Callable[..., Handset]) -> None:
    """Signed by somebody else: the option that helps is named."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    peer = StreamPeer(context=context)
    handset = start(peer, tls=office.settings)
    with pytest.raises(ssl.SSLError):
        peer.accept()
    handset.registration()
    reason = handset.registration().reason
    assert f"isn't signed by {office.ca_file}: set tls.ca_file" in reason
    peer.close()


def test_our_own_certificate(office: Office, tmp_path: Path, start: Callable[..., Handset]) -> None:
    """Shown to a PBX that asks for one; with it the PBX may also connect to us by TLS."""
    own = office.authority.issue_cert("agent.lan")
    own.private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    context = office.context("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    office.authority.configure_trust(context)
    peer = StreamPeer(context=context)
    settings = TlsSettings(ca_file=office.ca_file, certificate_file=tmp_path / "own.pem")
    start(peer, tls=settings)
    contact = contact_of(peer.register()).uri
    assert isinstance(peer.connection, ssl.SSLSocket)
    shown = peer.connection.getpeercert()
    assert shown is not None
    assert shown["subjectAltName"] == (("DNS", "agent.lan"),)
    visitor = ssl.create_default_context(cafile=office.ca_file)
    with (
        socket.create_connection(("127.0.0.1", contact.port or 0), PATIENCE_SECONDS) as plain,
        visitor.wrap_socket(plain, server_hostname="agent.lan") as secure,
    ):
        secure.sendall(b"\r\n\r\n")
        assert secure.recv(2) == b"\r\n"
    peer.close()


def test_a_plain_pbx_on_the_tls_port(tcp: StreamPeer, start: Callable[..., Handset]) -> None:
    """TLS has failed, and so says the reason."""
    handset = start(tcp, transport="tls")
    tcp.accept()
    tcp.send(b"SIP/2.0 400 Bad Request\r\n\r\n")
    handset.registration()
    assert "TLS failed" in handset.registration().reason


class Exhausted(socket.socket):
    """A listening socket in a process that can't open anything more."""

    def accept(self) -> tuple[socket.socket, object]:
        raise OSError(errno.EMFILE, "Too many open files")


def test_a_door_rests_while_nobody_can_be_let_in() -> None:
    """The thread would go round for nothing else."""
    channels = Channels("test", TlsPolicy(TlsSettings(), ()))
    channels.open("127.0.0.1", 0, needs_tcp=True)
    door = Exhausted(socket.AF_INET, socket.SOCK_STREAM)
    door.bind(("127.0.0.1", 0))
    door.listen()
    channels._doors[door] = Transport.TCP
    channels.watch(door)
    with socket.create_connection(door.getsockname()):
        ready = channels.wait(PATIENCE_SECONDS)
        assert door in ready
        assert list(channels.receive(ready, 10.0)) == []
        assert channels.wait(0.0) == set()
        assert channels.next_wake == 11.0
        channels.wake(11.0)
        assert door in channels.wait(PATIENCE_SECONDS)
    channels.close()
