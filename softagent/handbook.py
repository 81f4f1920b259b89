"""Facts that don't fit into every prompt: the passages that a question is about are looked up (BM25).

bm25s ranks them, by words brought to their stems by snowballstemmer; both work on this
machine alone. Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework".
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from softagent.dialogue.passages import passages

MOST_PASSAGES = 3
WORTH_OF_BEST = 0.5
"""A passage that scores less than this part of the best one is left out."""

_ENGLISH_FILLERS = """
a an and are as at be been but by can could did do does for from had has have hello help hi how
i if in into is it its just know let like may me might my no not of oh ok okay on or our please
shall should so some tell thank thanks that the their them then there these they this to um uh
us want was we were what when where whether which who why will with would yes you your much
many any also about get got go going wonder wondering need question ask asking say said really
there's i'm i'd i've it's that's what's you're we're don't doesn't yeah well actually maybe
sorry hey
"""
"""Words of questions that say nothing of what they are about."""
_STEMMED = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "fi": "finnish", "fr": "french", "hu": "hungarian", "it": "italian", "nl": "dutch",
    "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish",
    "tr": "turkish",
}  # fmt: skip
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_UNSPACED = re.compile(r"[가-힣぀-ヿ㐀-鿿]+")
"""Korean, whose endings hang on the word, and scripts without spaces: pairs of characters are compared."""


class Handbook:
    """A long text to look things up in. Any thread may ask; nothing changes once it is made."""

    def __init__(self, text: str, *, language: str, budget_tokens: int) -> None:
        """What is found takes `budget_tokens` at most."""
        import bm25s  # takes seconds where numba is installed as well

        self._terms = terms_of(language)
        self._budget_bytes = budget_tokens * 3
        self.passages = passages(text)
        indexed = [self._terms(passage) for passage in self.passages]
        self._known = frozenset[str]().union(*indexed)
        self._bm25 = bm25s.BM25()
        self._bm25.index(indexed or [["-"]], show_progress=False)

    def look_up(self, question: str, before: str = "") -> list[str]:
        """The passages that `question` is about, the best first; none where no word of it occurs.

        A question that says little by itself ("and on Sundays?") is looked up together with
        the one `before` it.
        """
        terms = self._found(question)
        if len(terms) < 2:
            terms = [*terms, *terms, *self._found(before)]
        if not terms:
            return []
        scores = self._bm25.get_scores(terms)
        best = float(scores.max())
        found: list[str] = []
        room = self._budget_bytes
        for number in np.argsort(-scores, kind="stable")[:MOST_PASSAGES]:
            passage = self.passages[number]
            room -= len(passage.encode())
            if scores[number] <= 0 or scores[number] < best * WORTH_OF_BEST or room < 0:
                break
            found.append(passage)
        return found

    def _found(self, words: str) -> list[str]:
        return [term for term in dict.fromkeys(self._terms(words)) if term in self._known]


def terms_of(language: str) -> Callable[[str], list[str]]:
    """What makes the terms of a text in `language` that are compared: stems, without words that mean little."""
    main = language.lower().split("-")[0]
    fillers = frozenset(_ENGLISH_FILLERS.split() if main == "en" else ())
    stem = _stemmer(main)

    def terms(text: str) -> list[str]:
        found = []
        for word in _WORD.findall(text.lower().replace("’", "'")):
            if _UNSPACED.fullmatch(word):
                found += [word[at : at + 2] for at in range(len(word) - 1)] or [word]
            elif word not in fillers:
                found.append(stem(word.removesuffix("'s")))
        return found

    return terms


def _stemmer(main: str) -> Callable[[str], str]:
    name = _STEMMED.get(main)
    if name is None:
        return str
    import snowballstemmer

    stem: Callable[[str], str] = snowballstemmer.stemmer(name).stemWord
    return stem
