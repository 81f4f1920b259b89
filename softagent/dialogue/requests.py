r"""What callers want done, in their words, by language.

Patterns are matched against plain words: lower case, one space between, no punctuation (see
`plain_words`). Callers may be hostile: no pattern repeats a group that can match the same
words in two ways, so that each takes linear time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from softagent.dialogue.words import plain_words

LONGEST_CHARACTERS = 500
"""Of an utterance: what comes later in one is no request."""


@dataclass(frozen=True, slots=True)
class Requests:
    """One language's patterns."""

    put_through: re.Pattern[str]
    """Ends where the name begins; whatever follows, a transfer is wanted."""
    speak_to: re.Pattern[str]
    """The same, unless it is the agent who is meant."""
    have: re.Pattern[str]
    """The same, where the name is all that follows."""
    agent: re.Pattern[str]
    """Matches where a name would begin if the agent itself is meant, or the caller's own people."""
    person: re.Pattern[str]
    """Matches "a person" where a name would begin."""
    elsewhere: re.Pattern[str]
    """Matches after "a person" where a place follows that is none of ours."""
    is_there: re.Pattern[str]
    """A whole question whether somebody (group 1) is there."""
    aside: re.Pattern[str]
    """Where a name ends and the reason begins."""
    negation: re.Pattern[str]
    """Anywhere in the few words before a request that is none."""
    article: re.Pattern[str]
    before: re.Pattern[str]
    """Politeness at the beginning."""
    after: re.Pattern[str]
    """A word at the end of a request that adds nothing to it."""
    thanks: re.Pattern[str]
    """The same after a value."""
    message: re.Pattern[str]
    offers_message: re.Pattern[str]
    """In a question of the agent's own."""
    offers_place: re.Pattern[str]
    offers_more: re.Pattern[str]
    repeat: re.Pattern[str]
    slower: re.Pattern[str]
    hang_up: re.Pattern[str]
    yes: re.Pattern[str]
    no: re.Pattern[str]
    nothing: re.Pattern[str]
    """A whole answer to "Anything else?" that is a no."""
    but: re.Pattern[str]
    """What makes a yes doubtful."""
    correction: re.Pattern[str]
    """Between a "no" and what is right instead."""
    lead_in: re.Pattern[str]
    """Before a value: "my name is"."""
    cancel: re.Pattern[str]
    ending: re.Pattern[str] = re.compile(r"(?!)")
    """What is glued to the end of a value."""
    is_name_first: bool = False
    """Whether names stand before what is wanted with them, with particles glued to them."""

    def plain(self, text: str) -> str:
        """The words of `text` as the patterns want them, without politeness around them."""
        plain = " ".join(plain_words(text[:LONGEST_CHARACTERS]))
        return self.trim(plain)

    def trim(self, plain: str) -> str:
        """Plain words without politeness around them; as they are when there is nothing else."""
        rest = self.before.sub("", plain + " ", count=1)
        words = rest.split()
        while words and self.after.fullmatch(words[-1]):
            words.pop()
        return " ".join(words) or plain

    def names(self, plain: str, label: str) -> bool:
        """Whether plain words name what is called `label`."""
        glued = " ".join(plain_words(label))
        return (bool(glued) and glued in plain) if self.is_name_first else contains(plain, label)

    def agrees(self, plain: str) -> bool | None:
        """Whether plain words are a yes or a no; None where neither is sure."""
        if self.no.match(plain):
            return False
        if self.yes.match(plain) and not self.but.search(plain):
            return True
        return None


def contains(plain: str, label: str) -> bool:
    """Whether the words of `label` stand in plain words."""
    sought = " ".join(plain_words(label))
    return bool(sought) and f" {sought} " in f" {plain} "


def any_of(phrases: str) -> str:
    """A pattern of the phrases between the bars, the longest first."""
    longest_first = sorted(phrases.split("|"), key=len, reverse=True)
    return "|".join(re.escape(phrase) for phrase in longest_first)


_WISH = any_of(
    "can i|could i|may i|might i|can we|could we|i'd like to|i would like to|i want to|i wanna|i need to"
    "|i have to|i must|let me|i'd rather|i would rather|i'd prefer to|trying to|want to|like to|need to"
    "|hoping to|possible to|wish to|rather"
)
_PERSON = any_of(
    "person|human|human being|being|somebody|someone|anybody|anyone|operator|receptionist|representative"
    "|agent|colleague|colleagues|employee|staff|member of staff|somebody else|someone else|man"
    "|woman|lady"
)
_POLITE = any_of(
    "please|hello|hi|hey|yes|yeah|okay|ok|well|um|uh|er|erm|oh|so|and|now|just|could you|can you|would you"
    "|will you|i'd like you to|sorry|excuse me|good morning|good afternoon|good evening|thanks|thank you"
    "|but|then|actually"
)

