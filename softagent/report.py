"""What a worker tells its parent about its calls, as it happens: small values over a pipe.

The supervisor reads them for its log; `demo` and `bench` read them to show and to measure.
Words are only sent when the parent asks for them (see `softagent.worker.run_worker`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call was answered."""

    account: str
    call: str
    caller: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The caller's words of one turn, final."""

    account: str
    call: str
    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """A clause of the agent's answer that the caller has begun to hear."""

    account: str
    call: str
    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class TurnMeasured:
    """Where the time of one turn went, in milliseconds after the caller's last voiced tick.

    `marks` in order: paused, transcribed, first_token, first_clause, first_audio, ended,
    heard. The caller hears the answer at `heard`.
    """

    account: str
    call: str
    turn: int
    marks: dict[str, float]


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call is over."""

    account: str
    call: str
    reason: str
    seconds: float
    turns: int
    interruptions: int


Report = CallStarted | Heard | Said | TurnMeasured | CallEnded
