"""Transactions, told the time in numbers: T1 = 0.5 s, T2 = 4 s as the RFC has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from wire import OFFER, request, response

from softagent.sip.hop import Hop, Transport
from softagent.sip.message import Request, Response, parse
from softagent.sip.repetition import Timing
from softagent.sip.response import respond
from softagent.sip.transaction import Transactions

SOURCE = Hop("192.0.2.7", 5062)


class Scene:
    """A transaction layer whose clock is turned by hand; notes when what was sent."""

    def __init__(self) -> None:
        self.layer = Transactions(Timing())
        self.sent: list[tuple[float, bytes]] = []

    def run_until(self, end: float) -> None:
        """Wake the layer whenever it wants to be woken."""
        self.collect(0.0)
        while self.layer.next_wake <= end:
            now = self.layer.next_wake
            self.layer.wake(now)
            self.collect(now)

    def collect(self, now: float) -> None:
        """Move the outbox to the notes."""
        self.sent += [(now, datagram) for datagram, _ in self.layer.outbox]
        self.layer.outbox.clear()

    @property
    def times(self) -> list[float]:
        return [time for time, _ in self.sent]

    def answered(self, asked: Request, status: int, now: float = 0.0) -> Response:
        """Take a new request and answer it."""
        transaction = self.layer.receive_request(asked, SOURCE, now)
        assert transaction is not None
        reply = respond(asked, status, source=SOURCE, tag=transaction.tag)
        self.layer.respond(transaction, reply, now)
        return reply


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("method", ["BYE", "OPTIONS", "INVITE"])
def test_repeated_request_gets_the_same_response(scene: Scene, method: str) -> None:
    """A copy is answered with the very bytes that went out before, and heard only once."""
    reply = scene.answered(request(method), 486 if method == "INVITE" else 200)
    for _ in range(2):
        assert scene.layer.receive_request(request(method), SOURCE, 0.1) is None
    assert scene.layer.outbox == [(reply.serialize(), SOURCE)] * 3


def test_copy_before_any_response_is_swallowed(scene: Scene) -> None:
    """Nothing has been said yet, so there is nothing to repeat."""
    assert scene.layer.receive_request(request("INVITE"), SOURCE, 0.0) is not None
    assert scene.layer.receive_request(request("INVITE"), SOURCE, 0.1) is None
    assert scene.layer.outbox == []


def test_success_is_repeated_until_the_ack(scene: Scene) -> None:
    """200 OK: T1, doubling to T2 (RFC 3261 section 13.3.1.4)."""
    invite = request("INVITE", body=OFFER)
    transaction = scene.layer.receive_request(invite, SOURCE, 0.0)
    assert transaction is not None
    reply = respond(invite, 200, source=SOURCE, tag=transaction.tag)
    scene.layer.respond(transaction, reply, 0.0)
    scene.run_until(12.0)
    assert scene.times == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5]
    scene.layer.acknowledge(transaction, 12.0)
    scene.run_until(100.0)
    assert len(scene.sent) == 6


def test_success_that_is_never_acknowledged(scene: Scene) -> None:
    """After 64 * T1 it is given up, and said so once."""
    given_up: list[bool] = []
    invite = request("INVITE")
    transaction = scene.layer.receive_request(invite, SOURCE, 0.0)
    assert transaction is not None
    transaction.on_unacknowledged = lambda: given_up.append(True)
    reply = respond(invite, 200, source=SOURCE, tag=transaction.tag)
    scene.layer.respond(transaction, reply, 0.0)
    scene.run_until(31.9)
    assert not given_up
    scene.run_until(200.0)
    assert given_up == [True]
    assert scene.times[-1] == 31.5


def test_refusal_is_repeated_until_its_ack(scene: Scene) -> None:
    """A refusal's ACK is the transaction's own and goes no further (section 17.2.1)."""
    scene.answered(request("INVITE"), 486)
    scene.run_until(2.0)
    assert scene.times == [0.0, 0.5, 1.5]
    assert scene.layer.receive_request(request("ACK"), SOURCE, 2.0) is None
    scene.run_until(100.0)
    assert len(scene.sent) == 3


def test_ack_to_success_is_passed_on(scene: Scene) -> None:
    """The ACK to a 2xx has a branch of its own: it belongs to the dialog."""
    scene.answered(request("INVITE"), 200)
    ack = scene.layer.receive_request(request("ACK", branch="z9hG4bK2"), SOURCE, 0.1)
    assert ack is not None
    assert ack.request.method == "ACK"


def test_cancel_finds_its_invite(scene: Scene) -> None:
    """CANCEL has the branch of the INVITE it is about."""
    invite = scene.layer.receive_request(request("INVITE"), SOURCE, 0.0)
    assert scene.layer.invite_of(request("CANCEL")) is invite
    assert scene.layer.invite_of(request("CANCEL", branch="z9hG4bK9")) is None


def test_transactions_are_forgotten(scene: Scene) -> None:
    """After 64 * T1 nothing is left, and the same branch is a new request."""
    scene.answered(request("OPTIONS"), 200)
    scene.run_until(33.0)
    assert scene.layer.next_wake == float("inf")
    assert scene.layer.receive_request(request("OPTIONS"), SOURCE, 33.0) is not None


def test_old_clients_without_a_branch(scene: Scene) -> None:
    """RFC 2543 told transactions apart by Call-ID, tag, CSeq and Via."""
    old = {"branch": "1"}
    scene.answered(request("OPTIONS", **old), 200)
    assert scene.layer.receive_request(request("OPTIONS", **old), SOURCE, 0.1) is None
    assert scene.layer.receive_request(request("OPTIONS", sequence=2, **old), SOURCE, 0.2)


def send(scene: Scene, on_result: Callable[[Response | None], None]) -> Request:
    """Our own BYE."""
    bye = request("BYE", branch="z9hG4bKours")
    scene.layer.send_request(bye, SOURCE, 0.0, on_result)
    return bye


def test_our_request_is_repeated_until_answered(scene: Scene) -> None:
    """T1, doubling to T2, until the final response (section 17.1.2)."""
    results: list[Response | None] = []
    bye = send(scene, results.append)
    scene.run_until(4.0)
    assert scene.times == [0.0, 0.5, 1.5, 3.5]
    final = response(bye, 200, "OK")
    assert scene.layer.receive_response(final, 0.1)
    assert not scene.layer.receive_response(final, 0.1)
    scene.run_until(100.0)
    assert results == [final]
    assert len(scene.sent) == 4
    assert scene.layer.is_quiet


def test_provisional_response_slows_down(scene: Scene) -> None:
    """After 100 Trying only every T2."""
    bye = send(scene, lambda result: None)
    scene.layer.receive_response(response(bye, 100, "Trying"), 0.1)
    scene.run_until(9.0)
    assert scene.times == [0.0, 0.5, 4.5, 8.5]


def test_our_request_times_out(scene: Scene) -> None:
    """Timer F: 64 * T1."""
    results: list[Response | None] = []
    send(scene, results.append)
    scene.run_until(31.9)
    assert results == []
    scene.run_until(32.0)
    assert results == [None]
    assert scene.layer.is_quiet


def test_stray_response_is_ignored(scene: Scene) -> None:
    """A response with another's branch or method isn't ours."""
    results: list[Response | None] = []
    bye = send(scene, results.append)
    other = parse(response(bye, 200).serialize().replace(b"z9hG4bKours", b"z9hG4bKelse"))
    assert isinstance(other, Response)
    assert not scene.layer.receive_response(other, 0.1)
    assert results == []


def test_invite_of_ours_is_repeated_and_its_refusal_acknowledged(scene: Scene) -> None:
    """The layer keeps the INVITE transaction's times and sends its ACK before anybody hears of the refusal."""
    heard: list[Response | None] = []
    invite = request("INVITE", branch="z9hG4bKours", body=OFFER)
    scene.layer.send_invite(invite, SOURCE, 0.0, heard.append)
    scene.run_until(2.0)
    assert scene.times == [0.0, 0.5, 1.5]
    assert not scene.layer.is_quiet
    for now in (2.0, 3.0):
        assert scene.layer.receive_response(response(invite, 486, "Busy Here"), now)
        scene.collect(now)
    assert [parse(datagram).cseq.method for _, datagram in scene.sent[3:]] == ["ACK", "ACK"]
    assert [message.status for message in heard if message is not None] == [486]
    assert scene.layer.is_quiet
    scene.run_until(40.0)
    assert not scene.layer.receive_response(response(invite, 486), 40.0)


