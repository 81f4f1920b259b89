"""Words that tell how far a caller has come, by language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


def plain_words(text: str) -> list[str]:
    """The words of a transcript in lower case, without punctuation."""
    return re.sub(r"[^\w'\s]", " ", text.lower()).split()


@dataclass(frozen=True, slots=True)
class Words:
    """One language's. All of it in lower case, without punctuation."""

    open_ends: frozenset[str]
    """After these as the last words something must follow; up to three words each."""
    numerals: frozenset[str]
    """Figures as words; letters and digits count by themselves."""
    short_answer: re.Pattern[str]
    """Matches a whole answer that needs nothing after it."""
    greeting: re.Pattern[str]
    """Matches what comes before the matter itself: "good morning", with or without a name."""
    subordinators: frozenset[str]
    """A sentence that begins with one of them needs a second half."""
    backchannel: re.Pattern[str]
    """Matches a whole sign of listening, said without meaning to interrupt (Yngve 1970)."""
    asks_number: re.Pattern[str]
    """For figures that are read out one after the other."""
    asks_amount: re.Pattern[str]
    """For a number, a time or a day: a word or two."""
    asks_name: re.Pattern[str]
    asks_yes_or_no: re.Pattern[str]

    def is_open(self, plain: Sequence[str]) -> bool:
        """Whether something must follow these words."""
        return any(" ".join(plain[-count:]) in self.open_ends for count in (1, 2, 3))

    def digits_at_end(self, plain: Sequence[str]) -> int:
        """How many digits or single letters stand at the end of these words."""
        count = 0
        for word in reversed(plain):
            if word.isdigit():
                count += len(word)
            elif word in self.numerals or (len(word) == 1 and word.isalpha() and word not in "ai"):
                count += 1
            else:
                break
        return count


_ENGLISH_OPEN = """
and, but, or, so, because, if, whether, when, that, which, who, where, while, although, though, since, until, unless
the, a, an, my, your, our, his, her, their, this, these, those, some, any, every
to, for, of, in, on, at, by, with, from, about, into, than, as, like, between
is, are, was, were, am, be, been, will, would, can, could, should, does, did, has, had
i'm, it's, i'd, i'll, i've, we're, they're, there's, that's
um, uh, er, erm, hmm, well, also, then, maybe, just
i, we, you know, kind of, sort of, let me, let me see
i want, i need, i would like, i'd like, i was wondering, i think, i have, i do have
too, for it, about it, to it, in it, of it, at it, with it, from it, about there
"""
"""The last line is what Whisper makes of a "to" or "for" after which nothing comes."""

ENGLISH = Words(
    open_ends=frozenset(_ENGLISH_OPEN.replace("\n", ", ").split(", ")) - {""},
    numerals=frozenset(
        [
            "zero",
            "oh",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
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
            "twenty",
            "thirty",
            "forty",
            "fifty",
            "sixty",
            "seventy",
            "eighty",
            "ninety",
            "hundred",
            "double",
            "triple",
        ]
    ),
    short_answer=re.compile(
        r"(?:(?:yes|yeah|yep|no|nope|nah|sure|okay|ok|please|thanks|thank you|correct|right|exactly"
        r"|absolutely|of course|certainly|that's right|that's correct|that is right|that's fine"
        r"|that's all|that's it|not really|go ahead|i do|i don't|it is|it isn't|goodbye|bye)"
        r"\s*)+"
    ),
    greeting=re.compile(
        r"(?:(?:yes|oh|okay|ok|well|so|uh|um)\s+)*"
        r"(?:(?:hello|hi|hey|good (?:morning|afternoon|evening|day))(?:\s+there)?\s*)+"
        r"(?:(?:this is|my name is|it's|i'm)(?:\s+\w+){1,3})?"
    ),
    subordinators=frozenset(
        ["if", "when", "because", "although", "since", "unless", "while", "after", "before"]
    ),
    backchannel=re.compile(
        r"(?:(?:uh huh|uhhuh|uh|um|mm hm|mmhm|mhm|mm|hm|hmm|mm hmm|ah|oh|aha|okay|ok|yeah|yep|yes|right"
        r"|sure|i see|got it|all right|alright|good|great|nice|thanks|thank you|huh|wow|you|so)\s*)+"
    ),
    asks_number=re.compile(
        r"\b(?:(?:phone|telephone|mobile|order|account|customer|policy|reference|invoice|post|house)"
        r" (?:number|code)|number|zip|digits)\b",
        re.IGNORECASE,
    ),
    asks_amount=re.compile(
        r"\b(?:how (?:many|much|long|old)|(?:what|which) (?:time|day|date|year)|when)\b",
        re.IGNORECASE,
    ),
    asks_name=re.compile(r"\b(?:your (?:full |last |first |sur)?name|spell)\b", re.IGNORECASE),
    asks_yes_or_no=re.compile(
        r"^\W*(?:(?:so|and|then|all right|okay|great)\W+)*(?:is|are|was|were|do|does|did|can|could|shall|should|will"
        r"|would|may|have|has)\b|\b(?:right|correct|okay)\?$",
        re.IGNORECASE,
    ),
)

KOREAN = Words(
    open_ends=frozenset(
        ["그리고", "그런데", "하지만", "그래서", "제가", "저는", "음", "어", "그", "저"]
    ),
    numerals=frozenset(["영", "공", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구", "십"]),
    short_answer=re.compile(
        r"(?:(?:네|예|아니요|아니오|맞아요|맞습니다|좋아요|괜찮아요|감사합니다)\s*)+"
    ),
    greeting=re.compile(r"(?:(?:네|예|저기)\s+)*(?:여보세요|안녕하세요|안녕하십니까|저기요)"),
    subordinators=frozenset(),
    backchannel=re.compile(r"(?:(?:네|예|음|응|아|어|그렇군요|알겠습니다|네네)\s*)+"),
    asks_number=re.compile(r"번호"),
    asks_amount=re.compile(r"몇|언제|며칠|얼마"),
    asks_name=re.compile(r"성함|이름"),
    asks_yes_or_no=re.compile(
        r"^(?!.*(?:몇|언제|며칠|얼마|무엇|뭐|어디|어떻게|누구|왜)).*(?:까요|나요|습니까|세요)\?$"
    ),
)

_LANGUAGES = {"en": ENGLISH, "ko": KOREAN}


def words(language: str) -> Words:
    """The words of `language` ("en", "en-us", "ko"), English where there are none of its own."""
    return _LANGUAGES.get(language.lower().split("-")[0], ENGLISH)
