"""Streams cut into messages, however they arrive."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire import OFFER, request_bytes

from softagent.sip import framing
from softagent.sip.errors import MessageError
from softagent.sip.framing import (
    LARGEST_BODY_BYTES,
    LARGEST_HEAD_BYTES,
    PING,
    PONG,
    Framer,
)

MESSAGES = [request_bytes("INVITE", body=OFFER), request_bytes("BYE"), request_bytes("ACK")]


@given(st.lists(st.integers(0, len(b"".join(MESSAGES)))))
def test_messages_come_out_whole(cuts: list[int]) -> None:
    """Wherever the network cuts the stream (RFC 3261 section 18.3)."""
    stream, framer = b"".join(MESSAGES), Framer()
    places = [0, *sorted(cuts), len(stream)]
    pieces = [stream[start:end] for start, end in itertools.pairwise(places)]
    assert [frame for piece in pieces for frame in framer.feed(piece)] == MESSAGES
    assert framer.is_empty


def test_keep_alives_between_messages() -> None:
    """Two line ends ask for one (RFC 5626 section 3.5.1); the first counts as an answer until the second comes."""
    framer = Framer()
    assert list(framer.feed(b"\r\n")) == [PONG]
    assert list(framer.feed(b"\r\n" + MESSAGES[1])) == [PING, MESSAGES[1]]
    assert list(framer.feed(b"\r\n")) == [PONG]


def test_a_flood_of_line_ends_is_one_keep_alive() -> None:
    """And the half of one that is left over counts for the next."""
    framer = Framer()
    assert list(framer.feed(2001 * b"\r\n")) == [PING]
    assert list(framer.feed(b"\r\n" + MESSAGES[1])) == [PING, MESSAGES[1]]


@pytest.mark.parametrize("name", [b"Content-Length", b"content-length ", b"l", b"L "])
def test_any_spelling_of_the_length(name: bytes) -> None:
    """Long, compact, any case."""
    assert list(Framer().feed(b"A b SIP/2.0\r\n" + name + b": 3\r\n\r\nabcA")) == [
        b"A b SIP/2.0\r\n" + name + b": 3\r\n\r\nabc"
    ]


def test_no_length_is_no_body() -> None:
    """Nothing else can be meant on a stream."""
    assert list(Framer().feed(b"A b SIP/2.0\r\nTo: x\r\n\r\nA")) == [
        b"A b SIP/2.0\r\nTo: x\r\n\r\n"
    ]


@pytest.mark.parametrize(
    "stream",
    [
        b"a" * LARGEST_HEAD_BYTES,
        b"A b SIP/2.0\r\nContent-Length: -1\r\n\r\n",
        b"A b SIP/2.0\r\nContent-Length: x\r\n\r\n",
        b"A b SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\n",
        b"A b SIP/2.0\r\nl: %d\r\n\r\n" % (LARGEST_BODY_BYTES + 1),
    ],
)
def test_streams_that_can_not_be_cut(stream: bytes) -> None:
    """No end of the message to be found, or one too far away."""
    with pytest.raises(MessageError):
        list(Framer().feed(stream))


def test_a_message_that_drips_in_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's next byte doesn't have all before it looked at again."""
    heads: list[bytes] = []

    def note(head: bytes) -> int:
        heads.append(head)
        return 20

    monkeypatch.setattr(framing, "_body_length", note)
    framer, message = Framer(), b"A b SIP/2.0\r\nl: 20\r\n\r\n" + 20 * b"x"
    frames = [frame for byte in message for frame in framer.feed(bytes((byte,)))]
    assert frames == [message]
    assert heads == [message[:-20]]


def test_a_folded_line_states_no_length() -> None:
    """It goes on with the one before, as the parser has it (section 7.3.1)."""
    message = b"A b SIP/2.0\r\nSubject: x\r\n l: 4\r\n\r\n"
    assert list(Framer().feed(message)) == [message]


@given(st.lists(st.binary(max_size=300)))
def test_anything_is_cut_or_refused(pieces: list[bytes]) -> None:
    """Nothing but MessageError comes out."""
    framer = Framer()
    try:
        for piece in pieces:
            list(framer.feed(piece))
    except MessageError:
        pass
