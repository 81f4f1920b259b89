"""A scenario: what a caller does, and what must have come of it. Plain values; judged in `softagent.lab.judgement`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from softagent.lab.judgement import Judgement
from softagent.lab.steps import Step, VoiceName
from softagent.lab.surroundings import QUIET, Surroundings

Kind = Literal[
    "facts",
    "transfer-granted",
    "transfer-busy",
    "transfer-refused",
    "message",
    "menu",
    "digits",
    "correction",
    "backchannel",
    "pause",
    "two-questions",
    "silence",
    "noise",
    "echo",
    "abuse",
    "language",
    "hang-up",
]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One call, or two."""

    name: str
    kind: Kind
    steps: tuple[Step, ...]
    judgements: tuple[Judgement, ...]
    voice: VoiceName = "joe"
    surroundings: Surroundings = QUIET
    again: tuple[Step, ...] = ()
    """A second call by the same caller, right after the first; its answers follow those of the first."""
