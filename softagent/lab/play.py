"""When a caller takes which step: pure, fed tick by tick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softagent.lab.script import SPOKEN_TICKS
from softagent.lab.steps import HangUp, Hear, Listen, Noise, Pause, PlayRecording, Press, Say, Step
from softagent.media.frame import ticks

BREATH_TICKS = ticks(200)
"""Silence in which the agent is still speaking."""
BRIEF_TICKS = ticks(900)
"""Of voiced sound; less is a brief answer."""


@dataclass(slots=True)
class Mark:
    """When a step was taken, in ticks; `ended` is one after the last."""

    step: int
    began: int
    ended: int


class Play:
    """Says which step begins now. The owner says when a step that makes a sound is done."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._voiced_run = 0
        self._silent_run = 0
        self._voiced_ticks = 0
        """Since the agent began."""
        self._agent_began: int | None = None
        """The tick at which the agent began to speak, since the caller fell silent or listened last."""
        self._is_busy = False
        """A step of the caller's makes itself heard."""
        self.marks: list[Mark] = []
        """Of the steps that have begun, in order; the last one may be going on."""
        self.is_over = False

    def hear(self, tick: int, *, is_voiced: bool) -> int | None:
        """Take in 20 ms of the agent; the index of the step whose sound or keys begin now, if any."""
        self._voiced_run = self._voiced_run + 1 if is_voiced else 0
        self._silent_run = 0 if is_voiced else self._silent_run + 1
        if self._is_busy or self.is_over:
            return None
        if self._agent_began is None and self._voiced_run >= SPOKEN_TICKS:
            self._agent_began, self._voiced_ticks = tick, 0
        self._voiced_ticks += is_voiced
        while not self.marks or self._is_done(tick):
            if self.marks:
                self._end(tick)
            if (begun := self._begin(tick)) is not None or self.is_over:
                return begun
        return None

    def finish(self, tick: int) -> None:
        """The last of the step's sound has been sent, or its last key let go."""
        self._is_busy = False
        self._agent_began, self._voiced_run = None, 0
        self.marks[-1].ended = tick

    def _begin(self, tick: int) -> int | None:
        following = len(self.marks)
        if following == len(self._steps):
            self.is_over = True
            return None
        self.marks.append(Mark(following, tick, tick))
        match self._steps[following]:
            case HangUp():
                self.is_over = True
            case Say() | PlayRecording() | Noise() | Press():
                self._is_busy = True
                return following
        return None

    def _end(self, tick: int) -> None:
        if isinstance(self._steps[self.marks[-1].step], Listen):
            self._agent_began = None
        self.marks[-1].ended = max(self.marks[-1].ended, tick)

    def _is_done(self, tick: int) -> bool:
        waited = tick - self.marks[-1].began
        match self._steps[self.marks[-1].step]:
            case Listen(quiet_ms, brief_quiet_ms, patience_ms):
                if self._agent_began is None:
                    return waited >= ticks(patience_ms)
                is_brief = self._voiced_ticks < BRIEF_TICKS
                return self._silent_run >= ticks(brief_quiet_ms if is_brief else quiet_ms)
            case Hear(ms, patience_ms):
                if self._agent_began is None:
                    return waited >= ticks(patience_ms)
                is_speaking = self._silent_run < BREATH_TICKS
                return is_speaking and self._voiced_ticks >= ticks(ms)
            case Pause(ms):
                return waited >= ticks(ms)
            case _:  # its sound is over
                return True
