"""What the words of a pause tell about whether the caller has finished."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.dialogue.pause import (
    Expected,
    PauseLengths,
    Reading,
    WordPolicy,
    expected_answer,
    reading_of,
)
from softagent.dialogue.words import ENGLISH, KOREAN


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Good morning, this is Miller and Sons. How can I help you?", Expected.ANYTHING),
        ("We open at eight.", Expected.ANYTHING),
        ("I'm sorry, I don't know that. May I take a message?", Expected.YES_OR_NO),
        ("Shall I put you through?", Expected.YES_OR_NO),
        ("So is that five five five, one two?", Expected.YES_OR_NO),
        ("What is your phone number?", Expected.NUMBER),
        ("What is your order number?", Expected.NUMBER),
        ("For how many people?", Expected.AMOUNT),
        ("On which day would you like to come?", Expected.AMOUNT),
        ("Could you tell me when?", Expected.YES_OR_NO),
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
        ("Are you open?", Expected.ANYTHING, Reading.FINISHED),
        ("The heating in my flat has stopped working.", Expected.ANYTHING, Reading.FINISHED),
        ("I'd like to book a table.", Expected.ANYTHING, Reading.SENTENCE),
        ("My washing machine is broken.", Expected.ANYTHING, Reading.SENTENCE),
        ("I'd like to book a table for", Expected.ANYTHING, Reading.OPEN),
        ("I'd like to book a table for.", Expected.ANYTHING, Reading.OPEN),
        ("I'd like to book a table for it.", Expected.ANYTHING, Reading.OPEN),
        ("Could you move it from Tuesday too?", Expected.ANYTHING, Reading.OPEN),
        ("I would like to know whether", Expected.ANYTHING, Reading.OPEN),
        ("Yes, and", Expected.YES_OR_NO, Reading.OPEN),
        ("I was wondering...", Expected.ANYTHING, Reading.OPEN),
        ("My name is", Expected.NAME, Reading.OPEN),
        ("Um", Expected.ANYTHING, Reading.OPEN),
        ("The printer.", Expected.ANYTHING, Reading.OPEN),
        ("Could you put me through", Expected.ANYTHING, Reading.OPEN),
        ("If I order the lamp from you today.", Expected.ANYTHING, Reading.OPEN),
        ("If I order today, it is here on Monday.", Expected.ANYTHING, Reading.FINISHED),
        ("Hello.", Expected.ANYTHING, Reading.OPEN),
        ("Yes, good morning, this is Mary Jones.", Expected.ANYTHING, Reading.OPEN),
        ("Yes.", Expected.YES_OR_NO, Reading.SHORT_ANSWER),
        ("No, thank you.", Expected.YES_OR_NO, Reading.SHORT_ANSWER),
        ("No, thank you.", Expected.ANYTHING, Reading.SENTENCE),
        ("On Friday", Expected.YES_OR_NO, Reading.OPEN),
        ("On Friday.", Expected.YES_OR_NO, Reading.SENTENCE),
        ("Peter Hansen.", Expected.NAME, Reading.SENTENCE),
        ("Seven.", Expected.AMOUNT, Reading.SHORT_ANSWER),
        ("On Friday.", Expected.AMOUNT, Reading.SHORT_ANSWER),
        ("On Friday at", Expected.AMOUNT, Reading.OPEN),
        ("Seven.", Expected.NUMBER, Reading.NUMBER),
        ("555", Expected.NUMBER, Reading.NUMBER),
        ("Yes, I have it written down here.", Expected.NUMBER, Reading.OPEN),
        ("Which number do you mean?", Expected.NUMBER, Reading.FINISHED),
        ("It's five five five", Expected.NUMBER, Reading.NUMBER),
        ("My number is 020 7946", Expected.ANYTHING, Reading.NUMBER),
        ("020 7946 0958", Expected.NUMBER, Reading.FINISHED),
        ("B R O W", Expected.NAME, Reading.NUMBER),
        ("It is broken. !", Expected.ANYTHING, Reading.OPEN),
        ("saturday", Expected.ANYTHING, Reading.UNKNOWN),
        ("i would like a table for two", Expected.ANYTHING, Reading.UNKNOWN),
    ],
)
def test_the_words_tell_how_far_the_caller_has_come(
    text: str, expected: Expected, reading: Reading
) -> None:
    assert reading_of(text, expected, ENGLISH) is reading


def test_the_pause_is_shortest_after_yes_and_longest_in_mid_sentence() -> None:
    lengths = PauseLengths(shortest=12, finished=20, usual=28, longest=60)
    assert [lengths.after(reading) for reading in Reading] == [28, 12, 20, 28, 60, 60]


def test_a_pause_that_sounds_unfinished_is_a_step_longer() -> None:
    policy = WordPolicy(PauseLengths(shortest=12, finished=20, usual=28, longest=60), ENGLISH)
    texts = ("Are you open on Saturday?", "We were charged twice.", "The printer")
    assert [policy(text) for text in texts] == [20, 28, 60]
    policy.hear_pause(0.3)
    assert [policy(text) for text in texts] == [28, 60, 60]
    policy.hear_agent("Is that right?")
    assert policy("Yes.") == 20
    policy.hear_pause(0.9)
    assert policy("Yes.") == 12
    policy.hear_pause(None)
    assert policy("Yes.") == 12


def test_a_recognizer_without_punctuation_says_nothing_by_leaving_it_out() -> None:
    """Vosk writes none, Whisper leaves it out where the sentence goes on."""
    assert reading_of("are you open on saturday", Expected.ANYTHING, ENGLISH) is Reading.UNKNOWN
    assert reading_of("Are you open on", Expected.ANYTHING, ENGLISH) is Reading.OPEN
    assert reading_of("몇 시에 문을 여나요", Expected.ANYTHING, KOREAN) is Reading.UNKNOWN


def test_a_greeting_is_no_turn_in_any_language() -> None:
    assert reading_of("Good morning.", Expected.ANYTHING, ENGLISH) is Reading.OPEN
    assert reading_of("안녕하세요", Expected.ANYTHING, KOREAN) is Reading.OPEN


def test_korean_questions_for_a_number_and_for_an_amount_differ() -> None:
    assert expected_answer("전화번호가 어떻게 되세요?", KOREAN) is Expected.NUMBER
    assert expected_answer("몇 분이세요?", KOREAN) is Expected.AMOUNT
    assert expected_answer("예약해 드릴까요?", KOREAN) is Expected.YES_OR_NO


@given(st.text(max_size=80), st.sampled_from(Expected))
def test_any_text_has_a_reading(text: str, expected: Expected) -> None:
    assert reading_of(text, expected, ENGLISH) in Reading
    assert expected_answer(text, ENGLISH) in Expected
