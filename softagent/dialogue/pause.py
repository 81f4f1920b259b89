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
    AMOUNT = "amount"
    """A number, a time or a day: a word or two."""
    NUMBER = "number"
    """Figures read out one after the other: a telephone number, an order number."""
    NAME = "name"


class Reading(enum.Enum):
    """What the words of a pause look like."""

    UNKNOWN = "unknown"
    """No words yet, or none that tell."""
    SHORT_ANSWER = "short-answer"
    """All that was asked for: "yes", "no thanks", "seven"."""
    FINISHED = "finished"
    """A question, a long sentence, a whole telephone number."""
    SENTENCE = "sentence"
    """A short sentence: it may be all, and it may be the first half of one, or the first of two."""
    OPEN = "open"
    """It ends where something must follow ("and", "my number is"), or too little has been said
    ("hello", "the printer")."""
    NUMBER = "number"
    """It ends in digits or letters, of which more may come."""


@dataclass(frozen=True, slots=True)
class PauseLengths:
    """Ticks of silence that end a turn."""

    shortest: int
    """After a short answer."""
    finished: int
    """After a question or a long sentence."""
    usual: int
    """After a short sentence, and where there are no words."""
    longest: int
    """In mid-sentence or mid-number."""

    def after(self, reading: Reading) -> int:
        """The pause that ends a turn whose words look like `reading`."""
        match reading:
            case Reading.SHORT_ANSWER:
                return self.shortest
            case Reading.FINISHED:
                return self.finished
            case Reading.SENTENCE | Reading.UNKNOWN:
                return self.usual
            case Reading.OPEN | Reading.NUMBER:
                return self.longest


class WordPolicy:
    """A PausePolicy for the Endpointer: it knows what the agent asked last. One call, one thread."""

    def __init__(self, lengths: PauseLengths, words: Words) -> None:
        self._lengths = lengths
        self._words = words
        self._expected = Expected.ANYTHING
        self._finished: float | None = None

    def hear_agent(self, said: str) -> None:
        """Note what the caller has heard the agent say last."""
        self._expected = expected_answer(said, self._words)

    def hear_pause(self, finished: float | None) -> None:
        """Note how likely it is, by the sound of the pause, that the caller has finished; None: unknown."""
        self._finished = finished

    def __call__(self, text: str) -> int:
        """Ticks of silence after `text` that end the turn."""
        reading = reading_of(text, self._expected, self._words)
        if self._finished is not None and self._finished < UNFINISHED:
            reading = doubted(reading)
        return self._lengths.after(reading)


def doubted(reading: Reading) -> Reading:
    """`reading` where the sound of the pause says that more follows: a step longer."""
    match reading:
        case Reading.SHORT_ANSWER:
            return Reading.FINISHED
        case Reading.FINISHED:
            return Reading.SENTENCE
        case _:
            return Reading.OPEN


UNFINISHED = 0.5
"""Probability of having finished below which the sound of a pause counts against it."""
WHOLE_NUMBER_DIGITS = 10
"""A telephone number with its area code: nobody is expected to go on."""
QUESTION_WORDS = 3
SENTENCE_WORDS = 4
"""Fewer words are no sentence, whatever a recognizer puts behind them."""
LONG_SENTENCE_WORDS = 8
"""A sentence of so many words is seldom gone on with: a pause inside comes earlier."""
AMOUNT_WORDS = 3
OPEN_MARKS = ("...", "…", "-", ",")


def expected_answer(said: str, words: Words) -> Expected:
    """What the agent's last sentence asks for; ANYTHING unless it is a question that tells."""
    question = last_sentence(said)
    if not question.endswith("?"):
        return Expected.ANYTHING
    if words.asks_number.search(question):
        return Expected.NUMBER
    if words.asks_name.search(question):
        return Expected.NAME
    if words.asks_yes_or_no.search(question):
        return Expected.YES_OR_NO
    return Expected.AMOUNT if words.asks_amount.search(question) else Expected.ANYTHING


def last_sentence(text: str) -> str:
    """What follows the last full stop, question or exclamation mark but the very last."""
    return re.split(r"(?<=[.!?])\s+", text.strip())[-1]


def reading_of(text: str, expected: Expected, words: Words) -> Reading:
    """What the words so far look like.

    A recognizer puts its full stop behind anything, so it proves nothing by itself: the
    sentence before it must be of some length. A question mark it doesn't put by chance.
    """
    text, plain = text.strip(), plain_words(text)
    if not plain:
        return Reading.UNKNOWN
    if text.endswith(OPEN_MARKS) or words.is_open(plain):
        return Reading.OPEN
    if expected is Expected.AMOUNT and len(plain) <= AMOUNT_WORDS:
        return Reading.SHORT_ANSWER
    digits = words.digits_at_end(plain)
    if digits > 1 or (digits and expected in (Expected.NUMBER, Expected.NAME)):
        return Reading.FINISHED if digits >= WHOLE_NUMBER_DIGITS else Reading.NUMBER
    if words.short_answer.fullmatch(" ".join(plain)):
        is_asked = expected is Expected.YES_OR_NO
        return Reading.SHORT_ANSWER if is_asked else Reading.SENTENCE
    is_number_to_come = expected is Expected.NUMBER and not text.endswith("?")
    if is_number_to_come or words.greeting.fullmatch(" ".join(plain)):
        return Reading.OPEN
    return _reading_of_sentence(last_sentence(text), expected, words)


def _reading_of_sentence(sentence: str, expected: Expected, words: Words) -> Reading:
    """Neither short answer nor number: how long it is tells whether it is whole."""
    plain = plain_words(sentence)
    if sentence.endswith("?") and len(plain) >= QUESTION_WORDS:
        return Reading.FINISHED
    if not sentence.endswith((".", "!")):
        is_from_one_who_punctuates = not sentence.islower() and sentence.lower() != sentence.upper()
        return Reading.OPEN if is_from_one_who_punctuates else Reading.UNKNOWN
    if words.subordinators.intersection(plain[:1]) and "," not in sentence:
        return Reading.OPEN
    if len(plain) >= LONG_SENTENCE_WORDS:
        return Reading.FINISHED
    is_enough = len(plain) >= SENTENCE_WORDS or expected is not Expected.ANYTHING
    return Reading.SENTENCE if is_enough else Reading.OPEN
