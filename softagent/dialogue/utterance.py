"""What the caller is saying: whether, since when, and whether any of it was understood."""

from __future__ import annotations

from dataclasses import dataclass

from softagent.dialogue.events import (
    Event,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)


@dataclass(slots=True)
class Utterance:
    """The last one of a call."""

    is_going_on: bool = False
    is_wordless: bool = False
    """Whether nothing has been understood of it."""
    _onset: int = 0
    _last_voiced: int = 0

    def note(self, event: Event) -> None:
        """Take what was heard of the caller; everything else doesn't matter."""
        match event:
            case SpeechStarted(onset=onset):
                self.is_going_on, self.is_wordless = True, False
                self._onset = onset
            case SpeechResumed():
                self.is_going_on = True
            case SpeechPaused(last_voiced=last_voiced):
                self._last_voiced = last_voiced
            case SpeechEnded():
                self.is_going_on = False

    def take_wordless(self, shortest_ticks: int) -> bool:
        """Whether it was at least so long and nothing of it understood; true once. 0 ticks: never."""
        is_long = self._last_voiced - self._onset >= shortest_ticks > 0
        was_wordless, self.is_wordless = self.is_wordless and is_long, False
        return was_wordless
