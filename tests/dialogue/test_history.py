"""The model is told what the caller heard, and no more than fits."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.chat import Message
from softagent.dialogue.history import Answer, Clause, History, estimated_tokens

PREFIX = (Message(role="system", content="You are a receptionist."),)


@pytest.mark.parametrize(
    ("heard_frames", "words"),
    [
        (0, ""),
        (24, ""),
        (25, "We"),
        (50, "We open"),
        (99, "We open at"),
        (100, "We open at eight."),
    ],
)
def test_a_clause_counts_as_heard_word_by_word(heard_frames: int, words: str) -> None:
    assert Clause("We open at eight.", frames=100, heard_frames=heard_frames).heard_words() == words


def test_a_clause_still_being_synthesised_counts_by_the_usual_speaking_rate() -> None:
    text = "We open at eight on Monday morning and at nine on Tuesday."
    assert Clause(text, frames=None, heard_frames=100).heard_words() == "We open at eight on"


def test_an_answer_is_heard_clause_by_clause() -> None:
    answer = Answer({1: Clause("and at nine on Tuesday.", 100, 40), 0: Clause("At eight,", 50, 50)})
    assert answer.text() == "At eight, and at nine on Tuesday."
    assert answer.heard() == "At eight, and at"
    assert answer.begun() == "At eight, and at nine on Tuesday."


def test_a_clause_whose_first_sample_shares_a_frame_with_the_one_before_is_heard_whole() -> None:
    clauses = {0: Clause("At eight,", 3, 3), 1: Clause("and on Tuesday", 3, 2)}
    cut_short = Answer({**clauses, 2: Clause("we open at nine.", 60, 30)})
    assert cut_short.heard() == "At eight, and on Tuesday we open"
    heard_out = Answer(clauses, is_heard_out=True)
    assert heard_out.heard() == "At eight, and on Tuesday"


def test_the_prompt_is_the_prefix_the_exchanges_and_the_question() -> None:
    history = History(PREFIX, budget_tokens=1000)
    history.add_agent("Hello.")
    history.add_caller("When do you open?")
    history.add_agent("At eight.")
    assert [message["content"] for message in history.prompt("And close?")] == [
        "You are a receptionist.",
        "Hello.",
        "When do you open?",
        "At eight.",
        "And close?",
    ]


def test_two_utterances_in_a_row_become_one_message() -> None:
    history = History(PREFIX, budget_tokens=1000)
    history.add_caller("I want to")
    history.add_caller("book a table.")
    assert history.messages[-1]["content"] == "I want to book a table."


def test_an_answer_nobody_heard_leaves_no_trace() -> None:
    history = History(PREFIX, budget_tokens=1000)
    history.add_caller("Hello?")
    history.add_agent("")
    assert len(history.messages) == len(PREFIX) + 1


@given(st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=60))
def test_a_long_call_never_outgrows_the_budget_nor_loses_the_prefix(said: list[str]) -> None:
    history = History(PREFIX, budget_tokens=300)
    for words in said:
        prompt = history.prompt(words)
        assert estimated_tokens(prompt) <= 300
        assert prompt[: len(PREFIX)] == PREFIX
        assert prompt[-1]["content"] == words
        history.add_caller(words)
        history.add_agent(words.upper())


def test_trimming_goes_down_to_half_so_that_it_is_rare() -> None:
    history = History(PREFIX, budget_tokens=400)
    beginnings = []
    for number in range(40):
        beginnings.append(history.prompt(f"Question number {number}?")[1]["content"])
        history.add_caller(f"Question number {number}?")
        history.add_agent(f"Answer number {number}, with some words around it.")
    changes = sum(a != b for a, b in itertools.pairwise(beginnings))
    assert 1 <= changes - 1 <= 8
