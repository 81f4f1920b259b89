"""Which tokens a cache loses when the oldest turns of a call are dropped from the prompt."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from softagent.language.forgetting import LEAST_KEPT, Tokens, common_prefix, tokens_to_forget


def tokens(*parts: range) -> Tokens:
    return np.concatenate([np.array(part, np.intc) for part in parts])


OPENING, OLD, LATER, QUESTION = range(100), range(200, 300), range(400, 500), range(600, 610)


def test_the_dropped_turns_are_forgotten_and_what_came_after_is_kept() -> None:
    cached = tokens(OPENING, OLD, LATER)
    assert tokens_to_forget(cached, tokens(OPENING, LATER, QUESTION)) == (100, 200)


def test_turns_that_begin_alike_are_told_apart() -> None:
    """Each message begins with the same marks of the chat template."""
    marks = range(3)
    cached = tokens(OPENING, marks, OLD, marks, LATER)
    wanted = tokens(OPENING, marks, LATER, QUESTION)
    start, end = tokens_to_forget(cached, wanted)
    assert common_prefix(np.delete(cached, np.s_[start:end]), wanted) == 100 + 3 + 100


def test_of_two_places_alike_the_one_that_keeps_more_counts() -> None:
    phrase = LATER[:LEAST_KEPT]
    cached = tokens(OPENING, OLD, phrase, OLD, LATER)
    start, end = tokens_to_forget(cached, tokens(OPENING, LATER))
    assert (start, end) == (100, len(cached) - len(LATER))


def test_nothing_is_forgotten_where_it_does_not_help() -> None:
    cached = tokens(OPENING, OLD, LATER)
    for wanted in (
        tokens(OPENING, OLD, LATER, QUESTION),  # it goes on
        tokens(OPENING, OLD),  # it is there
        tokens(OPENING, QUESTION),  # another conversation
        tokens(OPENING, LATER[: LEAST_KEPT - 1]),  # too short
        tokens(range(0)),
    ):
        start, end = tokens_to_forget(cached, wanted)
        assert start == end
    assert tokens_to_forget(tokens(range(0)), cached) == (0, 0)


@given(
    st.lists(st.integers(0, 3), max_size=300),
    st.lists(st.integers(0, 3), max_size=300),
)
def test_forgetting_never_loses_what_both_begin_with(held: list[int], asked: list[int]) -> None:
    cached, wanted = np.array(held, np.intc), np.array(asked, np.intc)
    before = common_prefix(cached, wanted)
    start, end = tokens_to_forget(cached, wanted)
    after = common_prefix(np.delete(cached, np.s_[start:end]), wanted)
    assert after >= before
    assert start == end or after >= start + LEAST_KEPT
