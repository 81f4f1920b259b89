"""Words are compared, not letters, marks or capitals."""

from __future__ import annotations

import pytest

from softagent.lab.word_errors import plain_words, word_errors


def test_words_have_neither_capitals_nor_marks() -> None:
    assert plain_words("Don't, Mr. O'Neil: ring 12-34!") == [
        "don't",
        "mr",
        "o'neil",
        "ring",
        "12",
        "34",
    ]


@pytest.mark.parametrize(
    ("heard", "errors"),
    [
        ("when do you open", 0),
        ("when do they open", 1),
        ("when you open", 1),
        ("well when do you open", 1),
        ("", 4),
        ("open you do when", 4),
    ],
)
def test_a_word_is_wrong_missing_or_one_too_many(heard: str, errors: int) -> None:
    assert word_errors(["when", "do", "you", "open"], heard.split()) == errors
