"""How many words a recognizer got wrong (Levenshtein distance in words). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence


def plain_words(text: str) -> list[str]:
    """The words of `text` in lower case, without punctuation."""
    return re.findall(r"[\w']+", text.lower())


def word_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words to be replaced, left out or put in to make one of the other."""
    distances = list(range(len(heard) + 1))
    for row, word in enumerate(said, 1):
        above, distances[0] = distances[0], row
        for column, other in enumerate(heard, 1):
            above, distances[column] = (
                distances[column],
                min(distances[column] + 1, distances[column - 1] + 1, above + (word != other)),
            )
    return distances[-1]
