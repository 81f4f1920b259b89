"""One value of a form: from a caller's words or keys, and back into words."""

from __future__ import annotations

import re

from softagent.dialogue.desk_phrases import DeskPhrases
from softagent.dialogue.desk_settings import Slot
from softagent.dialogue.numerals import figures, quantity, spelled
from softagent.dialogue.requests import Requests
from softagent.dialogue.words import plain_words

SHORTEST_NUMBER = 3
LONGEST_NUMBER = 15
"""Digits of a telephone number (E.164); internal ones are short."""
LONGEST_NAME_WORDS = 8
LONGEST_TEXT = 400
MOST_DIGITS = 40
_DATE = re.compile(
    r"\b(?:today|tomorrow|tonight|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february"
    r"|march|april|may|june|july|august|september|october|november|december|week|weekend|month|day|next"
    r"|first|second|third|fourth|fifth|[a-z]{3,9}teenth|twelfth|twentieth|thirtieth|[0-9]{1,4}(?:st|nd|rd|th)?)\b"
    r"|오늘|내일|모레|[월화수목금토일]요일|[0-9]{1,2} ?[월일]|다음 ?주|이번 ?주"
)
_TIME = re.compile(
    r"\b(?:noon|midday|midnight|morning|afternoon|evening|night|half|quarter|o'clock|past|am|pm|a m|p m|now"
    r"|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[0-9]{1,4}(?:am|pm)?)\b"
    r"|오전|오후|아침|점심|저녁|정오|\w시(?: |$)"
)


def value_said(slot: Slot, text: str, requests: Requests) -> str:
    """What `text` says for `slot`, in normal form; empty when it says nothing of the kind."""
    plain = " ".join(plain_words(text[:LONGEST_TEXT]))
    match slot.kind:
        case "text":
            return _without_lead_in(text, requests)
        case "name":
            return _name(text, requests)
        case "phone" | "digits":
            return value_keyed(slot, figures(plain.split()), requests)
        case "number":
            number = quantity(plain.split())
            return "" if number is None else str(number)
        case "date":
            return _without_lead_in(text, requests) if _DATE.search(plain) else ""
        case "time":
            return _without_lead_in(text, requests) if _TIME.search(plain) else ""
        case "yes-no":
            return {True: "yes", False: "no", None: ""}[requests.agrees(plain)]
        case "choice":
            named = [choice for choice in slot.choices if requests.names(plain, choice)]
            return named[0] if len(named) == 1 else ""


def value_keyed(slot: Slot, digits: str, requests: Requests) -> str:
    """What `digits` stand for in `slot`; empty when they can't be meant."""
    match slot.kind:
        case "phone":
            count = len(digits.lstrip("+"))
            return digits if SHORTEST_NUMBER <= count <= LONGEST_NUMBER else ""
        case "digits":
            is_right = len(digits) == slot.length if slot.length else len(digits) <= MOST_DIGITS
            return digits if digits.isdigit() and is_right else ""
        case "number":
            return str(int(digits)) if digits.isdigit() and len(digits) <= 6 else ""
        case "choice":
            is_one = digits.isdigit() and 1 <= int(digits) <= len(slot.choices)
            return slot.choices[int(digits) - 1] if is_one else ""
        case "yes-no":
            return {"1": "yes", "2": "no"}.get(digits, "")
        case "text" | "name" | "date" | "time":
            return ""


def value_read(slot: Slot, value: str, phrases: DeskPhrases) -> str:
    """`value` as it is read back: digits one by one."""
    is_digits = slot.kind in ("phone", "digits")
    return spelled(value, phrases.figures, plus=phrases.plus) if is_digits else value


def _without_lead_in(text: str, requests: Requests) -> str:
    """The caller's own words, without "it's about" and the full stop."""
    rest = requests.ending.sub("", text[:LONGEST_TEXT].strip().rstrip(".!?,; "))
    plain = " ".join(plain_words(rest))
    skipped = len(plain.split()) - len(requests.lead_in.sub("", plain + " ", count=1).split())
    words = rest.split()
    kept = words[skipped:] if len(words) == len(plain.split()) else words
    return " ".join(kept or words)


def _name(text: str, requests: Requests) -> str:
    if text.strip().endswith("?"):
        return ""
    name = _without_lead_in(text, requests).rstrip(".,")
    words = name.split()
    if (
        not words
        or len(words) > LONGEST_NAME_WORDS
        or requests.lead_in.fullmatch(f"{name.lower()} ")
    ):
        return ""
    return " ".join(word[:1].upper() + word[1:] for word in words)
