"""One utterance of the caller together with our answer to it."""

from __future__ import annotations

from dataclasses import dataclass


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
