"""The torture messages of RFC 4475 and RFC 5118 through the real socket, beside a call and without one.

Most of them want their answer at their Via's port, 5060, whatever port they came from. So
they come from a loopback address of this process's own, where that port is surely free.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator

import pytest
from conftest import Handset, answered
from peer import Peer
from torture_messages import RFC_4475, RFC_5118, Torture

from softagent.config import AccessSettings
from softagent.sip.address import Uri
from softagent.sip.headers import CSeq, Headers, Via
from softagent.sip.message import Request, parse

HOST = f"127.75.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}"
PORTS = (5060, 5050, 5070, 6050, 19823)
"""Where the messages' topmost Vias want their answers."""

DELIMITED = ("with-delim", "no-delim")
NAMES = [torture.name for torture in (*RFC_4475, *RFC_5118)]


class Torturer:
    """Someone who sends what he likes and collects what comes back, byte by byte."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in PORTS]
        for channel, port in zip(self._sockets, PORTS, strict=True):
            channel.bind((HOST, port))
            channel.setblocking(False)

    def close(self) -> None:
        for channel in self._sockets:
            channel.close()

    def tell(self, data: bytes) -> list[bytes]:
        """Send a datagram; all that the telephone says to it, repetitions once."""
        self._sockets[0].sendto(data, self._peer.phone)
        self._peer.until_fence()
        answers: dict[bytes, None] = {}
        for channel in self._sockets:
            with contextlib.suppress(BlockingIOError):
                while True:
                    answers[channel.recv(65535)] = None
        return list(answers)


@pytest.fixture
def handset(peer: Peer) -> Iterator[Handset]:
    """A telephone that lets the torturer in."""
    handset = Handset(peer, access=AccessSettings(allow_from=(HOST,), requests_per_second=1000))
    handset.start()
    peer.register()
    yield handset
    handset.phone.stop(timeout_seconds=0.0)


@pytest.fixture
def torturer(peer: Peer) -> Iterator[Torturer]:
    torturer = Torturer(peer)
    yield torturer
    torturer.close()


def fields(data: bytes) -> Headers:
    """The header fields of any message, as they stand there."""
    lines = data.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape").split("\r\n")
    return Headers(tuple((n, v.strip()) for n, _, v in (line.partition(":") for line in lines[1:])))


def check(torture: Torture, expected: int | None, answers: list[bytes]) -> None:
    """One response of the right status and no other final one, which names what it answers."""
    statuses = [int(answer.split(None, 2)[1]) for answer in answers]
    assert statuses == ([] if expected is None else [expected]), torture.why
    if expected is None:
        return
    answer = fields(answers[0])
    assert torture.header in answers[0].decode("utf-8", "replace")
    assert str(len(answers[0].partition(b"\r\n\r\n")[2])) == answer.first("Content-Length")
    with contextlib.suppress(ValueError):  # what can't be parsed is compared where it can be
        asked = parse(torture.data)
        assert asked.via.branch in (answer.first("Via") or "")
        for name in ("From", "Call-ID", "CSeq"):
            assert asked.headers.first(name) == answer.first(name)
        assert (answer.first("To") or "").startswith(asked.need("To"))


def still_up(peer: Peer, handset: Handset, tag: str, sequence: int) -> None:
    """The call from before is where it was, on both sides."""
    assert handset.phone.is_alive
    assert handset.calls.empty()
    assert handset.moves.empty()
    assert handset.ends.empty()
    peer.ask("INFO", to_tag=tag, sequence=sequence)
    peer.response(200, "INFO")


def test_they_are_all_there() -> None:
    """RFC 4475 has 49, RFC 5118 has 12."""
    assert (len({t.name for t in RFC_4475}), len({t.name for t in RFC_5118})) == (49, 12)


@pytest.mark.parametrize("torture", [*RFC_4475, *RFC_5118], ids=NAMES)
def test_beside_a_call(peer: Peer, handset: Handset, torturer: Torturer, torture: Torture) -> None:
    """The right answer, also the second time, and the call goes on."""
    _, tag = answered(peer, handset)
    check(torture, torture.busy, torturer.tell(torture.data))
    still_up(peer, handset, tag, 2)
    check(torture, torture.busy, torturer.tell(torture.data))
    still_up(peer, handset, tag, 3)
    peer.ask("BYE", to_tag=tag, sequence=4)
    peer.response(200, "BYE")


@pytest.mark.parametrize("torture", [*RFC_4475, *RFC_5118], ids=NAMES)
def test_without_a_call(peer: Peer, handset: Handset, torturer: Torturer, torture: Torture) -> None:
    """The right answer, and a call rings exactly where one should."""
    check(torture, torture.idle, torturer.tell(torture.data))
    assert handset.phone.is_alive
    assert handset.calls.qsize() == (1 if torture.idle == 180 else 0)


def test_what_they_say_is_understood() -> None:
    """Spaces, folds, escapes and brackets are read as the RFCs explain them."""
    taken = (*RFC_4475, *RFC_5118)
    found = {t.name: parse(t.data) for t in taken if t.idle in (180, 200, 481, 488)}
    first = found["wsinv"]
    assert [Via.parse(value).branch for value in first.headers.values("Via")] == [
        *("390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239")
    ]
    assert (first.recipient.tag, first.sender.tag) == ("1918181833n", "98asjd8")
    assert first.sender.display_name == 'J Rosenberg \\"'
    assert first.cseq == CSeq(9, "INVITE")
    assert found["lwsdisp"].sender.display_name == "caller"
    assert found["baddn"].sender.display_name == "Bell, Alexander"
    assert found["badaspec"].recipient.uri.host == "example.org"
    assert len(found["longreq"].headers.values("Via")) == 34
    assert len(found["mpart01"].body) == 553
    semicolons = found["semiuri"]
    assert isinstance(semicolons, Request)
    assert Uri.parse(semicolons.uri).user == "user;par=u%40example.net"
    received = [found[f"via-received-param-{kind}"].via.parameter("received") for kind in DELIMITED]
    assert received == ["[2001:db8::9:255]", "2001:db8::9:255"]
    assert found["mult-ip-in-header"].via.port == 6050
    assert found["ipv4-mapped-ipv6"].addresses("Contact")[0].uri.host == "::ffff:192.0.2.2"
    assert found["ipv6-bug-abnf-3-colons"].recipient.uri.host == "2001:db8:::192.0.2.1"
