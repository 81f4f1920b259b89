"""Who may call, through the socket: the PBX is on 127.0.0.1, a stranger on 127.0.0.2."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator

import pytest
from conftest import Handset, answered
from peer import PATIENCE_SECONDS, Peer
from wire import OFFER, request_bytes

from softagent.config import AccessSettings
from softagent.log import LineFormatter
from softagent.sip.channels import MOST_STRANGERS
from softagent.sip.message import Response

LINE = re.compile(
    r"\S+ WARNING account=test event=request-refused "
    r"from=127\.0\.0\.2:\d+ method=(\S+) reason=(\S+)"
)
"""What fail2ban's filter in docs/sip.md is made for."""


class Stranger:
    """Somebody else in the network."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.2", 0))
        self._socket.setblocking(False)
        self.sent_by = f"127.0.0.2:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendto(data, self._peer.phone)

    def ask(self, method: str, **changes: object) -> None:
        changes = {"branch": self._peer.branch(), "sent_by": self.sent_by, **changes}
        self.send(request_bytes(method, **changes))  # type: ignore[arg-type]

    def heard(self) -> list[int]:
        """The statuses of all answers, once the telephone is through with all that was sent."""
        self._peer.until_fence()
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                version, status, _ = self._socket.recv(65535).split(None, 2)
                assert version == b"SIP/2.0"
                found.append(int(status))
        return found


@pytest.fixture
def stranger(peer: Peer) -> Iterator[Stranger]:
    stranger = Stranger(peer)
    yield stranger
    stranger.close()


def refusals(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Method and reason of each line about a refusal, as the log's reader sees it."""
    lines = [LineFormatter().format(r) for r in caplog.records if "request-refused" in r.msg]
    found = [LINE.fullmatch(line) for line in lines]
    assert None not in found, lines
    return [(match[1], match[2]) for match in found if match]


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "MESSAGE", "REGISTER", "BYE", "FOO"])
def test_a_stranger_is_told_403(
    peer: Peer,
    handset: Handset,
    stranger: Stranger,
    caplog: pytest.LogCaptureFixture,
    method: str,
) -> None:
    """Nothing rings, nothing is kept, one line tells of it."""
    stranger.ask(method, body=OFFER)
    assert stranger.heard() == [403]
    assert handset.calls.empty()
    assert len(handset.phone.sip.line.endpoint.transactions._servers) == 1  # the fence
    assert refusals(caplog) == [("unknown" if method == "FOO" else method, "stranger")]


def test_a_strangers_ack_and_garbage_get_no_answer(
    peer: Peer, handset: Handset, stranger: Stranger, caplog: pytest.LogCaptureFixture
) -> None:
    """And a damaged request of his gets the same as a sound one."""
    stranger.ask("ACK")
    stranger.send(b"\0\0\0\0")
    assert stranger.heard() == []
    stranger.send(request_bytes("INVITE", sent_by=stranger.sent_by).replace(b"CSeq", b"Cseek"))
    assert stranger.heard() == [403]
    assert refusals(caplog) == [("INVITE", "stranger")]


def test_a_stranger_disturbs_no_call(peer: Peer, handset: Handset, stranger: Stranger) -> None:
    """He knows the Call-ID, but not the tags; nor can he cancel what rings."""
    branch = peer.branch()
    peer.invite(branch=branch)
    call = handset.call()
    stranger.ask("CANCEL", branch=branch)
    assert stranger.heard() == [403]
    call.answer()
    tag = peer.response(200).recipient.tag
    peer.ask("ACK", to_tag=tag)
    for method in ("BYE", "INVITE", "UPDATE", "INFO"):
        stranger.ask(method, to_tag="guess", sequence=7, body=OFFER)
        stranger.ask(method, to_tag=tag, from_tag="guess", sequence=7, body=OFFER)
    assert set(stranger.heard()) == {403}
    assert handset.moves.empty()
    assert handset.ends.empty()
    peer.ask("INFO", to_tag=tag, sequence=2)
    peer.response(200, "INFO")


def test_a_call_follows_its_pbx_to_another_address(
    peer: Peer, handset: Handset, stranger: Stranger
) -> None:
    """Both tags are right: after a failover the PBX speaks from elsewhere."""
    _, tag = answered(peer, handset)
    stranger.ask("INFO", to_tag=tag, sequence=2)
    assert stranger.heard() == [200]
    stranger.ask("BYE", to_tag=tag, sequence=3)
    assert stranger.heard() == [200]
    handset.end()


def test_who_is_configured_may_call(peer: Peer, stranger: Stranger) -> None:
    """A second PBX, or all of a network."""
    handset = Handset(peer, access=AccessSettings(allow_from=("127.0.0.2/31",)))
    handset.start()
    peer.register()
    stranger.ask("INVITE", body=OFFER)
    assert handset.call().call_id == "call-1"
    handset.phone.stop(timeout_seconds=0.0)


