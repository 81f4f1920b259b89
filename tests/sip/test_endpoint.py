"""The signalling thread where the network or our own code lets it down.

No socket of ours may send to 255.255.255.255, so the kernel has no route to it: not even
with a network.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from conftest import QUICK, Handset, answered
from peer import Peer
from stream_peer import StreamPeer
from wire import request

from softagent.sip.alarm import NEVER
from softagent.sip.endpoint import Endpoint
from softagent.sip.hop import Hop, Transport
from softagent.sip.message import Request, Response
from softagent.sip.phone import CallEnd, RegistrationState
from softagent.sip.transaction import ServerTransaction

NOWHERE = "255.255.255.255"


def test_a_register_without_a_route_is_tried_again(peer: Peer) -> None:
    """It counts as unanswered, and another one follows."""
    handset = Handset(peer, registrar=NOWHERE, local_address="127.0.0.1")
    handset.start()
    assert handset.registration().state is RegistrationState.REGISTERING
    failed = handset.registration()
    assert failed.state is RegistrationState.FAILED
    assert failed.reason == f"no answer from {NOWHERE}:{peer.port}"
    handset.phone.stop(timeout_seconds=0.0)


def test_a_call_ends_though_its_bye_has_no_route(peer: Peer, handset: Handset) -> None:
    """The next one isn't told busy."""
    call, _ = answered(peer, handset, sent_by=f"{NOWHERE}:5060")
    peer.until_fence()
    call.hang_up()
    assert handset.end() is CallEnd.AGENT_HUNG_UP
    peer.invite(call="call-2")
    assert handset.call().call_id == "call-2"


def test_an_unconfirmed_call_ends_though_its_bye_has_no_route(peer: Peer, handset: Handset) -> None:
    """And the thread that has given it up goes on answering."""
    peer.invite(sent_by=f"{NOWHERE}:5060")
    handset.call().answer()
    assert handset.end() is CallEnd.NOT_ACKNOWLEDGED
    peer.ask("OPTIONS", call="ping")
    peer.response(200, "OPTIONS")


def test_stop_leaves_nothing_though_a_bye_has_no_route(peer: Peer) -> None:
    handset = Handset(peer)
    handset.start()
    peer.register()
    answered(peer, handset, sent_by=f"{NOWHERE}:5060")
    peer.until_fence()
    assert handset.phone.is_alive
    handset.phone.stop(timeout_seconds=0.05)
    assert handset.end() is CallEnd.AGENT_HUNG_UP
    assert not handset.phone.is_alive
    assert "sip-test" not in {thread.name for thread in threading.enumerate()}


def bare(method: str = "OPTIONS") -> Request:
    """A request of ours as the endpoint gets it."""
    asked = request(method)
    return replace(asked, headers=asked.headers.without("Via", "Max-Forwards"))


class Bench:
    """An endpoint by itself, and the peer that talks to it."""

    def __init__(self, peer: Peer) -> None:
        self.on_request: Callable[[ServerTransaction], None] = self.confirm
        self.on_wake: Callable[[float], float] = lambda now: NEVER
        self.endpoint = Endpoint(
            "test",
            timing=QUICK,
            on_request=lambda transaction: self.on_request(transaction),
            on_wake=lambda now: self.on_wake(now),
        )
        self.endpoint.open("127.0.0.1", 0)
        peer.phone = ("127.0.0.1", self.endpoint.local_port)

    def confirm(self, transaction: ServerTransaction) -> None:
        self.endpoint.respond(transaction, 200)


@pytest.fixture
def bench(peer: Peer) -> Iterator[Bench]:
    bench = Bench(peer)
    yield bench
    bench.endpoint.close(1.0)


