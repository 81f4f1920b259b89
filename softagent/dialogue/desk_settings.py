"""What the desk of an account can do: whom it puts callers through to, what it asks and takes down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from softagent.dialogue.desk_phrases import ENGLISH as ENGLISH_PHRASES
from softagent.dialogue.desk_phrases import DeskPhrases
from softagent.dialogue.requests import ENGLISH as ENGLISH_REQUESTS
from softagent.dialogue.requests import Requests

SlotKind = Literal["text", "name", "number", "digits", "phone", "date", "time", "yes-no", "choice"]


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody whom callers may be put through to."""

    name: str
    """As the agent says it."""
    words: tuple[str, ...] = ()
    """What else callers call it."""
    is_default: bool = False
    """Whether this is who answers to "a person", and to the key 0."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that the agent asks a caller for."""

    name: str
    kind: SlotKind = "text"
    ask: str = ""
    """The question; one made of the name unless set."""
    choices: tuple[str, ...] = ()
    length: int = 0
    """How many digits; any number unless set."""
    is_secret: bool = False
    """Whether it is neither read back nor remembered."""

    @property
    def label(self) -> str:
        """The name as it can be spoken."""
        return self.name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Service:
    """An action of the office's own."""

    name: str
    words: tuple[str, ...] = ()
    """What callers say who want it."""
    slots: tuple[Slot, ...] = ()
    is_confirmed: bool = True
    """Whether what the caller gave is read back before it is done."""

    @property
    def label(self) -> str:
        """What it is called when it is offered."""
        return self.words[0] if self.words else self.name.replace("_", " ").replace("-", " ")


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """What a key does: `target` is a place's or a service's name, a text to say, or words to ask the model."""

    key: str
    kind: Literal["transfer", "action", "say", "ask", "message"]
    target: str = ""


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """One account's desk; nothing of it is there unless configured."""

    places: tuple[Place, ...] = ()
    services: tuple[Service, ...] = ()
    menu: tuple[MenuEntry, ...] = ()
    takes_messages: bool = False
    phrases: DeskPhrases = ENGLISH_PHRASES
    requests: Requests = ENGLISH_REQUESTS

    @property
    def person(self) -> Place | None:
        """Who answers to "a person": the default, or the only place there is."""
        chosen = [place for place in self.places if place.is_default] or list(self.places)
        return chosen[0] if len(chosen) == 1 else None


NO_DESK = DeskSettings()
