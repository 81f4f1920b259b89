"""Cuts what the language model writes into clauses worth speaking, while it is still writing.

tokens -> ClauseSplitter -> clauses -> Synthesizer

The first clause is kept short, because the caller waits for it: it ends at a comma, or
where a new phrase begins and people breathe, too. Later ones are whole sentences, which
sound better and are ready before they are needed; if they are not, and the caller would
hear a gap, they are cut like the first.
"""

from __future__ import annotations

import re

PHRASE_CHARACTERS = 10
"""A phrase worth speaking on its own: most of a second, in which a slow machine writes ten
more tokens."""
LONG_PHRASE_CHARACTERS = 24
"""A first clause so long ends at the next word, whatever it is."""
LONG_CLAUSE_WORDS = 12
"""A later clause may end at a comma once it has more words than this."""

SENTENCE_PAUSE_MS = 160
CLAUSE_PAUSE_MS = 40

_PHRASE_BEGINNINGS = (
    *("about", "after", "around", "at", "before", "behind", "between", "by", "during", "for"),
    *("from", "in", "inside", "into", "near", "on", "opposite", "outside", "since", "through"),
    *("under", "until", "via", "with", "within", "without"),
    *("and", "because", "but", "if", "or", "that", "when", "where", "which", "while", "who"),
    *("are", "can", "could", "is", "should", "was", "were", "will", "would"),
)
"""Prepositions, conjunctions and the verbs that follow a subject: English, others don't match.

A word that only begins like one will do: waiting for its end would cost a token.
"""

# Every boundary includes as much of what follows as decides it, so that the clauses are
# the same however the text was cut into tokens.
_BOUNDARY = re.compile(
    r"""
      (?P<line>\n)
    | (?P<wide>[。！？]+) [」』”’"')]* (?=[^」』”’"')。！？])
    | (?P<comma> (?<=[^\W\d]) , )
    | (?: (?P<soft> \.{2,} | … | [,;:、] | (?<=\s)[-–—] ) | (?P<full> [.!?…]+ ) )
      (?P<close> ["'”’)\]*_`]* )
      (?= [^\S\n]+ (?P<next>\S) )
    | (?P<phrase> [^\S\n]+ ) (?= PHRASE_BEGINNINGS )
    | (?P<word> [^\S\n]+ ) (?= \S )
    """.replace("PHRASE_BEGINNINGS", "|".join(_PHRASE_BEGINNINGS)),
    re.VERBOSE,
)
_WORD = re.compile(r"\w\S*")
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘*_`]+\Z")
_NEXT_WORD = re.compile(r"\s+([^\s.,;:!?]+)[\s.,;:!?]")

_NEVER_LAST = re.compile(
    r"mr|mrs|ms|mx|dr|prof|rev|hon|gen|col|capt|lt|sgt|messrs|st|mt|ft|ave|rd|blvd|dept|ext|tel"
    r"|e\.g|i\.e|vs|approx|ca|cf|viz|[^\W\d_]",
    re.IGNORECASE,
)
"""Titles, streets and initials: the full stop belongs to them, the sentence goes on."""
_SOMETIMES_LAST = re.compile(r"etc|inc|ltd|co|corp|jr|sr|(?:[^\W\d]\.)+[^\W\d]", re.IGNORECASE)
"""The next word tells: "8 a.m. Monday", but "8 a.m. Would you like that?"."""
_DAY = re.compile(r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?", re.IGNORECASE)

_ARTEFACT = re.compile(r"<[|｜][^|｜>]*[|｜]>|</?\w+/?>")
_ROLE = re.compile(r"\A\s*(?:assistant|receptionist|agent|ai|bot)\s*:\s*", re.IGNORECASE)
_BULLET = re.compile(r"\A\s*(?:(?:[-*+•‣▪]|\#{1,6})\s+)+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_MARKUP = re.compile(r"`+|~~|\*\*+|\*(?=\S)|(?<=\S)\*|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)")
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\u200d\u20e3\U000e0020-\U000e007f]"
)


