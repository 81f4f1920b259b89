"""One connection, with numbers as time: who takes too long is cut off."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from wire import request_bytes

from softagent.config import TlsSettings
from softagent.sip.connection import (
    CONNECT_SECONDS,
    IDLE_SECONDS,
    LARGEST_QUEUE_BYTES,
    MESSAGE_SECONDS,
    Connection,
    ConnectionLost,
    Stage,
    connect,
)
from softagent.sip.hop import Hop, Transport
from softagent.sip.tls import TlsPolicy

POLICY = TlsPolicy(TlsSettings(verify=False), ())
MESSAGE = request_bytes("OPTIONS")


class Pair:
    """A connection of ours, or one that came in, and its other end."""

    def __init__(self, transport: Transport, *, is_ours: bool) -> None:
        with socket.create_server(("127.0.0.1", 0)) as door:
            hop = Hop("127.0.0.1", door.getsockname()[1], transport, connection=1)
            ours = connect(hop, "")
            self.far, _ = door.accept()
        self.far.settimeout(3.0)
        if not is_ours:
            ours, self.far = self.far, ours
            self.far.settimeout(3.0)
        self.near = Connection(ours, hop, POLICY, is_ours=is_ours, now=0.0)

    def close(self) -> None:
        self.near.close()
        self.far.close()


@pytest.fixture
def pair() -> Iterator[Callable[..., Pair]]:
    pairs: list[Pair] = []

    def make(transport: Transport = Transport.TCP, *, is_ours: bool = True) -> Pair:
        pairs.append(Pair(transport, is_ours=is_ours))
        return pairs[-1]

    yield make
    for made in pairs:
        made.close()


def lost(connection: Connection, now: float) -> str:
    with pytest.raises(ConnectionLost) as caught:
        connection.check(now)
    return str(caught.value)


def test_a_connection_that_is_never_made(pair: Callable[..., Pair]) -> None:
    """Nor answered in a TLS handshake: nobody waits longer than a few seconds."""
    connecting = pair().near
    assert connecting.stage is Stage.CONNECTING
    shaking = pair(Transport.TLS).near
    list(shaking.handle(0.0))
    assert shaking.stage is Stage.SHAKING
    for connection in (connecting, shaking):
        connection.check(CONNECT_SECONDS - 0.1)
        assert connection.deadline == CONNECT_SECONDS
        assert lost(connection, CONNECT_SECONDS) == "no answer"


def test_an_open_connection_may_be_silent_for_long(pair: Callable[..., Pair]) -> None:
    """Ten minutes both ways; what is sent counts as much as what comes."""
    connection = pair().near
    list(connection.handle(0.0))
    connection.check(IDLE_SECONDS - 1)
    connection.send(MESSAGE, IDLE_SECONDS - 1)
    connection.check(IDLE_SECONDS + 1)
    assert lost(connection, 2 * IDLE_SECONDS) == "idle"


def test_a_visitor_has_to_say_something(pair: Callable[..., Pair]) -> None:
    """A whole message within a few seconds; then it may stay."""
    silent, speaking = pair(is_ours=False), pair(is_ours=False)
    speaking.far.sendall(MESSAGE)
    assert list(speaking.near.handle(1.0)) == [MESSAGE]
    speaking.near.check(CONNECT_SECONDS)
    assert lost(silent.near, CONNECT_SECONDS) == "no whole message came"


def test_a_message_that_trickles(pair: Callable[..., Pair]) -> None:
    """Has its time from the first byte on, whatever comes after."""
    both = pair()
    list(both.near.handle(0.0))
    for now in range(3):
        both.far.sendall(MESSAGE[now : now + 1])
        list(both.near.handle(10.0 + now))
    both.near.check(10.0 + MESSAGE_SECONDS - 1)
    assert lost(both.near, 10.0 + MESSAGE_SECONDS) == "no whole message came"
    both.far.sendall(MESSAGE[3:])
    assert list(both.near.handle(20.0)) == [MESSAGE]
    both.near.check(100.0)


def test_who_reads_nothing_is_cut_off(pair: Callable[..., Pair]) -> None:
    """The queue of what waits is bounded."""
    both = pair()
    list(both.near.handle(0.0))

    def flood() -> None:
        for _ in range(1000):
            both.near.send(b"x" * 65536, 0.0)
            list(both.near.handle(0.0))

    with pytest.raises(ConnectionLost, match="it doesn't read what we send"):
        flood()
    assert len(both.near._out) <= LARGEST_QUEUE_BYTES


def test_everything_arrives_in_the_end(pair: Callable[..., Pair]) -> None:
    """However little the other side takes at once."""
    both = pair()
    list(both.near.handle(0.0))
    sent = b"".join(b"%07d\n" % number for number in range(25_000))
    both.near.send(sent, 0.0)
    received = bytearray()
    while len(received) < len(sent):
        list(both.near.handle(0.0))
        received += both.far.recv(4096)
    assert received == sent


def test_the_end_of_the_other_side(pair: Callable[..., Pair]) -> None:
    """Is told with what came before it."""
    both = pair()
    list(both.near.handle(0.0))
    both.far.sendall(MESSAGE)
    both.far.close()
    frames = both.near.handle(0.0)
    assert next(frames) == MESSAGE
    with pytest.raises(ConnectionLost, match="closed by the other side"):
        next(frames)
