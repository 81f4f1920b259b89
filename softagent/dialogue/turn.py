"""One utterance of the caller together with our answer to it."""

from __future__ import annotations

from dataclasses import dataclass

from softagent.dialogue.step import Step


@dataclass(slots=True)
class Turn:
    """Where a turn has come to. The conversation changes it; ids count from 0, the greeting."""

    id: int
    words: str = ""
    """The caller's words; empty when the agent speaks unasked."""
    answer: str = ""
    """A fixed text to say; empty when the model answers."""
    is_over: bool = False
    """The caller's pause has lasted long enough: the answer may be heard."""
    is_prepared: bool = False
    is_heard: bool = False
    is_farewell: bool = False
    is_protected: bool = False
    """Nobody may interrupt it."""
    awaited: int = 0
    """Transcripts asked for that are still to come: only the last one has all the words."""
    step: Step | None = None
    """What follows from it once it has been heard; None when it is no answer to the caller."""
    is_keyed: bool = False
    """Made of keys: no noise takes it back."""
    follow_up: Step | None = None
    """Said after it, unless the caller interrupts."""

    @property
    def is_retractable(self) -> bool:
        """Whether more speech of the caller takes it back, as long as nothing of it has been heard."""
        return bool(self.words) and not self.is_keyed

    @property
    def is_secret(self) -> bool:
        """Whether neither the caller's words nor ours are kept."""
        return self.step is not None and self.step.is_secret
