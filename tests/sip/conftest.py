"""Telephones for the tests: ours, and pyVoIP's own to show what it lacks."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator

import pytest
from peer import PATIENCE_SECONDS, Peer, tag_of

from softagent.config import Account, PortRange, Secret
from softagent.sip.pacing import Pacing
from softagent.sip.phone import CallEnd, IncomingCall, MediaDescription, Registration
from softagent.sip.pyvoip import PyVoipPhone
from softagent.sip.repetition import Timing

QUICK = Timing(t1_seconds=0.02, t2_seconds=0.08, t4_seconds=0.1)
"""The RFC's timers, 25 times as fast."""
EAGER = Pacing(
    longest_refresh_seconds=60,
    answer_seconds=0.1,
    first_retry_seconds=0.02,
    longest_retry_seconds=0.04,
    refused_retry_seconds=60,
    reconnect_seconds=0.02,
)


class Clock:
    """The time, which a test may put forward; `poke` the endpoint afterwards."""

    def __init__(self) -> None:
        self._ahead_seconds = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self._ahead_seconds

    def advance(self, seconds: float) -> None:
        self._ahead_seconds += seconds


class Handset:
    """Our telephone with what it reports kept for the test to read."""

    def __init__(self, peer: Peer, **changes: object) -> None:
        settings = {
            "name": "test",
            "registrar": "127.0.0.1",
            "username": "1000",
            "password": Secret("letmein"),
            "port": peer.port,
            "rtp_ports": PortRange(21800, 21819),
            **changes,
        }
        self.clock = Clock()
        self.phone = PyVoipPhone(
            Account(**settings),  # type: ignore[arg-type]
            timing=QUICK,
            pacing=EAGER,
            clock=self.clock,
        )
        self.calls: queue.Queue[IncomingCall] = queue.Queue()
        self.moves: queue.Queue[MediaDescription] = queue.Queue()
        self.digits: queue.Queue[str] = queue.Queue()
        self.ends: queue.Queue[CallEnd] = queue.Queue()
        self.registrations: queue.Queue[Registration] = queue.Queue()

    def start(self) -> None:
        self.phone.start(on_call=self.ring, on_registration=self.registrations.put)

    def ring(self, call: IncomingCall) -> None:
        call.on_media(self.moves.put)
        call.on_digits(self.digits.put)
        call.on_end(self.ends.put)
        self.calls.put(call)

    def call(self) -> IncomingCall:
        """The next call that rings."""
        return self.calls.get(timeout=PATIENCE_SECONDS)

    def moved(self) -> MediaDescription:
        """What the next change of a call's media leads to."""
        return self.moves.get(timeout=PATIENCE_SECONDS)

    def pass_time(self, seconds: float) -> None:
        """Put the telephone's clock forward."""
        endpoint = self.phone.sip.line.endpoint
        with endpoint.lock:
            self.clock.advance(seconds)
        endpoint.poke()

    def end(self) -> CallEnd:
        """How the next call ends."""
        return self.ends.get(timeout=PATIENCE_SECONDS)

    def registration(self) -> Registration:
        """The next change of the registration."""
        return self.registrations.get(timeout=PATIENCE_SECONDS)


def answered(peer: Peer, handset: Handset, **changes: object) -> tuple[IncomingCall, str]:
    """A call that is up, and our tag in it."""
    peer.invite(**changes)
    call = handset.call()
    call.answer()
    tag = tag_of(peer.response(200))
    peer.ask("ACK", to_tag=tag)
    return call, tag


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def handset(peer: Peer) -> Iterator[Handset]:
    """Our telephone, registered with the peer."""
    handset = Handset(peer)
    handset.start()
    peer.register()
    yield handset
    handset.phone.stop(timeout_seconds=0.0)