def test_who_is_configured_learns_nothing_of_the_password(peer: Peer) -> None:
    """A challenge to our BYE is answered for the PBX only."""
    handset, other = (
        Handset(peer, access=AccessSettings(allow_from=("127.0.0.2",))),
        Peer("127.0.0.2"),
    )
    handset.start()
    challenge = 'Digest realm="pbx", nonce="a"'
    peer.reply(peer.next_request(), 401, f"WWW-Authenticate: {challenge}\r\n")
    assert peer.register().headers.first("Authorization")
    other.phone = peer.phone
    call, _ = answered(other, handset)
    other.until_fence()
    call.hang_up()
    bye = other.request("BYE")
    assert bye.headers.first("Authorization") is None
    other.reply(bye, 407, f"Proxy-Authenticate: {challenge}\r\n")
    assert {str(message.cseq) for message in other.until_fence("OPTIONS")} <= {str(bye.cseq)}
    handset.phone.stop(timeout_seconds=0.0)
    other.close()


@pytest.mark.parametrize(("pattern", "expected"), [("10??", 180), ("2*", 403)])
def test_only_allowed_numbers_may_call(peer: Peer, pattern: str, expected: int) -> None:
    """The PBX is told 403 for the others, and goes on ringing its other telephones."""
    handset = Handset(peer, access=AccessSettings(allow_callers=(pattern,)))
    handset.start()
    peer.register()
    peer.invite()
    peer.ask("OPTIONS", call="qualify")
    messages = peer.until_fence()
    found = [(m.cseq.method, m.status) for m in messages if isinstance(m, Response)]
    assert {status for method, status in found if method == "INVITE"} == {expected}
    assert "OPTIONS" in dict(found)
    handset.phone.stop(timeout_seconds=0.0)


def test_a_flood_leaves_the_telephone_to_its_pbx(
    peer: Peer, handset: Handset, stranger: Stranger, caplog: pytest.LogCaptureFixture
) -> None:
    """Few of a thousand are answered or logged, none is kept, and the next call rings."""
    for number in range(1000):
        stranger.ask("INVITE", call=f"flood-{number}", body=OFFER)
        if number % 50 == 49:  # no more than a socket holds
            peer.until_fence()
    assert len(stranger.heard()) <= 100
    assert len(refusals(caplog)) <= 20
    assert len(handset.phone.sip.line.endpoint.transactions._servers) <= 25
    assert handset.calls.empty()
    answered(peer, handset)


def test_a_flood_over_a_connection_ends_it(peer: Peer, handset: Handset) -> None:
    """And whoever connects again and again is soon closed at once, before any handshake."""
    address = ("127.0.0.1", handset.phone.local_port)

    def connect() -> socket.socket:
        visitor = socket.create_connection(address, source_address=("127.0.0.2", 0))
        visitor.settimeout(PATIENCE_SECONDS)
        return visitor

    with connect() as visitor:
        with contextlib.suppress(ConnectionError):  # it may be over before all is sent
            visitor.sendall(100 * request_bytes("OPTIONS").replace(b"/UDP", b"/TCP"))
        assert is_ended(visitor)
    for _ in range(50):
        connect().close()
    with connect() as visitor:
        assert is_ended(visitor)
    with socket.create_connection(address) as visitor:
        visitor.settimeout(PATIENCE_SECONDS)
        visitor.sendall(request_bytes("OPTIONS").replace(b"/UDP", b"/TCP"))
        assert visitor.recv(4096).startswith(b"SIP/2.0 200 OK\r\n")


def is_ended(visitor: socket.socket) -> bool:
    """Whether the telephone ends a connection, after whatever it says."""
    with contextlib.suppress(ConnectionError):
        while visitor.recv(65535):
            pass
    return True


def test_strangers_take_no_connections_of_the_pbx(peer: Peer, handset: Handset) -> None:
    """A few of theirs may stand, all others are closed; the PBX gets in as before."""
    address = ("127.0.0.1", handset.phone.local_port)
    with contextlib.ExitStack() as held:
        for number in range(MOST_STRANGERS + 5):
            source = ("127.0.0.2", 0)
            visitor = held.enter_context(socket.create_connection(address, source_address=source))
            visitor.settimeout(PATIENCE_SECONDS)
            if number >= MOST_STRANGERS:
                assert visitor.recv(1) == b""
        visitor = held.enter_context(socket.create_connection(address))
        visitor.settimeout(PATIENCE_SECONDS)
        visitor.sendall(request_bytes("OPTIONS").replace(b"/UDP", b"/TCP"))
        assert visitor.recv(4096).startswith(b"SIP/2.0 200 OK\r\n")