def test_cancel_follows_the_first_provisional_response(scene: Scene) -> None:
    """Given up before anything was heard: the CANCEL goes out with the 100, and is repeated like any request."""
    heard: list[Response | None] = []
    invite = request("INVITE", branch="z9hG4bKours", body=OFFER)
    transaction = scene.layer.send_invite(invite, SOURCE, 0.0, heard.append)
    scene.layer.cancel(transaction, 0.1)
    scene.collect(0.1)
    assert len(scene.sent) == 1
    scene.layer.receive_response(response(invite, 100, "Trying"), 0.2)
    scene.collect(0.2)
    scene.layer.cancel(transaction, 0.3)
    scene.run_until(1.0)
    cancels = [parse(datagram) for _, datagram in scene.sent[1:]]
    assert [cancel.cseq.method for cancel in cancels] == ["CANCEL", "CANCEL"]
    assert scene.times[1:] == [0.2, 0.7]
    assert {cancel.via.branch for cancel in cancels} == {"z9hG4bKours"}


STREAM = Hop("192.0.2.7", 5062, Transport.TCP, connection=7)


def test_nothing_is_repeated_over_a_stream(scene: Scene) -> None:
    """Timers E, G, I, J and K are off or zero (RFC 3261 table 4); the limit stays."""
    results: list[Response | None] = []
    bye = request("BYE", branch="z9hG4bKours")
    scene.layer.send_request(bye, STREAM, 0.0, results.append)
    for method, status in (("OPTIONS", 200), ("INVITE", 486)):
        asked = request(method)
        transaction = scene.layer.receive_request(asked, STREAM, 0.0)
        assert transaction is not None
        scene.layer.respond(transaction, respond(asked, status, source=STREAM), 0.0)
    scene.run_until(100.0)
    assert scene.times == [0.0] * 3
    assert results == [None]


