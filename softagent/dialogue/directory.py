"""Whom a caller wants to be put through to, if anybody."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from softagent.dialogue.desk_settings import Place
from softagent.dialogue.requests import Requests
from softagent.dialogue.words import plain_words

WORDS_BEFORE = 5
"""How far before a request a "not" makes it none."""


class Whom(enum.Enum):
    """What was said about the place."""

    NAMED = "named"
    PERSON = "person"
    UNKNOWN = "unknown"
    """Somebody, but none of ours."""
    ASKED_FOR = "asked-for"
    """Named in a question whether they are there: to be offered."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A transfer that is wanted."""

    whom: Whom
    places: tuple[Place, ...] = ()


class Directory:
    """The places of an account, found by what callers call them. Pure."""

    def __init__(self, places: Sequence[Place], requests: Requests) -> None:
        self._requests = requests
        self._labels = [
            (" ".join(plain_words(label)), place)
            for place in places
            for label in (place.name, *place.words)
        ]

    def named(self, plain: str) -> tuple[Place, ...]:
        """The places named in plain words; a name inside a longer one doesn't count."""
        names = self._requests.names
        found = [(label, place) for label, place in self._labels if names(plain, label)]
        longest = [
            place
            for label, place in found
            if not any(label != other and names(other, label) for other, _ in found)
        ]
        return tuple(dict.fromkeys(longest))

    def wanted(self, plain: str, *, is_strict: bool = False) -> Wanted | None:
        """Whom trimmed plain words ask for; with `is_strict` only what can mean nothing else."""
        requests = self._requests
        whole = self._whole(plain)
        if whole is not None and not (is_strict and whole.whom is Whom.NAMED):
            return whole
        if (strong := requests.put_through.search(plain)) is not None:
            if self._is_negated(plain[: strong.start()]):
                return None
            before, after = plain[: strong.start()].strip(), plain[strong.end() :].strip()
            name = before if requests.is_name_first else after
            return self._after(name) or Wanted(Whom.UNKNOWN)
        if is_strict:
            return None
        if (weak := requests.speak_to.search(plain)) is not None:
            tail = plain[weak.end() :].strip()
            if not tail or requests.agent.match(tail) or self._is_negated(plain[: weak.start()]):
                return None
            return self._after(tail) or Wanted(Whom.UNKNOWN)
        if (have := requests.have.search(plain)) is not None:
            if self._is_negated(plain[: have.start()]):
                return None
            return self._whole(plain[have.end() :].strip())
        if (there := requests.is_there.fullmatch(plain)) is not None:
            named = self._whole(there[1])
            if named is not None and named.whom is Whom.NAMED:
                return Wanted(Whom.ASKED_FOR, named.places)
        return None

    def _whole(self, plain: str) -> Wanted | None:
        """Plain words that are nothing but a name, or "a person"."""
        bare = self._requests.article.sub("", plain, count=1) if plain else plain
        for label, place in self._labels:
            if label in (plain, bare):
                return Wanted(Whom.NAMED, (place,))
        is_person = self._requests.person.fullmatch(plain) is not None
        return Wanted(Whom.PERSON) if is_person else None

    def _after(self, tail: str) -> Wanted | None:
        """What stands where a name is expected."""
        if not tail:
            return Wanted(Whom.PERSON)
        name = self._requests.aside.split(" " + tail, maxsplit=1)[0].strip()
        if places := self.named(name):
            return Wanted(Whom.NAMED, places)
        person = self._requests.person.match(name)
        if person is not None and not self._requests.elsewhere.match(name[person.end() :]):
            return Wanted(Whom.PERSON)
        return None

    def _is_negated(self, before: str) -> bool:
        near = " ".join(before.split()[-WORDS_BEFORE:])
        return self._requests.negation.search(near) is not None
