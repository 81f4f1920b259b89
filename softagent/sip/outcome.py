"""What a final response to something we asked means for whoever asked."""

from __future__ import annotations

from softagent.sip.message import Response
from softagent.sip.phone import Outcome, Result
from softagent.sip.response import reason_phrase

CALL_OVER = Result(Outcome.CALL_OVER, reason="the call is over")


def result_of(response: Response | None) -> Result:
    """The end of a request: its final response, or None when none came."""
    if response is None:
        return Result(Outcome.TIMED_OUT, reason="no answer")
    return decide(response.status, response.reason)


def decide(status: int, reason: str = "") -> Result:
    """The end that a final status means (RFC 3261 section 21)."""
    words = reason or reason_phrase(status)
    match status:
        case _ if 200 <= status < 300:
            outcome = Outcome.ACCEPTED
        case 486 | 600:
            outcome = Outcome.BUSY
        case 408 | 480 | 487:
            outcome = Outcome.NO_ANSWER
        case _:
            outcome = Outcome.REFUSED
    return Result(outcome, status, words)
