"""What an agent must not say, whatever its callers and its model have come up with. Pure.

A small model can be talked into anything: into reading out its instructions, into saying
that it puts the caller through, into a number that it makes up. None of that happens,
because only code acts; but it must not be said either. Each clause of a reply is looked at
before it becomes sound, and from the first bad one on, a safe sentence takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from softagent.chat import Message
from softagent.dialogue.words import plain_words

LEAK_WORDS = 8
"""So many words in a row of the instructions are no coincidence any more."""
NUMBER_DIGITS = 7
"""So many digits in a row are a telephone number; prices, times and years have fewer."""
MARKS = ("<|", "|>", "<s>", "</s>", "[INST]", "<tool_call>", "im_start", "im_end")
"""Of chat templates."""


@dataclass(frozen=True, slots=True)
class Safe:
    """One language's: what is said instead, and what may not be claimed."""

    secret: str
    """Instead of the instructions."""
    unable: str
    """Instead of the claim that something is being done."""
    unknown: str
    """Instead of a number that nobody has given."""
    claims: re.Pattern[str]
    you: frozenset[str]
    """Words that tell instructions from a description: "you are ..."."""


_DOING = (
    r"transfer(?:ring|red)?|connect(?:ing)?|redirect(?:ing|ed)?|forward(?:ing|ed)?"
    r"|put(?:ting)? (?:you|your call|this call|him|her|them)\b.{0,20}?\bthrough|hang(?:ing)? up"
    r"|book(?:ing|ed)?|cancel(?:ling|led|ing|ed)?|reschedul(?:e|ed|ing)"
)
ENGLISH = Safe(
    secret="I'm sorry, I can't talk about that. What else can I do for you?",
    unable="I'm sorry, I can't do that by myself, but I can take a message.",
    unknown="I'm sorry, I don't have that number. May I take a message?",
    claims=re.compile(
        r"\b(?:i'?ll|i will|i am|i'm|i have|i've|let me|allow me to|we'?ll|we will|we are|we're)"
        r"(?: (?:now|just|already|gladly|happily|happy to|going to|be))*"
        rf" (?:{_DOING})\b"
        r"|\b(?:you are|you're|your call is|you will be|you'll be) (?:now |being |now being )"
        r"?(?:transferred|connected|put through|forwarded|booked)\b"
        r"|\b(?:transferring|connecting|putting) (?:you|your call)\b"
        r"|\bwhile i (?:transfer|connect|put)\b"
        r"|\byour (?:appointment|booking|reservation)\b.{0,30}? (?:is|has been)(?: now)?"
        r" (?:booked|confirmed|cancelled|canceled|changed|made|scheduled)\b",
        re.IGNORECASE,
    ),
    you=frozenset({"you", "your"}),
)
KOREAN = Safe(
    secret="죄송합니다. 그 내용은 말씀드릴 수 없습니다. 다른 도움이 필요하신가요?",
    unable="죄송합니다. 제가 직접 해 드릴 수는 없지만 메모를 남겨 드릴 수 있습니다.",
    unknown="죄송합니다. 그 번호는 알지 못합니다. 메모를 남겨 드릴까요?",
    claims=re.compile(
        r"연결해 드리겠습니다|연결하겠습니다|연결 중입니다|전화를 끊겠습니다|예약(?:했|됐|되었)습니다"
    ),
    you=frozenset({"당신은", "당신의", "너는"}),
)
_LANGUAGES = {"en": ENGLISH, "ko": KOREAN}

_DIGITS = {
    "zero": "0",
    "oh": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
}
_NUMBER = re.compile(r"\+?\d(?:[\s().,/-]*\d)+")


class Guard:
    """The guard of one account, the same for every call."""

    def __init__(
        self, instructions: Sequence[Message], *, persona: str, facts: str, language: str = "en"
    ) -> None:
        """`instructions`: what every prompt begins with. Facts may be told, and so may the persona."""
        self._safe = _LANGUAGES.get(language.lower().split("-")[0], ENGLISH)
        told = " ".join(one["content"] for one in instructions if one["role"] == "system")
        free = _stretches(facts) | {
            stretch for stretch in _stretches(persona) if not self._safe.you & set(stretch)
        }
        self._secret = _stretches(told) - free
        self._known = f"{persona}\n{facts}"

    def check(self, clauses: Iterable[str], prompt: Sequence[Message]) -> Iterator[str]:
        """Yield the clauses of a reply to `prompt`; from the first bad one on, a safe sentence instead."""
        known = " ".join((self._known, *(message["content"] for message in prompt)))
        tail: list[str] = []
        for clause in clauses:
            if instead := self._instead(clause, tail, known):
                yield instead
                return
            yield clause
            tail = [*tail, *plain_words(clause)][1 - LEAK_WORDS :]

    def _instead(self, clause: str, tail: Sequence[str], known: str) -> str:
        """What to say instead of `clause` after the words `tail`; empty when it may be said."""
        if any(mark in clause for mark in MARKS):
            return self._safe.secret
        if _stretches(" ".join((*tail, clause))) & self._secret:
            return self._safe.secret
        if self._safe.claims.search(" ".join(clause.replace("\u2019", "'").split())):
            return self._safe.unable
        if numbers_in(clause) - numbers_in(known):
            return self._safe.unknown
        return ""


def numbers_in(text: str) -> set[str]:
    """The telephone numbers in `text`, as digits only, in figures or as words ("oh seven one ...")."""
    plain = re.sub(r"[A-Za-z]+", lambda word: _DIGITS.get(word[0].lower(), word[0]), text)
    found = ("".join(re.findall(r"\d", number)) for number in _NUMBER.findall(plain))
    return {digits for digits in found if len(digits) >= NUMBER_DIGITS}


def _stretches(text: str) -> set[tuple[str, ...]]:
    """Every run of eight words."""
    words = plain_words(text)
    return {tuple(words[at : at + LEAK_WORDS]) for at in range(max(0, len(words) - LEAK_WORDS + 1))}
