"""Speech over a reply: whether it is meant to stop it.

speech confirmed, or words that matter -> MEANT: the reply is dropped
a noise, "uh-huh"                      -> NOT_MEANT: the reply goes on where it was
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from softagent.dialogue.events import (
    Event,
    ReplyFailed,
    SpeechConfirmed,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    TranscriptChanged,
    TranscriptFinished,
)
from softagent.dialogue.pause import Expected, expected_answer
from softagent.dialogue.words import Words, plain_words


class Finding(enum.Enum):
    """What an event says about the speech over a reply."""

    UNRELATED = "unrelated"
    UNDECIDED = "undecided"
    MEANT = "meant"
    NOT_MEANT = "not-meant"


@dataclass(slots=True)
class Interruption:
    """Speech over the reply of turn `reply`, not yet known to be meant."""

    reply: int
    words: Words
    is_instant: bool
    """Whether speech alone is proof enough, if it lasts."""
    is_paused: bool = False
    """The caller has paused, and the words up to there have been asked for."""
    is_over: bool = False
    """The pause has lasted long enough to end a turn."""
    awaited: int = 0
    """Transcripts asked for that are still to come, as of the turn which it may become."""

    @property
    def turn(self) -> int:
        """Id that its words will have if they are meant."""
        return self.reply + 1

    def hear(self, event: Event, *, asked: str) -> Finding:
        """Take one event; `asked` is what the caller has heard the agent say last."""
        match event:
            case SpeechStarted() | SpeechResumed():
                self.is_paused = False
            case SpeechConfirmed() if self.is_instant:
                return Finding.MEANT
            case TranscriptChanged(text=text) if self._is_meant(text, asked):
                return Finding.MEANT
            case SpeechPaused():
                self.is_paused = True
                self.awaited += 1
            case SpeechEnded():
                self.is_over = True
            case TranscriptFinished(turn=turn, text=text) if turn == self.turn:
                return self._hear_words(text, asked)
            case ReplyFailed(turn=turn) if turn == self.turn:  # the recognizer's
                return Finding.NOT_MEANT
            case ReplyFailed(turn=turn) if turn == self.reply:
                return Finding.MEANT  # it can't go on, and the caller has the floor
            case _:
                return Finding.UNRELATED
        return Finding.UNDECIDED

    def _hear_words(self, text: str, asked: str) -> Finding:
        if self._is_meant(text, asked):
            return Finding.MEANT
        self.awaited -= 1
        is_all = self.is_paused and not self.awaited
        return Finding.NOT_MEANT if is_all else Finding.UNDECIDED

    def _is_meant(self, text: str, asked: str) -> bool:
        """Whether it is more than a noise or a sign of listening; "yes" to a question is."""
        if not (plain := plain_words(text)):
            return False
        if self.words.backchannel.fullmatch(" ".join(plain)) is None:
            return True
        return expected_answer(asked, self.words) is Expected.YES_OR_NO
