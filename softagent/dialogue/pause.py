"""How long a pause ends the caller's turn: from the words so far, and from what the agent has just asked.

    words of the pause -> reading -> PauseLengths -> ticks of silence that end the turn

Pauses inside a turn are as long as those between turns (Heldner & Edlund 2010), so silence
alone either cuts callers off or keeps them waiting; what has been said tells them apart.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from softagent.dialogue.words import Words, plain_words


class Expected(enum.Enum):
    """What kind of answer the agent has just asked for."""

    ANYTHING = "anything"
    YES_OR_NO = "yes-or-no"
    NUMBER = "number"
    NAME = "name"


class Reading(enum.Enum):
    """What the words of a pause look like."""

    UNKNOWN = "unknown"
    """No words yet, or none that tell."""
    SHORT_ANSWER = "short-answer"
    """All that was asked for: "yes", "no thanks", "seven"."""
    FINISHED = "finished"
    """A whole question or sentence."""
    OPEN = "open"
    """It ends where something must follow: "and", "my number is"."""
    NUMBER = "number"
    """It ends in digits or letters, of which more may come."""


@dataclass(frozen=True, slots=True)
class PauseLengths:
    """Ticks of silence that end a turn."""

    shortest: int
    """After a short answer."""
    finished: int
    """After a whole sentence."""
    usual: int
    longest: int
    """In mid-sentence or mid-number."""

    def after(self, reading: Reading) -> int:
        """The pause that ends a turn whose words look like `reading`."""
        match reading:
            case Reading.SHORT_ANSWER:
                return self.shortest
            case Reading.FINISHED:
                return self.finished
            case Reading.OPEN | Reading.NUMBER:
                return self.longest
            case Reading.UNKNOWN:
                return self.usual


class WordPolicy:
    """A PausePolicy for the Endpointer: it knows what the agent asked last. One call, one thread."""

    def __init__(self, lengths: PauseLengths, words: Words) -> None:
        self._lengths = lengths
        self._words = words
        self._expected = Expected.ANYTHING

    def hear_agent(self, said: str) -> None:
        """Note what the caller has heard the agent say last."""
        self._expected = expected_answer(said, self._words)

    def __call__(self, text: str) -> int:
        """Ticks of silence after `text` that end the turn."""
        return self._lengths.after(reading_of(text, self._expected, self._words))


WHOLE_NUMBER_DIGITS = 10
"""A telephone number with its area code: nobody is expected to go on."""
SENTENCE_WORDS = 3
"""Fewer words are no sentence, whatever a recognizer puts behind them."""


def expected_answer(said: str, words: Words) -> Expected:
    """What the agent's last sentence asks for; ANYTHING unless it is a question that tells."""
    question = re.split(r"(?<=[.!?])\s+", said.strip())[-1]
    if not question.endswith("?"):
        return Expected.ANYTHING
    if words.asks_number.search(question):
        return Expected.NUMBER
    if words.asks_name.search(question):
        return Expected.NAME
    if words.asks_yes_or_no.search(question):
        return Expected.YES_OR_NO
    return Expected.ANYTHING


def reading_of(text: str, expected: Expected, words: Words) -> Reading:
    """What the words so far look like. A recognizer's full stop proves nothing; its question mark does."""
    text = text.strip()
    plain = plain_words(text)
    if not plain:
        return Reading.UNKNOWN
    if text.endswith(("...", "…", "-", ",")) or words.is_open(plain):
        return Reading.OPEN
    digits = words.digits_at_end(plain)
    if expected is Expected.NUMBER and digits:
        return _reading_of_number(digits, is_alone=digits >= len(plain))
    if digits > 1 or (digits and expected is Expected.NAME):
        return Reading.NUMBER if digits < WHOLE_NUMBER_DIGITS else Reading.FINISHED
    if words.short_answer.fullmatch(" ".join(plain)):
        return Reading.SHORT_ANSWER
    if text.endswith("?") or (len(plain) >= SENTENCE_WORDS and text.endswith((".", "!"))):
        return Reading.FINISHED
    return Reading.UNKNOWN


def _reading_of_number(digits: int, *, is_alone: bool) -> Reading:
    """The agent asked for a number: a lone figure may be all of it, a group of them is not."""
    if digits >= WHOLE_NUMBER_DIGITS:
        return Reading.FINISHED
    return Reading.UNKNOWN if digits == 1 and is_alone else Reading.NUMBER
