"""Numbers as they are spoken: groups of figures, quantities, and reading back digit by digit."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FIGURES = {
    "zero": "0",
    "oh": "0",
    "o": "0",
    "nought": "0",
    "one": "1",
    "two": "2",
    "to": "2",
    "too": "2",
    "three": "3",
    "four": "4",
    "for": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
}
_HOMOPHONES = frozenset(["to", "too", "for", "o"])
"""Figures only next to another one."""
_TEENS = {
    name: number
    for number, name in enumerate(
        [
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ],
        10,
    )
}
_TENS = {
    name: number * 10
    for number, name in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2
    )
}
_REPEATS = {"double": 2, "triple": 3, "treble": 3}
_KOREAN = {"공": "0", "영": "0"} | {
    syllable: str(digit) for digit, syllable in enumerate("일이삼사오육칠팔구", 1)
}
"""A figure is a syllable, and figures are written together."""
LARGEST = 999_999


def figures(words: Sequence[str]) -> str:
    """The digits in plain words, in order: "oh seven seven double one" is "07711"; other words are skipped.

    A leading "plus" is kept. Tens stand for their two digits and take a following figure in:
    "twenty one" is "21".
    """
    digits = "+" if "plus" in words[:1] else ""
    repeat = 1
    tens: int | None = None
    for at, word in enumerate(words):
        if word in _REPEATS:
            digits += _two(tens)
            tens, repeat = None, _REPEATS[word]
            continue
        if word in _TENS:
            digits += _two(tens)
            tens = _TENS[word]
            continue
        figure = _figure(words, at)
        if tens is not None:
            takes_in = len(figure) == 1 and figure != "0"
            digits += str(tens + int(figure)) if takes_in else _two(tens) + figure * repeat
            tens = None
        else:
            digits += figure * repeat
        if figure:
            repeat = 1
    return digits + _two(tens)


def _two(tens: int | None) -> str:
    return "" if tens is None else str(tens)


def _figure(words: Sequence[str], at: int) -> str:
    """The digits that the word stands for by itself; empty when it stands for none."""
    word = words[at]
    if word in _TEENS:
        return str(_TEENS[word])
    if word == "hundred":
        return "00"
    if word in _HOMOPHONES:
        near = [*words[max(at - 1, 0) : at], *words[at + 1 : at + 2]]
        return _FIGURES[word] if all(_is_figure(other) for other in near) and near else ""
    if word in _FIGURES:
        return _FIGURES[word]
    if all(syllable in _KOREAN for syllable in word):
        return "".join(_KOREAN[syllable] for syllable in word)
    return "".join(re.findall(r"[0-9]", word)) if re.fullmatch(r"[0-9-]+", word) else ""


def _is_figure(word: str) -> bool:
    return (
        word in _FIGURES
        or word in _TEENS
        or word in _TENS
        or word in _REPEATS
        or re.fullmatch(r"[0-9-]+", word) is not None
    )


def quantity(words: Sequence[str]) -> int | None:
    """The whole number that plain words say: "a hundred and five", "21"; None where there is none, or more than one."""
    total = current = 0
    has_number = False
    for word in words:
        if re.fullmatch(r"[0-9]{1,6}", word):
            value = int(word)
        elif word in _FIGURES and word not in _HOMOPHONES:
            value = int(_FIGURES[word])
        elif word in _TEENS or word in _TENS:
            value = _TEENS.get(word) or _TENS[word]
        elif word == "hundred" and current < 100:
            current, has_number = (current or 1) * 100, True
            continue
        elif word == "thousand":
            total, current, has_number = total + (current or 1) * 1000, 0, True
            continue
        else:
            if has_number and word != "and":
                break
            continue
        if current and (current % 10 or value >= 10 if current % 100 else value >= 100):
            return None  # "five six": two numbers
        current, has_number = current + value, True
    number = total + current
    return number if has_number and number <= LARGEST else None


def spelled(digits: str, figures: Sequence[str], *, plus: str) -> str:
    """Digits to be read out one by one, in groups of three: "zero seven seven, one one".

    `figures` are the names of 0 to 9, `plus` that of a leading "+".
    """
    first = f"{plus} " if digits.startswith("+") else ""
    names = [figures[int(digit)] for digit in digits.lstrip("+")]
    groups = [" ".join(names[start : start + 3]) for start in range(0, len(names), 3)]
    if len(groups) > 1 and len(names) % 3 == 1:  # no figure stands alone at the end
        *most, last_but_one, last = groups
        groups = [*most, f"{last_but_one} {last}"]
    return first + ", ".join(groups)
