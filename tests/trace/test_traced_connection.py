"""SIP over TCP, as segments bring it."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.capture.network import Segment
from softagent.trace.connection import MOST_WAITING, Connections

A, B = ("10.0.0.1", 40000), ("10.0.0.2", 5060)
FIRST = b"OPTIONS sip:a SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 5\r\n\r\nhello"
SECOND = b"SIP/2.0 200 OK\r\nCall-ID: 2\r\nl: 0\r\n\r\n"
TEXT = b"\r\n\r\n" + FIRST + b"\r\n\r\n" + SECOND + FIRST


def segment(payload: bytes, sequence: int, *, is_start: bool = False) -> Segment:
    return Segment(0, A, B, payload, sequence % 2**32, is_start)


@settings(deadline=None)
@given(
    cuts=st.sets(st.integers(1, len(TEXT) - 1), max_size=12),
    start=st.sampled_from([1, 2**32 - 40, 2**31 - 20]),
    data=st.data(),
)
def test_messages_are_found_however_they_are_cut(
    cuts: set[int], start: int, data: st.DataObject
) -> None:
    """In any order, with repetitions, across the wrap of the sequence number, keep-alives between."""
    places = [0, *sorted(cuts), len(TEXT)]
    parts = [segment(TEXT[begin:end], start + begin) for begin, end in itertools.pairwise(places)]
    order = data.draw(st.permutations([*parts, data.draw(st.sampled_from(parts))]))
    connections = Connections()
    connections.receive(segment(b"", start, is_start=True))
    found = [message for one in order for message in connections.receive(one)]
    assert found == [FIRST, SECOND, FIRST]


def test_a_connection_that_was_up_before_is_read_from_its_next_message_on() -> None:
    """The tail of a message that began before the capture is passed over."""
    connections = Connections()
    tail = b"header: x\r\n\r\n"
    assert connections.receive(segment(tail + SECOND, 500)) == [SECOND]


def test_a_segment_that_overlaps_is_taken_once() -> None:
    """A retransmission that carries more than the first time."""
    connections = Connections()
    connections.receive(segment(FIRST[:20], 1))
    assert connections.receive(segment(FIRST[:50], 1)) == []
    assert connections.receive(segment(FIRST[10:], 11)) == [FIRST]


def test_a_lost_segment_costs_its_message_only() -> None:
    """Whoever captured missed it: the connection goes on after the gap."""
    connections = Connections()
    connections.receive(segment(FIRST[:10], 1))
    at, found = 1000, []
    for _ in range(MOST_WAITING + 2):
        found += connections.receive(segment(SECOND, at))
        at += len(SECOND)
    assert found[-1] == SECOND


def test_tls_is_counted_not_read() -> None:
    """Nothing can be made of it without keys."""
    connections = Connections()
    assert connections.receive(segment(b"\x17\x03\x03\0\x20" + bytes(32), 1)) == []
    assert connections.encrypted == 1


@settings(deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 2**32 - 1))))
def test_anything_else_is_survived(segments: list[tuple[bytes, int]]) -> None:
    """Other protocols on TCP."""
    connections = Connections()
    for payload, sequence in segments:
        assert connections.receive(segment(payload, sequence)) == []