class ClauseSplitter:
    """The clauses of one reply. Pure: tokens in, clauses out."""

    def __init__(self) -> None:
        self._begin()

    def push(self, token_text: str, *, is_urgent: bool = False) -> list[str]:
        """Take the model's next piece of text; return the clauses that it completes.

        `is_urgent`: the caller has nothing left to listen to.
        """
        self._text += token_text
        self._is_urgent = is_urgent
        clauses = []
        while (end := self._clause_end()) is not None:
            clauses += self._cut(end)
        return clauses

    def flush(self) -> list[str]:
        """The model has finished: return what is left, and be ready for the next reply."""
        clauses = self._cut(len(self._text))
        self._begin()
        return clauses

    def _begin(self) -> None:
        self._text = ""
        self._is_first = True
        self._is_urgent = False
        self._at_line_start = True

    def _cut(self, end: int) -> list[str]:
        raw, self._text = self._text[:end], self._text[end:]
        text = _ROLE.sub("", raw) if self._is_first else raw
        clause = speakable(_BULLET.sub("", text) if self._at_line_start else text)
        self._at_line_start = raw.endswith("\n")
        if not any(character.isalnum() for character in clause):
            return []
        self._is_first = self._is_urgent = False
        return [clause]

    def _clause_end(self) -> int | None:
        """Index after the first clause in the buffer, or None while it can't be told."""
        for boundary in _BOUNDARY.finditer(self._text):
            verdict = self._is_clause_end(boundary)
            if verdict is None:
                return None
            if verdict:
                return boundary.end()
        return None

    def _is_clause_end(self, boundary: re.Match[str]) -> bool | None:
        """Whether a clause ends at this mark; None when it takes more text to tell."""
        if boundary["line"] or boundary["wide"]:
            return True
        before = self._text[: boundary.start()]
        words = len(_WORD.findall(before))
        is_urgent = self._is_first or self._is_urgent
        if boundary["phrase"] or boundary["word"]:
            enough = PHRASE_CHARACTERS if boundary["phrase"] else LONG_PHRASE_CHARACTERS
            return is_urgent and len(speakable(before)) >= enough
        if boundary["soft"] or boundary["comma"]:
            return is_urgent or words > LONG_CLAUSE_WORDS
        if boundary["next"].islower():
            return False
        if boundary["full"] != "." or boundary["close"]:
            return True
        return _full_stop_ends_sentence(before, words, self._text[boundary.end() :])


def _full_stop_ends_sentence(before: str, words: int, after: str) -> bool | None:
    """Whether a full stop between `before` and `after` is more than the end of an abbreviation.

    None when the next word, not complete yet, decides. When in doubt the sentence goes
    on: a clause that is too long is spoken well, half a name is not.
    """
    last = _LAST_WORD.search(before)
    word = last.group() if last else ""
    is_list_number = words == 1 and word.isdigit()
    if is_list_number or _NEVER_LAST.fullmatch(word):
        return False
    if word.lower() == "no":
        return not after.lstrip()[0].isdigit()
    if not _SOMETIMES_LAST.fullmatch(word):
        return True
    following = _NEXT_WORD.match(after)
    if following is None:
        return None
    return not (following[1][0].isdigit() or _DAY.fullmatch(following[1]))


def speakable(text: str) -> str:
    """`text` without markdown, emoji and a model's markers, spaces collapsed. Numbers stay as they are."""
    text = _ARTEFACT.sub("", text)
    text = _LINK.sub(r"\1", text)
    text = _MARKUP.sub("", text)
    text = _EMOJI.sub("", text)
    return " ".join(text.split())


def pause_ms(clause: str) -> int:
    """Silence to put between `clause` and the next one, on top of the little a synthesizer leaves."""
    last = clause.rstrip("\"'”’)]」』")[-1:]
    if last in ".!?。！？":
        return SENTENCE_PAUSE_MS
    return 0 if last.isalnum() else CLAUSE_PAUSE_MS
