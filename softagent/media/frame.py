"""The unit of time and sound in a call: a 20 ms frame, and the tick that carries two of them.

receive thread -> jitter buffer -.
                                  media clock -> Tick(index, caller, agent) -> call thread
reply thread   -> Playout ------'
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FRAME_MS = 20
TICKS_PER_SECOND = 1000 // FRAME_MS

Samples = npt.NDArray[np.int16]
"""Mono 16-bit sound, shape (n,)."""


def frame_samples(rate_hz: int) -> int:
    """Samples in one frame at `rate_hz`: 160 at 8 kHz, 320 at 16 kHz."""
    return rate_hz * FRAME_MS // 1000


def ticks(milliseconds: int) -> int:
    """Whole ticks in `milliseconds`, rounded up: a limit in ticks never undercuts its setting."""
    return -(-milliseconds // FRAME_MS)


@dataclass(frozen=True, slots=True)
class Played:
    """What the playout handed to the media clock for one tick."""

    samples: Samples
    """Exactly one frame; zeros when there was nothing to say."""
    turn: int | None = None
    """The turn whose reply this is, or None for silence."""
    clause: int | None = None
    """Which clause of that reply, counted from 0."""
    is_first: bool = False
    """The first frame of the reply: the caller hears the answer begin."""
    is_last: bool = False
    """The last frame of the reply: the caller has heard all of it."""
    filler_of: int | None = None
    """The turn whose answer this keeps the caller waiting for."""


@dataclass(frozen=True, slots=True)
class Tick:
    """20 ms of a call, as the media clock saw them. The call's only notion of time."""

    index: int
    """Counts from 0 at the answer, without a gap; stands still while the call is on hold."""
    caller: Samples
    """One frame heard from the caller at the codec's rate; zeros where nothing arrived."""
    agent: Played
    """The frame sent to the caller in the same tick."""
    digits: str = ""
    """Keys whose press ended in this tick (RFC 4733), in order."""
    is_held: bool = False
    """The call is on hold: what arrives is music or nothing, and nothing of a reply is played."""
