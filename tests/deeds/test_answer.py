"""What is said of an action's output."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.deeds.answer import MOST_CHARACTERS, said_json, said_lines, speakable


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", ""),
        (b"\n  \n", ""),
        (b"Booked.\nlog line\n", "Booked."),
        (b'{"say": "Booked."}', "Booked."),
        (b'{\n  "say": "Booked.",\n  "id": 7\n}\n', "Booked."),
        (b'{"say": "Booked."}\n{"say": "never"}\n', "Booked."),
        (b'{"id": 7}', ""),
        (b'{"say": 7}', ""),
        (b"[1]", "[1]"),
        (b"Table\t4,\x1b[1m now\r\n", "Table 4, [1m now"),
        ("Bis später.\n".encode(), "Bis später."),
        (b"caf\xe9", "caf�"),
    ],
)
def test_a_sentence_is_found_in_what_a_program_writes(content: bytes, said: str) -> None:
    assert said_lines(content) == said


def test_what_is_no_json_object_says_nothing_by_webhook() -> None:
    """A page of HTML is not read to anybody."""
    assert said_json(b"<html>It works!</html>") is None
    assert said_json(b"[" * 100_000) is None


def test_a_long_text_ends_with_a_whole_word() -> None:
    said = speakable("word " * 1000)
    assert said.endswith("word")
    assert len(said) <= MOST_CHARACTERS


@given(st.binary(max_size=200))
def test_whatever_is_written_can_be_spoken(content: bytes) -> None:
    said = said_lines(content)
    assert said.isprintable()
    assert len(said) <= MOST_CHARACTERS
