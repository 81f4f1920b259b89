"""The fixed texts and limits of one account's conversations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from softagent.dialogue.desk_settings import NO_DESK, DeskSettings
from softagent.dialogue.phrases import Phrases
from softagent.dialogue.words import Words

BargeIn = Literal["off", "words", "instant"]
"""Whether speech over the agent stops it: never, once it is words, or at once."""


@dataclass(frozen=True, slots=True)
class ConversationSettings:
    """What the agent says by itself and how long it waits; times in ticks."""

    greeting: str
    farewell: str
    phrases: Phrases
    words: Words
    barge_in: BargeIn
    silence_ticks: int
    """Silence after which the agent asks whether the caller is there."""
    call_ticks: int
    """Longest call."""
    notice: str = ""
    """Said before the greeting, and not to be interrupted."""
    warning_ticks: int = 0
    """How long before the end of the longest call it is announced; 0 for not at all."""
    desk: DeskSettings = NO_DESK
    keys_ticks: int = 150
    """Pause after which the keys pressed so far are all of them."""
    deed_ticks: int = 20_000
    """Time after which a deed of which nothing is heard counts as failed."""
    wordless_ticks: int = 0
    """Length from which a caller's sound without any words is asked about; 0 for never."""
