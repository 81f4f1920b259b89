"""One step of the desk: what is said, what is done after it, and where the caller stands then.

Nothing of a step has happened until its first frame is heard; until then it can be dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

from softagent.dialogue.deeds import Deed
from softagent.dialogue.desk_settings import Place, Service
from softagent.dialogue.form import Filling


@dataclass(frozen=True, slots=True)
class PutThrough:
    """The caller wants to be put through."""

    place: Place


@dataclass(frozen=True, slots=True)
class TakeMessage:
    """The caller wants to leave a message."""


@dataclass(frozen=True, slots=True)
class Serve:
    """The caller wants an action of the office's own."""

    service: Service


Wish = PutThrough | TakeMessage | Serve


@dataclass(frozen=True, slots=True)
class Open:
    """Nothing is going on."""


@dataclass(frozen=True, slots=True)
class Choosing:
    """The caller has been asked which place."""


@dataclass(frozen=True, slots=True)
class Offered:
    """The caller has been asked whether something shall be done."""

    wish: Wish


@dataclass(frozen=True, slots=True)
class Asking:
    """A form is being filled."""

    wish: Wish
    filling: Filling


State = Open | Choosing | Offered | Asking

OPEN = Open()


@dataclass(frozen=True, slots=True)
class Step:
    """What the agent does about one thing that the caller said or pressed."""

    say: str = ""
    """Empty when the model answers."""
    state: State = OPEN
    """Where the caller stands once it has been heard."""
    deed: Deed | None = None
    """Done once `say` has been heard to its end."""
    ask: str = ""
    """What the model is asked in place of the caller's words."""
    is_miss: bool = False
    """Whether the caller was not understood."""
    is_farewell: bool = False
    is_slower: bool = False
    """Whether everything after it is to be said more slowly."""
    is_secret: bool = False
    """Whether neither the caller's words nor these may be remembered."""
