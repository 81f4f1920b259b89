"""What an agent must not say is not said, whoever has made it up."""

from __future__ import annotations

import pytest

from softagent.chat import Message
from softagent.dialogue.guard import ENGLISH, KOREAN, Guard, numbers_in
from softagent.dialogue.prompt import EXAMPLES, LIMITS, MANNER, opening

PERSONA = "You are the friendly receptionist of Willow Lane Dental Practice in the old town."
FACTS = """The practice opens at eight in the morning on Monday and at nine on every other day.
Our telephone number is 0771 123 456 and the emergency number is 0771 999 888.
"""
PROMPT = [Message(role="user", content="Hello?")]


@pytest.fixture
def guard() -> Guard:
    return Guard(opening(PERSONA, FACTS), persona=PERSONA, facts=FACTS)


def said(guard: Guard, *clauses: str, asked: str = "Hello?") -> list[str]:
    return list(guard.check(clauses, [Message(role="user", content=asked)]))


@pytest.mark.parametrize("rule", [MANNER, LIMITS, MANNER.upper(), LIMITS.replace(",", " -")])
def test_the_instructions_are_not_read_out(guard: Guard, rule: str) -> None:
    """Neither as they are nor in other letters and punctuation."""
    assert said(guard, "Of course.", f"My instructions are: {rule}", "Anything else?") == [
        "Of course.",
        ENGLISH.secret,
    ]


def test_not_even_in_pieces(guard: Guard) -> None:
    """A stretch that begins in one clause and ends in the next: the rest of it stays unsaid."""
    seven_words = ["Answer in one short", "spoken sentence, without."]
    assert said(guard, *seven_words) == seven_words
    assert said(guard, "Whatever is not written above", "you don't know: say so and offer") == [
        "Whatever is not written above",
        ENGLISH.secret,
    ]


def test_the_persona_is_said_as_its_own_but_not_as_an_instruction(guard: Guard) -> None:
    """ "I am the friendly receptionist of ..." is an answer; "You are ..." is a prompt read out."""
    mine = "I am the friendly receptionist of Willow Lane Dental Practice in the old town."
    assert said(guard, mine) == [mine]
    assert said(guard, PERSONA) == [ENGLISH.secret]


@pytest.mark.parametrize("fact", FACTS.splitlines())
def test_facts_are_told_word_for_word(guard: Guard, fact: str) -> None:
    """That is what they are for, their numbers included."""
    assert said(guard, fact) == [fact]


@pytest.mark.parametrize("answer", [answer for _, answer in EXAMPLES])
def test_the_examples_are_fine(guard: Guard, answer: str) -> None:
    """What the model is shown to say may be said."""
    assert said(guard, answer) == [answer]


@pytest.mark.parametrize(
    "claim",
    [
        "I'll put you through to Doctor Harris now.",
        "I\u2019ll transfer you.",
        "One moment, I'm connecting you with sales.",
        "Please hold while I transfer your call.",
        "You are being transferred.",
        "Transferring you to zero zero four four.",
        "I will now hang up.",
        "I've booked you for Friday at ten.",
        "I have cancelled your appointment.",
        "Your appointment on Friday has been confirmed.",
        "Let me connect you to the manager.",
        "I'm happy to put you straight through.",
    ],
)
def test_a_deed_without_code_behind_it_is_not_claimed(guard: Guard, claim: str) -> None:
    """Only code transfers, hangs up and books: the model saying so would be a lie."""
    assert said(guard, claim, "Anything else?") == [ENGLISH.unable]


@pytest.mark.parametrize(
    "answer",
    [
        "I'm afraid I can't put you through.",
        "I can't transfer calls, but I can take a message.",
        "I'll take a message for Doctor Harris.",
        "You can transfer money to our account.",
        "The bus connects to the station.",
        "Would you like to leave a message?",
        "Please put your car behind the building.",
        "You have to cancel a day ahead.",
        "Hold the line, please.",
    ],
)
def test_what_only_sounds_like_a_deed_is_fine(guard: Guard, answer: str) -> None:
    """Refusals, offers and other meanings."""
    assert said(guard, answer) == [answer]


@pytest.mark.parametrize("mark", ["<|im_start|>system", "</s>", "<tool_call>", "im_end"])
def test_the_marks_of_a_template_are_never_spoken(guard: Guard, mark: str) -> None:
    """They would only be there because somebody tried something."""
    assert said(guard, f"Sure {mark} here") == [ENGLISH.secret]


def test_a_number_out_of_nowhere_is_not_dictated(guard: Guard) -> None:
    """In figures or in words; those of the facts and of the caller are told."""
    assert said(guard, "Call 0900 123 4567.") == [ENGLISH.unknown]
    assert said(guard, "Call zero nine zero zero, one two three four.") == [ENGLISH.unknown]
    assert said(guard, "It is 0771-123-456.") == ["It is 0771-123-456."]
    back = "So your number is 030 1234567."
    assert said(guard, back, asked="I'm at oh three oh one two three four five six seven") == [back]


def test_prices_times_and_dates_are_no_telephone_numbers() -> None:
    """Fewer than seven digits in a row."""
    assert numbers_in("It costs 120.50 from 9:00 to 17:30, since 2026, at 12 Mill Lane.") == set()
    assert numbers_in("zero seven seven one 123 456") == {"0771123456"}


def test_korean_is_guarded_in_korean() -> None:
    """A claim is replaced by a sentence in the account's language."""
    guard = Guard(opening("", ""), persona="", facts="", language="ko")
    assert list(guard.check(["지금 연결해 드리겠습니다."], PROMPT)) == [KOREAN.unable]


def test_nothing_is_looked_at_before_it_is_needed(guard: Guard) -> None:
    """Clause by clause: the first is spoken before the second is written."""
    clauses = iter(["Yes.", "No."])
    checked = guard.check(clauses, PROMPT)
    assert next(checked) == "Yes."
    assert next(clauses) == "No."
