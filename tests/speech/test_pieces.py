"""A long utterance is cut where it is quiet, and nothing of it is lost."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.speech.pieces import Pieces, quietest

RATE_HZ = 1000
"""Cuts don't depend on the rate; a low one keeps the property tests quick."""


def tone(seconds):
    return np.full(int(seconds * RATE_HZ), 1000, np.int16)


def pause(seconds):
    return np.zeros(int(seconds * RATE_HZ), np.int16)


def test_twelve_seconds_stay_open():
    pieces = Pieces(RATE_HZ)
    pieces.append(tone(12))

    assert pieces.take_closed() is None
    assert pieces.open().size == 12 * RATE_HZ


def test_the_cut_is_in_the_middle_of_the_pause():
    """A pause from 8.0 to 8.2 s: the first piece ends at 8.1 s and the rest stays open."""
    pieces = Pieces(RATE_HZ)
    pieces.append(np.concatenate([tone(8), pause(0.2), tone(6)]))

    closed = pieces.take_closed()

    assert closed.size == 8.1 * RATE_HZ
    assert pieces.open().size == 6.1 * RATE_HZ
    assert pieces.take_closed() is None


def test_a_pause_near_the_beginning_is_no_place_to_cut():
    """Pieces shorter than 5 s would lose the context of their words."""
    sound = np.concatenate([tone(2), pause(0.4), tone(5), pause(0.2), tone(4)])

    assert quietest(sound, RATE_HZ) == 7.5 * RATE_HZ


@settings(deadline=None)
@given(
    arrivals=st.lists(st.integers(0, 9000), max_size=12), asks=st.lists(st.booleans(), max_size=12)
)
def test_pieces_end_to_end_are_the_utterance(arrivals, asks):
    """However it arrives and whenever it is asked for; every closed piece is 5 to 12 s long."""
    sound = (np.arange(sum(arrivals)) % 30011).astype(np.int16)
    pieces = Pieces(RATE_HZ)
    taken = []

    start = 0
    for number, length in enumerate(arrivals):
        pieces.append(sound[start : start + length])
        start += length
        if number < len(asks) and asks[number]:
            while (closed := pieces.take_closed()) is not None:
                taken.append(closed)
    while (closed := pieces.take_closed()) is not None:
        taken.append(closed)

    assert all(5 * RATE_HZ <= piece.size <= 12 * RATE_HZ for piece in taken)
    assert pieces.open().size <= 12 * RATE_HZ
    np.testing.assert_array_equal(np.concatenate([*taken, pieces.open()]), sound)