def test_success_is_repeated_over_a_stream_too(scene: Scene) -> None:
    """Behind the next proxy it may go by UDP (section 13.3.1.4)."""
    asked = request("INVITE", body=OFFER)
    transaction = scene.layer.receive_request(asked, STREAM, 0.0)
    assert transaction is not None
    scene.layer.respond(transaction, respond(asked, 200, source=STREAM), 0.0)
    scene.run_until(4.0)
    assert scene.times == [0.0, 0.5, 1.5, 3.5]


def test_a_request_crossed_by_the_end_of_its_connection(scene: Scene) -> None:
    """Goes once more, by another connection; the second time it is given up."""
    results: list[Response | None] = []
    scene.layer.send_request(request("BYE", branch="z9hG4bKours"), STREAM, 0.0, results.append)
    scene.collect(0.0)
    scene.layer.lose(STREAM, was_open=True)
    [(again, destination)] = scene.layer.outbox
    assert (again, destination.connection) == (scene.sent[0][1], 0)
    scene.layer.outbox.clear()
    scene.layer.lose(Hop("192.0.2.9", 5062, Transport.TCP, connection=8), was_open=True)
    assert results == []
    scene.layer.lose(replace(STREAM, connection=9), was_open=True)
    assert results == [None]
    assert scene.layer.outbox == []


@pytest.mark.parametrize("has_rung", [False, True])
def test_an_invite_crossed_by_the_end_of_its_connection(scene: Scene, has_rung: bool) -> None:
    """Goes once more too, unless it has been heard of: then nobody would tell what came of it."""
    heard: list[Response | None] = []
    invite = request("INVITE", branch="z9hG4bKours")
    scene.layer.send_invite(invite, STREAM, 0.0, heard.append)
    if has_rung:
        scene.layer.receive_response(response(invite, 180), 0.0)
        heard.clear()
    scene.collect(0.0)
    scene.layer.lose(STREAM, was_open=True)
    again = [(data, hop.connection) for data, hop in scene.layer.outbox]
    assert again == ([] if has_rung else [(scene.sent[0][1], 0)])
    scene.layer.lose(STREAM, was_open=True)
    assert heard == [None]
    assert scene.layer.is_quiet


def test_a_connection_that_was_never_made(scene: Scene) -> None:
    """There is nothing to try again."""
    results: list[Response | None] = []
    scene.layer.send_request(request("BYE", branch="z9hG4bKours"), STREAM, 0.0, results.append)
    scene.layer.lose(STREAM, was_open=False)
    assert results == [None]
    assert scene.layer.is_quiet
