"""What the agent can do for a caller besides talking, and what came of it. Plain values.

The conversation decides that a deed is done (`Do` in `softagent.dialogue.events`), the shell
does it and reports the result (`DeedDone`), and only then the caller is told.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Transfer:
    """Put the caller through to a destination of the accounts file."""

    destination: str
    """Its name there, never a number: what callers say can't become one."""


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Press keys towards the far end."""

    digits: str
    """Of 0-9, *, #, A-D."""


@dataclass(frozen=True, slots=True)
class LeaveMessage:
    """Keep a message of the caller's for the people of the office."""

    name: str
    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunAction:
    """Run an action of the accounts file: a command or a webhook."""

    action: str
    values: Mapping[str, str] = field(default_factory=dict)
    """What the caller gave, by parameter; each one checked against its type."""


Deed = Transfer | SendDigits | LeaveMessage | RunAction


class DeedResult(enum.Enum):
    """What came of a deed."""

    DONE = "done"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    REFUSED = "refused"
    """By the far end, or by the action itself."""
    TIMED_OUT = "timed-out"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DeedOutcome:
    """What came of a deed, as it may be told to the caller."""

    result: DeedResult
    detail: str = ""
    """For the log; the status of a refusal, the error of a failure."""
    text: str = ""
    """What an action of the office's own wants said; empty for our own words."""


def name_of(deed: Deed) -> str:
    """For the log: what kind of deed, and which one. Nothing that the caller has said."""
    match deed:
        case Transfer(destination):
            return f"transfer:{'-'.join(destination.split())}"
        case RunAction(action):
            return f"action:{action}"
        case SendDigits():
            return "digits"
        case LeaveMessage():
            return "message"
