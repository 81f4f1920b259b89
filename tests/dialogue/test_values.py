"""The values of a form, from words and from keys."""

from __future__ import annotations

import pytest

from softagent.dialogue.desk_settings import Slot
from softagent.dialogue.requests import ENGLISH
from softagent.dialogue.values import value_keyed, value_said

NAME, TEXT, PHONE = Slot("name", "name"), Slot("reason"), Slot("number", "phone")
PIN = Slot("pin", "digits", length=4)
ROOM = Slot("room", "choice", choices=("inside", "on the terrace"))


@pytest.mark.parametrize(
    ("slot", "words", "value"),
    [
        (NAME, "My name is Anna Berg.", "Anna Berg"),
        (NAME, "It's, um, O'Neill", "O'Neill"),
        (NAME, "I'm called Dr. Li", "Dr. Li"),
        (NAME, "this is", ""),
        (NAME, "When do you open?", ""),
        (TEXT, "It's about the Invoice of May, again.", "the Invoice of May, again"),
        (TEXT, "My heating is broken.", "My heating is broken"),
        (PHONE, "My number is oh three oh, double four, one.", "030441"),
        (PHONE, "You can reach me on 030 441.", "030441"),
        (PHONE, "I don't have one.", ""),
        (PHONE, "1", ""),
        (PIN, "one two three four", "1234"),
        (PIN, "one two three", ""),
        (Slot("people", "number"), "There are four of us.", "4"),
        (Slot("day", "date"), "On Friday the third.", "Friday the third"),
        (Slot("day", "date"), "What?", ""),
        (Slot("at", "time"), "At half past seven.", "half past seven"),
        (Slot("new", "yes-no"), "Yes, I am.", "yes"),
        (Slot("new", "yes-no"), "No.", "no"),
        (ROOM, "On the terrace, please.", "on the terrace"),
        (ROOM, "Inside or on the terrace?", ""),
    ],
)
def test_what_words_say(slot: Slot, words: str, value: str) -> None:
    assert value_said(slot, words, ENGLISH) == value


@pytest.mark.parametrize(
    ("slot", "keys", "value"),
    [
        (PHONE, "030441", "030441"),
        (PHONE, "1" * 16, ""),
        (PIN, "0123", "0123"),
        (PIN, "01234", ""),
        (Slot("people", "number"), "007", "7"),
        (ROOM, "2", "on the terrace"),
        (ROOM, "3", ""),
        (Slot("new", "yes-no"), "1", "yes"),
        (NAME, "2662", ""),
    ],
)
def test_what_keys_say(slot: Slot, keys: str, value: str) -> None:
    assert value_keyed(slot, keys, ENGLISH) == value
