"""What a caller of a scenario does, step by step. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

VoiceName = Literal["joe", "joan", "jack", "heart"]
"""See `softagent.lab.cast`."""
NoiseKind = Literal["hiss", "babble", "clatter"]


@dataclass(frozen=True, slots=True)
class Say:
    """Speak, whatever the agent does."""

    text: str
    voice: VoiceName | None = None
    """The scenario's own unless set."""
    cut_ms: int | None = None
    """Break off after so long, in the middle of a word."""


@dataclass(frozen=True, slots=True)
class PlayRecording:
    """Let a recording of the lab's be heard: NAME.wav in its folder `recordings`."""

    name: str


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise instead of words."""

    kind: NoiseKind
    ms: int
    dbfs: float


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys (RFC 4733)."""

    digits: str


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait until the agent has spoken and is done. What it said is one answer of the call."""

    quiet_ms: int = 1200
    """It is done when it has been silent for so long."""
    brief_quiet_ms: int = 5000
    """The same after less than a second of speech, which may only have bridged a wait: "One moment."."""
    patience_ms: int = 20_000
    """How long to wait for it to begin before going on all the same."""


@dataclass(frozen=True, slots=True)
class Hear:
    """Wait until the agent has been speaking for a while, its pauses not counted, to speak over it."""

    ms: int
    patience_ms: int = 20_000


@dataclass(frozen=True, slots=True)
class Pause:
    """Say nothing for a while."""

    ms: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """Hang up now. After the last step the caller does so anyway."""


Step = Say | PlayRecording | Noise | Press | Listen | Hear | Pause | HangUp