ENGLISH = Requests(
    put_through=re.compile(
        r"\b(?:(?:put|patch|get) (?:me|us) (?:straight |right )?through|pass (?:me|us) (?:on|over)"
        r"|put (?:me|us) on to|(?:transfer|connect|redirect) (?:me|us|this call|the call|my call)"
        r"|forward (?:this call|the call|my call))\b(?: (?:to|with))?"
    ),
    speak_to=re.compile(
        rf"\b(?:{_WISH}) (?:please )?(?:just )?(?:speak|talk|get through|be put through|be transferred"
        r"|be connected) (?:to|with)\b"
    ),
    have=re.compile(
        r"\b(?:give me|get me|can i have|could i have|may i have|i need|i want|i'd like|i would like)\b"
    ),
    agent=re.compile(
        r"(?:you|your ?self|it|him|her|them"
        r"|my (?:wife|husband|partner|boss|family|mother|father|son|daughter|friends?|colleagues?))\b"
    ),
    person=re.compile(
        r"(?:(?:a|an|any|some|the|another|real|live|actual|human|proper|different|your|one of your"
        rf"|one of the) )*(?:{_PERSON})\b"
    ),
    elsewhere=re.compile(r" (?:in|from|at|of) "),
    is_there=re.compile(
        r"(?:is|are) ([\w' ]{1,60}) (?:there|in|available|around|free)"
        r"(?: (?:today|right now|now|at the moment))?"
    ),
    aside=re.compile(r" (?:about|because|regarding|concerning|since|when|who|that|if|as)\b"),
    negation=re.compile(
        r"\b(?:don't|do not|not|never|no need|didn't|did not|without|won't|rather than|instead of)\b"
    ),
    article=re.compile(r"(?:the|your|a|an|my) "),
    before=re.compile(rf"(?:(?:{_POLITE}) )*"),
    after=re.compile(r"please|thanks|thank|you|now|then|today"),
    thanks=re.compile(r"please|thanks|thank|you|"),
    message=re.compile(
        r"\b(?:(?:take|leave|pass on|give (?:him|her|them)|leave (?:him|her|them|you)) (?:a|the|my) message"
        r"|(?:have|get) (?:someone|somebody|him|her|them) (?:to )?call me(?: back)?"
        r"|(?:can|could|will|would|please) (?:you|someone|somebody|they) call me back"
        r"|(?:i'd like|i would like|i want|i need) a call ?back)\b"
    ),
    offers_message=re.compile(r"\btake (?:a|the|your) message\b"),
    offers_place=re.compile(r"\b(?:put|get) you through|(?:transfer|connect) you\b"),
    offers_more=re.compile(r"\b(?:anything|something) else\b"),
    repeat=re.compile(
        r"(?:say|repeat) (?:that|it)(?: again)?(?: (?:for me|one more time|once more))?|repeat|pardon"
        r"|pardon me|i beg your pardon|beg your pardon|come again|what|what was that"
        r"|what did you (?:just )?say|again|one more time|once more|say again|(?:i )?didn't (?:catch|get|hear)"
        r" (?:that|you)|i couldn't hear (?:that|you)"
    ),
    slower=re.compile(
        r"(?:speak|talk|say (?:that|it)|go)(?: (?:a bit|a little|a little bit|much|more))? (?:slower|slowly"
        r"|more slowly)(?: for me)?|slow down(?: (?:a bit|a little))?|slower|more slowly|not so fast"
        r"|(?:you're|you are) (?:speaking |talking )?(?:too|so) fast|too fast"
    ),
    hang_up=re.compile(r"hang up(?: (?:the phone|on me))?|end (?:the|this) call|you can hang up"),
    yes=re.compile(
        r"(?:yes|yeah|yep|yup|sure|okay|ok|correct|right|exactly|absolutely|of course|certainly|definitely"
        r"|fine|perfect|indeed|please do|do that|do it|go ahead|go on|that's (?:right|correct|it|fine|good"
        r"|okay)|that is (?:right|correct)|it is|that would be (?:great|good|nice|lovely|fine)|i would"
        r"|i do|please)\b"
    ),
    no=re.compile(
        r"(?:no|nope|nah|wrong|incorrect|not (?:really|quite|right|correct|now|at all)|that's (?:not|wrong)"
        r"|that is (?:not|wrong)|don't|it's not|it isn't|that isn't|neither|none|never mind|i don't)\b"
    ),
    nothing=re.compile(
        r"(?:no )?(?:nothing(?: else)?|that's (?:all|it|everything)|that is (?:all|it|everything)"
        r"|that will be all|that'll be all|i'm (?:fine|good|all set)|not at the moment)"
    ),
    but=re.compile(r"\b(?:but|wrong|not|except|instead|no|wait)\b"),
    correction=re.compile(
        r"(?:(?:no|nope|nah|wrong|sorry|that's wrong|that's not right|that is wrong|that's not it|not quite"
        r"|it's not right|incorrect|it isn't|that isn't right|that is not right|that's not correct|that is not correct"
        r"|it's wrong|it is wrong|not right|not correct|it's not|i said|i meant|i mean|actually|well|um|uh|rather|make it"
        r"|it should be|the (?:name|number|date|time|reason) is) )*"
    ),
    lead_in=re.compile(
        r"(?:(?:it's|it is|that's|that is|that would be|it would be|my (?:full |first |last )?name is|the name is"
        r"|this is|i'm called|i'm calling about|i'm|i am|name's|my (?:phone |telephone |mobile )?number is|the number is"
        r"|my (?:order|customer|account) number is|you can reach me (?:at|on|under)|call me (?:at|on)"
        r"|it's about|it is about|i'm calling about|about|for|on|at|um|uh|er|erm|well|so|okay|oh|yes|yeah"
        r"|sure|please) )*"
    ),
    cancel=re.compile(
        r"(?:please )?(?:cancel(?: that| it| this)?|never mind|forget (?:it|that|about it)|stop(?: it| that)?"
        r"|leave it|i(?:'ve| have)? changed my mind|(?:no )?i don't want (?:that|to|to do that|it)(?: any ?more)?"
        r"|quit|abort|let's not|no message)"
    ),
)

