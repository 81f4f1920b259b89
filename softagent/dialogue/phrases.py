"""What the agent says by itself, and the callers' words that code understands, by language."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """The fixed sentences of one language, and the pattern of its goodbyes."""

    still_there: str
    say_again: str
    trouble: str
    fillers: tuple[str, ...]
    """Short, said in turn when an answer takes long."""
    nearly_over: str
    """The longest call is about to end."""
    dayparts: tuple[str, str, str]
    """Greetings of the morning, the afternoon and the evening."""
    goodbye: re.Pattern[str]
    """Matches a whole utterance that ends the call."""
    goodbye_word: re.Pattern[str]
    """Matches an answer that takes leave."""


ENGLISH = Phrases(
    still_there="Are you still there?",
    say_again="I'm sorry, I didn't catch that. Could you say it again?",
    trouble="I'm sorry, I'm having trouble right now. Please call again later. Goodbye.",
    fillers=("One moment.", "Let me see."),
    nearly_over="I'm sorry, we have only a little time left on this call.",
    dayparts=("Good morning", "Good afternoon", "Good evening"),
    goodbye=re.compile(
        r"(?:(?:ok|okay|all right|alright|great|perfect|well|no|thanks?|thank you|so much|very much"
        r"|that'?s (?:all|it|everything)|that is (?:all|it|everything)|have a (?:nice|good|great) day"
        r"|for your help|then|for now|and)[\s,.!]*)*"
        r"(?:good ?bye|bye|bye[- ]bye|see you)"
        r"(?:[\s,.!]*(?:then|now|for now|thanks?|thank you|bye|good ?bye|have a (?:nice|good|great) day))*"
        r"[\s,.!]*",
        re.IGNORECASE,
    ),
    goodbye_word=re.compile(r"\b(?:good ?bye|bye)\b[\s,.!]*$", re.IGNORECASE),
)

KOREAN = Phrases(
    still_there="여보세요, 듣고 계신가요?",
    say_again="죄송합니다. 다시 한번 말씀해 주시겠어요?",
    trouble="죄송합니다. 지금은 도와드릴 수 없습니다. 나중에 다시 전화해 주세요. 안녕히 계세요.",
    fillers=("잠시만요.", "네, 확인해 볼게요."),
    nearly_over="죄송합니다. 통화 시간이 얼마 남지 않았습니다.",
    dayparts=("안녕하세요", "안녕하세요", "안녕하세요"),
    goodbye=re.compile(
        r".*(?:안녕히 계세요|끊을게요|끊겠습니다|수고하세요|들어가세요|다음에 또 전화(?:할게요|드릴게요))[\s,.!]*"
    ),
    goodbye_word=re.compile(r"안녕히 (?:계세요|가세요)[\s,.!]*$"),
)

_LANGUAGES = {"en": ENGLISH, "ko": KOREAN}


def is_spoken(language: str) -> bool:
    """Whether there are phrases in `language`."""
    return language.lower().split("-")[0] in _LANGUAGES


def phrases(language: str) -> Phrases:
    """The phrases of `language` ("en", "en-us", "ko"), English where there are none of its own."""
    return _LANGUAGES.get(language.lower().split("-")[0], ENGLISH)
