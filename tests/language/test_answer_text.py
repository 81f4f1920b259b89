"""The bytes of tokens, put together to the text of an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.language.answer_text import AnswerText


def text_of(*tokens: bytes) -> str:
    """The whole answer made of these tokens."""
    answer = AnswerText()
    return "".join([*(answer.push(token) for token in tokens), answer.flush()])


def test_character_cut_by_tokens_is_put_together() -> None:
    """A Korean syllable in two tokens comes when it is whole."""
    answer = AnswerText()
    syllable = "안".encode()

    assert answer.push(syllable[:2]) == ""
    assert answer.push(syllable[2:]) == "안"


def test_half_a_character_at_the_end_is_dropped() -> None:
    """An answer cut off by its length ends with its last whole character."""
    assert text_of(b"Hi", "안".encode()[:2]) == "Hi"


@pytest.mark.parametrize("stop", ["\n\nMore", "\nUser: hello", "<|im_end|>x", "\nCaller: yes"])
def test_nothing_after_a_stop_string(stop: str) -> None:
    """The answer ends there, and what was held back of it never shows."""
    answer = AnswerText()

    text = "".join(answer.push(bytes([byte])) for byte in f"We open at eight.{stop}".encode())

    assert text == "We open at eight."
    assert answer.has_ended
    assert answer.flush() == ""


def test_false_alarm_is_released() -> None:
    """What only looked like a stop string is part of the answer."""
    answer = AnswerText()

    assert answer.push(b"Monday\n") == "Monday"
    assert answer.push(b"Tuesday <") == "\nTuesday "
    assert answer.push(b"5") == "<5"
    assert not answer.has_ended


def test_leading_space_is_not_an_answer() -> None:
    """Empty lines before the first word are neither text nor a stop."""
    assert text_of(b"\n", b"\n ", b"Hello") == "Hello"


@given(text=st.text(), data=st.data())
def test_tokens_make_no_difference(text: str, data: st.DataObject) -> None:
    """However the bytes are cut, the text is the same."""
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    tokens = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]

    assert text_of(*tokens) == text_of(raw)