_NEVER = re.compile(r"(?!)")

KOREAN = Requests(
    put_through=re.compile(
        r"(?:연결해|연결 ?좀 ?해|바꿔|돌려) ?(?:주세요|주시겠어요|주실|줘|줄)"
        r"|(?:통화|얘기|이야기)(?:하고 싶|할 수|했으면|하게 해)"
    ),
    speak_to=_NEVER,
    have=_NEVER,
    agent=_NEVER,
    person=re.compile(r"[\w ]{0,60}(?:사람|상담원|상담사|직원|담당자|누구)"),
    elsewhere=_NEVER,
    is_there=_NEVER,
    aside=_NEVER,
    negation=_NEVER,
    article=_NEVER,
    before=re.compile(r"(?:(?:네|예|저기요|안녕하세요|여보세요|음|어|그럼) )*"),
    after=re.compile(r"좀"),
    thanks=re.compile(r"감사합니다|"),
    message=re.compile(
        r"(?:메시지|메모)\w{0,2} ?(?:좀 )?(?:남기|남겨|전해)|전해 ?(?:주세요|주시겠어요)"
    ),
    offers_message=re.compile(r"메시지\w{0,2} (?:남기|전해)"),
    offers_place=re.compile(r"연결해 드릴까요"),
    offers_more=re.compile(r"더 도와"),
    repeat=re.compile(
        r"다시 (?:한 ?번 )?(?:말씀해|말해) ?(?:주세요|주시겠어요|줘|줘요)|뭐라고요|다시요|다시 한 ?번요"
    ),
    slower=re.compile(
        r"(?:좀 |조금 )?(?:더 )?천천히(?: 좀)?(?: (?:말씀해|말해) ?(?:주세요|주시겠어요|줘|줘요))?"
    ),
    hang_up=re.compile(r"전화 ?(?:를 )?끊어(?: ?주세요)?"),
    yes=re.compile(
        r"(?:네|예|응|맞아요|맞습니다|그래요|그렇습니다|좋아요|좋습니다|부탁\w*|그렇게 해 ?주세요)(?: |$)"
    ),
    no=re.compile(r"(?:아니\w?|아뇨|틀렸\w*|괜찮\w*|됐\w*|안 ?돼\w*|싫\w*)(?: |$)"),
    nothing=re.compile(r"(?:아니요 )?(?:없어요|없습니다|그게 다예요|다 됐어요)"),
    but=re.compile(r"아니|틀|하지만|그런데|말고"),
    correction=re.compile(
        r"(?:(?:아니요|아니오|아뇨|틀렸어요|틀렸습니다|그게 아니라|그게 아니고) )*"
    ),
    lead_in=re.compile(
        r"(?:(?:제 이름은|이름은|저는|제 번호는|제 전화번호는|전화번호는|번호는|음|어|네|예) )*"
    ),
    cancel=re.compile(
        r"취소(?:해 ?주세요|할게요|하겠습니다)?|그만(?:할게요|하겠습니다|해 ?주세요)?|됐어요|됐습니다"
    ),
    ending=re.compile(r"(?:입니다|이에요|예요|이라고 합니다|라고 합니다|이라고요|이요)$"),
    is_name_first=True,
)

_LANGUAGES = {"en": ENGLISH, "ko": KOREAN}


def requests(language: str) -> Requests:
    """The patterns of `language` ("en-us"), English where there are none of its own."""
    return _LANGUAGES.get(language.lower().split("-")[0], ENGLISH)
