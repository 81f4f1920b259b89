"""What must have come of a call: judged by its recording, the PBX and the disk. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from softagent.lab.outgoing import CallPhase

EVERY = None
"""Any of the answers."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of the recording, in ms."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is left of a scenario when its calls are over."""

    answers: tuple[str, ...]
    """What a witness hears in the agent's sound up to the end of each Listen; the greeting is 0."""
    rest: str
    """The same after the last of them."""
    agent: tuple[Interval, ...]
    """When the agent could be heard."""
    steps: tuple[Interval, ...]
    """When each step of the first call was taken; those not reached are missing."""
    ended_by: CallPhase
    """The last call."""
    referred: tuple[str, ...] | None
    """Extensions that the agent has sent the caller to (REFER), as the PBX saw them; None where it can't be asked."""
    dialled: tuple[str, ...] | None
    """Extensions that the agent has called itself."""
    kept: tuple[str, ...] | None
    """Messages and orders that were written down, as text."""

    @property
    def everything(self) -> str:
        """All that the agent has said."""
        return " ".join((*self.answers, self.rest))


NOTHING = Evidence((), "", (), (), CallPhase.FAILED, None, None, None)
"""Of a call that was never made, at a PBX that can't be asked."""


@dataclass(frozen=True, slots=True)
class Says:
    """One of the answers matches a pattern: whole words, in lower case, without punctuation."""

    pattern: str
    at: int | None = -1
    """Which answer; EVERY for any."""

    def failure(self, evidence: Evidence) -> str:
        """What is wrong; empty when nothing is."""
        heard = said_at(evidence, self.at)
        if heard is None:
            return f"the call ended before answer {self.at}"
        return "" if matches(heard, self.pattern) else f'"{self.pattern}" not in "{heard}"'


@dataclass(frozen=True, slots=True)
class NeverSays:
    """Nothing that the agent says matches a pattern."""

    pattern: str

    def failure(self, evidence: Evidence) -> str:
        heard = evidence.everything
        return f'"{self.pattern}" in "{heard}"' if matches(heard, self.pattern) else ""


@dataclass(frozen=True, slots=True)
class SilentDuring:
    """The agent can't be heard from the beginning of one step to the end of another."""

    first: int
    last: int
    slack_ms: float = 300.0
    """At the beginning: how long a reply may take to fade, or to fall silent."""

    def failure(self, evidence: Evidence) -> str:
        if self.last >= len(evidence.steps):
            return "the call ended too soon"
        start, end = evidence.steps[self.first].start + self.slack_ms, evidence.steps[self.last].end
        over = [one for one in evidence.agent if one.start < end and one.end > start]
        return f"it spoke at {over[0].start / 1000:.1f} s" if over else ""


@dataclass(frozen=True, slots=True)
class FallsSilent:
    """The agent, interrupted by a step, stops."""

    step: int
    within_ms: float

    def failure(self, evidence: Evidence) -> str:
        if self.step >= len(evidence.steps):
            return "the call ended too soon"
        began = evidence.steps[self.step].start
        over = [one for one in evidence.agent if one.start < began < one.end]
        if not over:
            return "it was not speaking when it was interrupted"
        late_ms = over[0].end - began
        return f"it went on for {late_ms:.0f} ms" if late_ms > self.within_ms else ""


@dataclass(frozen=True, slots=True)
class EndedBy:
    """Who has hung up."""

    phase: CallPhase

    def failure(self, evidence: Evidence) -> str:
        return "" if evidence.ended_by is self.phase else f"the call {evidence.ended_by.value}"


@dataclass(frozen=True, slots=True)
class Reaches:
    """The agent has tried an extension: by REFER, or by a call of its own."""

    extension: str

    def failure(self, evidence: Evidence) -> str:
        if evidence.referred is None or evidence.dialled is None:
            return "the PBX can't be asked about transfers: use --pbx lab"
        tried = (*evidence.referred, *evidence.dialled)
        return "" if self.extension in tried else f"it tried {', '.join(tried) or 'nobody'}"


@dataclass(frozen=True, slots=True)
class Transferred:
    """The PBX was told to send the caller to an extension (REFER), and has accepted."""

    extension: str

    def failure(self, evidence: Evidence) -> str:
        if evidence.referred is None:
            return "the PBX can't be asked about transfers: use --pbx lab"
        if self.extension in evidence.referred:
            return ""
        return f"REFER to {', '.join(evidence.referred) or 'nobody'}"


@dataclass(frozen=True, slots=True)
class NoTransfer:
    """The agent has tried nobody."""

    def failure(self, evidence: Evidence) -> str:
        tried = (*(evidence.referred or ()), *(evidence.dialled or ()))
        return f"it tried {', '.join(tried)}" if tried else ""


@dataclass(frozen=True, slots=True)
class Kept:
    """Something was written down for the caller, and matches every one of these patterns."""

    patterns: Sequence[str]

    def failure(self, evidence: Evidence) -> str:
        if evidence.kept is None:
            return "there is no folder to look into: use --pbx lab"
        if not evidence.kept:
            return "nothing was written down"
        last = evidence.kept[-1]
        missing = [pattern for pattern in self.patterns if not matches(last, pattern)]
        return f'"{missing[0]}" not in "{last}"' if missing else ""


Judgement = (
    Says
    | NeverSays
    | SilentDuring
    | FallsSilent
    | EndedBy
    | Reaches
    | Transferred
    | NoTransfer
    | Kept
)


def judge(evidence: Evidence, judgements: Sequence[Judgement]) -> str:
    """The first thing that is wrong; empty when nothing is."""
    failures = (judgement.failure(evidence) for judgement in judgements)
    return next((failure for failure in failures if failure), "")


def matches(text: str, pattern: str) -> bool:
    """Whether `pattern`, a regular expression, is in `text` as whole words in lower case."""
    plain = " ".join(re.findall(r"[\w']+", text.lower()))
    return re.search(rf"\b(?:{pattern})\b", plain) is not None


def said_at(evidence: Evidence, at: int | None) -> str | None:
    """The answer with that number, the text of all for EVERY, None where there is no such answer."""
    if at is EVERY:
        return evidence.everything
    if not -len(evidence.answers) <= at < len(evidence.answers):
        return None
    return evidence.answers[at]
