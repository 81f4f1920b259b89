"""Numbers as callers say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.dialogue.desk_phrases import ENGLISH, KOREAN, DeskPhrases
from softagent.dialogue.numerals import figures, quantity, spelled


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("oh seven seven double one", "07711"),
        ("zero one two three", "0123"),
        ("plus four nine three oh", "+4930"),
        ("triple five two", "5552"),
        ("twenty one forty", "2140"),
        ("twenty oh one", "2001"),
        ("seventeen double nine", "1799"),
        ("it's 030 44 55 please", "0304455"),
        ("one two for five to six", "124526"),
        ("for you", ""),
        ("call me to morrow", ""),
        ("eight hundred five", "8005"),
        ("double double", ""),
        ("공일공 이삼 사 오", "0102345"),
    ],
)
def test_figures_in_groups(words: str, digits: str) -> None:
    assert figures(words.split()) == digits


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("a hundred and five", 105),
        ("twenty one people", 21),
        ("four of us", 4),
        ("we are 12", 12),
        ("two thousand three hundred and forty six", 2346),
        ("none", None),
        ("five six", None),
        ("", None),
    ],
)
def test_quantities(words: str, number: int | None) -> None:
    assert quantity(words.split()) == number


def read(digits: str, phrases: DeskPhrases = ENGLISH) -> str:
    return spelled(digits, phrases.figures, plus=phrases.plus)


def test_digits_are_read_out_one_by_one_in_groups() -> None:
    assert read("07711") == "zero seven seven, one one"
    assert read("+4930") == "plus four nine three zero"
    assert read("1234567") == "one two three, four five six seven"
    assert read("0102", KOREAN) == "공 일 공 이"


@given(st.text(alphabet="0123456789", min_size=1, max_size=15))
def test_what_is_read_out_is_what_would_be_heard(digits: str) -> None:
    for phrases in (ENGLISH, KOREAN):
        assert figures(read(digits, phrases).replace(",", "").split()) == digits
