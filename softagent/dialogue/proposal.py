"""What the model proposes to do: a note in brackets in its answer, which is never spoken.

    "I can do that. [transfer sales]" -> ProposalFilter -> "I can do that. ", Proposal("transfer", "sales")

A small model is never trusted: a proposal is only asked about, and only if it is configured.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

LONGEST_NOTE = 80
"""A bracket that isn't closed within so many characters is part of the text."""
_NOTE = re.compile(
    r"\[ ?(transfer|message|action)(?:[ :]{1,3}([\w .&'’-]{0,60}))?\]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A note of the model's."""

    kind: Literal["transfer", "message", "action"]
    name: str = ""


def parse_proposal(note: str) -> Proposal | None:
    """The proposal that a note in brackets makes; None when it is no such thing."""
    if (found := _NOTE.fullmatch(note)) is None:
        return None
    kind = cast(Literal["transfer", "message", "action"], found[1].lower())
    return Proposal(kind, " ".join((found[2] or "").split()))


class ProposalFilter:
    """Text in pieces of any length in, the same text without notes out. Pure; one answer."""

    def __init__(self) -> None:
        self._held = ""
        self.proposal: Proposal | None = None
        """The first one that the answer made."""

    def push(self, text: str) -> str:
        """Take a piece; return what can be spoken now."""
        self._held += text
        spoken = ""
        while (start := self._held.find("[")) >= 0:
            spoken += self._held[:start]
            self._held = self._held[start:]
            end = self._held.find("]", 0, LONGEST_NOTE)
            if end < 0:
                if len(self._held) < LONGEST_NOTE:
                    return spoken
                spoken, self._held = spoken + self._held[0], self._held[1:]
                continue
            note, self._held = self._held[: end + 1], self._held[end + 1 :]
            self.proposal = self.proposal or parse_proposal(note)
        spoken, self._held = spoken + self._held, ""
        return spoken

    def filtered(self, pieces: Iterable[str]) -> Iterator[str]:
        """The pieces of a whole answer, each as soon as it comes, without the notes."""
        for text in pieces:
            yield self.push(text)
        yield self.flush()

    def flush(self) -> str:
        """The answer is complete: return what was held back; a bracket left open is dropped."""
        held, self._held = self._held, ""
        return "" if held.startswith("[") else held
