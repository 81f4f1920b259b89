"""What the words of a pause tell about whether the caller has finished."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.dialogue.pause import (
    Expected,
    PauseLengths,
    Reading,
    expected_answer,
    reading_of,
)
from softagent.dialogue.words import ENGLISH


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Good morning, this is Miller and Sons. How can I help you?", Expected.ANYTHING),
        ("We open at eight.", Expected.ANYTHING),
        ("I'm sorry, I don't know that. May I take a message?", Expected.YES_OR_NO),
        ("Shall I put you through?", Expected.YES_OR_NO),
        ("So is that five five five, one two?", Expected.YES_OR_NO),
        ("What is your phone number?", Expected.NUMBER),
        ("For how many people?", Expected.NUMBER),
        ("May I have your name?", Expected.NAME),
        ("How do you spell that?", Expected.NAME),
    ],
)
def test_the_agents_question_tells_what_answer_to_expect(said: str, expected: Expected) -> None:
    assert expected_answer(said, ENGLISH) is expected


@pytest.mark.parametrize(
    ("text", "expected", "reading"),
    [
        ("", Expected.ANYTHING, Reading.UNKNOWN),
        ("When do you open on Saturday?", Expected.ANYTHING, Reading.FINISHED),
        ("I'd like to book a table.", Expected.ANYTHING, Reading.FINISHED),
        ("I'd like to book a table for", Expected.ANYTHING, Reading.OPEN),
        ("I'd like to book a table for.", Expected.ANYTHING, Reading.OPEN),
        ("Yes, and", Expected.YES_OR_NO, Reading.OPEN),
        ("I was wondering...", Expected.ANYTHING, Reading.OPEN),
        ("My name is", Expected.NAME, Reading.OPEN),
        ("Um", Expected.ANYTHING, Reading.OPEN),
        ("I would like to know whether", Expected.ANYTHING, Reading.OPEN),
        ("Hello.", Expected.ANYTHING, Reading.UNKNOWN),
        ("Yes.", Expected.YES_OR_NO, Reading.SHORT_ANSWER),
        ("No, thank you.", Expected.ANYTHING, Reading.SHORT_ANSWER),
        ("Okay", Expected.ANYTHING, Reading.SHORT_ANSWER),
        ("Seven.", Expected.NUMBER, Reading.UNKNOWN),
        ("555", Expected.NUMBER, Reading.NUMBER),
        ("It's five five five", Expected.NUMBER, Reading.NUMBER),
        ("My number is 020 7946", Expected.ANYTHING, Reading.NUMBER),
        ("020 7946 0958", Expected.NUMBER, Reading.FINISHED),
        ("B R O W", Expected.NAME, Reading.NUMBER),
        ("A table for four.", Expected.ANYTHING, Reading.FINISHED),
        ("Saturday", Expected.ANYTHING, Reading.UNKNOWN),
    ],
)
def test_the_words_tell_how_far_the_caller_has_come(
    text: str, expected: Expected, reading: Reading
) -> None:
    assert reading_of(text, expected, ENGLISH) is reading


def test_the_pause_is_shortest_after_yes_and_longest_in_mid_sentence() -> None:
    lengths = PauseLengths(shortest=12, finished=20, usual=28, longest=60)
    assert [lengths.after(reading) for reading in Reading] == [28, 12, 20, 60, 60]


@given(st.text(max_size=80), st.sampled_from(Expected))
def test_any_text_has_a_reading(text: str, expected: Expected) -> None:
    assert reading_of(text, expected, ENGLISH) in Reading
    assert expected_answer(text, ENGLISH) in Expected