def test_a_timer_that_fails_stops_no_other(
    peer: Peer, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """What is given up with an error is given up once, and logged."""
    errors = []

    def accept(transaction: ServerTransaction) -> None:
        transaction.on_unacknowledged = fail
        bench.confirm(transaction)

    def fail() -> None:
        errors.append(RuntimeError("broken"))
        raise errors[-1]

    bench.on_request = accept
    peer.invite()
    peer.invite(call="call-2")
    with bench.endpoint.changed:
        assert bench.endpoint.changed.wait_for(lambda: len(errors) == 2, 3.0)
    peer.until_fence()
    assert bench.endpoint.is_alive
    assert len(errors) == 2
    assert {record.exc_info[1] for record in caplog.records if record.exc_info} == set(errors)


def test_a_thread_that_can_not_go_on_says_so(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """It is in the log, and the endpoint isn't alive any more."""
    assert bench.endpoint.is_alive
    bench.endpoint._channels.close()
    bench.endpoint.poke()
    assert bench.endpoint._thread is not None
    bench.endpoint._thread.join(3.0)
    assert not bench.endpoint.is_alive
    assert "event=signalling-stopped" in caplog.text


def test_an_alarm_goes_off_on_the_signalling_thread(bench: Bench) -> None:
    """Under the lock, in the order of time; one that fails keeps no other from it, a cancelled one is silent."""
    heard: list[tuple[str, str]] = []

    def note(name: str) -> None:
        heard.append((name, threading.current_thread().name))

    with bench.endpoint.changed:
        bench.endpoint.after(0.02, lambda: note("late"))
        bench.endpoint.after(0.01, lambda: note("never")).cancel()
        bench.endpoint.after(0.0, lambda: heard.remove(("not", "there")))
        bench.endpoint.after(0.0, lambda: note("soon"))
        assert bench.endpoint.changed.wait_for(lambda: len(heard) == 2, 3.0)
    assert heard == [("soon", "sip-test"), ("late", "sip-test")]


def test_an_invite_of_ours_is_acknowledged_when_refused(peer: Peer, bench: Bench) -> None:
    """With the branch that the endpoint gave it; a 2xx is acknowledged by whoever it is for."""
    statuses: queue.Queue[int] = queue.Queue()

    def take(response: Response | None) -> None:
        assert response is not None
        statuses.put(response.status)

    asked = bare("INVITE")
    with bench.endpoint.lock:
        bench.endpoint.invite(asked, Hop("127.0.0.1", peer.port), take)
    invite = peer.request("INVITE")
    peer.reply(invite, 603)
    ack = peer.request("ACK")
    assert (ack.via.branch, statuses.get(timeout=3.0)) == (invite.via.branch, 603)
    with bench.endpoint.lock:
        headers = asked.headers.without("CSeq").with_(("CSeq", "1 ACK"))
        bench.endpoint.send(
            replace(asked, method="ACK", headers=headers), Hop("127.0.0.1", peer.port)
        )
    assert peer.next_request().via.branch not in ("", invite.via.branch)


def test_a_request_that_breaks_our_code_is_answered(
    peer: Peer, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """500, once however often it comes, and the thread goes on; an ACK never gets an answer."""

    def fail(transaction: ServerTransaction) -> None:
        if transaction.request.call_id != "fence":
            raise RuntimeError("broken")
        bench.confirm(transaction)

    bench.on_request = fail
    data = peer.ask("INFO")
    peer.ask("ACK")
    peer.send(data)
    first, second = peer.until_fence()
    assert first == second
    assert isinstance(first, Response)
    assert first.status == 500
    assert len([record for record in caplog.records if record.exc_info]) == 2
    assert bench.endpoint.is_alive


def test_a_loss_that_breaks_our_code_ends_no_thread(
    peer: Peer, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody listens for connections there; who is told of that fails."""
    lost = threading.Event()

    def fail(response: Response | None) -> None:
        lost.set()
        raise RuntimeError("broken")

    with bench.endpoint.lock:
        bench.endpoint.request(bare(), Hop("127.0.0.1", peer.port, Transport.TCP), fail)
    assert lost.wait(3.0)
    peer.until_fence()
    assert bench.endpoint.is_alive
    assert "event=loss-failed" in caplog.text


def test_a_connection_that_breaks_our_code_ends_no_thread(
    peer: Peer, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """It is lost like any other, and who waits for an answer over it is told."""
    stream = StreamPeer()
    answers: queue.Queue[Response | None] = queue.Queue()
    bench.endpoint._channels._tls = None  # type: ignore[assignment]
    with bench.endpoint.lock:
        hop = Hop("127.0.0.1", stream.port, Transport.TLS)
        bench.endpoint.request(bare(), hop, answers.put)
    assert answers.get(timeout=3.0) is None
    peer.until_fence()
    assert bench.endpoint.is_alive
    assert "event=connection-failed" in caplog.text
    stream.close()
