"""What the desk says, by language. In braces: what is filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeskPhrases:
    """One language's sentences about what is being done."""

    or_word: str
    putting_through: str
    offer_place: str
    only_place: str
    which_place: str
    unknown_place: str
    busy: str
    no_answer: str
    not_taken: str
    not_put_through: str
    """Neither busy nor refused: it just didn't work."""
    offer_message: str
    offer_service: str
    offer_person: str
    """After the caller has not been understood for too long."""
    declined: str
    anything_else: str
    moment: str
    """Before something that takes a while."""
    done: str
    not_done: str
    took_message: str
    lost_message: str
    slower: str
    take_message: str
    ask_name: str
    ask_number: str
    ask_reason: str
    ask_slot: str
    ask_choice: str
    ask_yes_no: str
    check: str
    check_all: str
    which_slot: str
    not_understood: str
    cancelled: str
    kept_secret: str

    def either(self, names: Sequence[str]) -> str:
        """The names as a choice: "sales, support or Anna"."""
        *most, last = names
        return f"{', '.join(most)} {self.or_word} {last}" if most else last


ENGLISH = DeskPhrases(
    or_word="or",
    putting_through="I'm putting you through to {place}.",
    offer_place="Shall I put you through to {place}?",
    only_place="I'm sorry, I can only put you through to {place}. Shall I do that?",
    which_place="I can put you through to {places}. Which would you like?",
    unknown_place="I'm sorry, I can't put you through there, only to {places}. Which would you like?",
    busy="The line is busy.",
    no_answer="I'm sorry, nobody is answering.",
    not_taken="I'm sorry, they couldn't take the call.",
    not_put_through="I'm sorry, I couldn't put you through.",
    offer_message="Shall I take a message?",
    offer_service="Shall I go on with this: {service}?",
    offer_person="I'm sorry, we don't seem to understand each other. Shall I put you through to {place}?",
    declined="All right.",
    anything_else="Is there anything else I can do for you?",
    moment="One moment, please.",
    done="That's done.",
    not_done="I'm sorry, that didn't work.",
    took_message="Thank you, I've taken your message.",
    lost_message="I'm sorry, I couldn't keep your message.",
    slower="All right, I'll speak more slowly.",
    take_message="Certainly.",
    ask_name="What is your name?",
    ask_number="What is your telephone number?",
    ask_reason="What is it about?",
    ask_slot="What is the {slot}, please?",
    ask_choice="Which {slot} would you like: {choices}?",
    ask_yes_no="{slot}, yes or no?",
    check="{value}. Is that right?",
    check_all="Let me check: {values}. Is that right?",
    which_slot="Which of these is wrong: {slots}?",
    not_understood="I'm sorry, I didn't get that.",
    cancelled="All right, I've left that.",
    kept_secret="{slot} given",
)

_LANGUAGES = {"en": ENGLISH}


def desk_phrases(language: str) -> DeskPhrases:
    """The desk's sentences in `language` ("en-us"), English where there are none of its own."""
    return _LANGUAGES.get(language.lower().split("-")[0], ENGLISH)
