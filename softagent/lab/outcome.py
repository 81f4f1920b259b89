"""What became of each line of a scripted call, read off its recording. Pure but for reading the file."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from softagent.lab.caller import Conversation
from softagent.lab.script import Delivery
from softagent.lab.sound import load_channels
from softagent.lab.timing import Response, Timing, measure
from softagent.media.frame import FRAME_MS, Samples, frame_samples

SLACK_MS = 2 * FRAME_MS
"""A line's end in ticks and its last voiced sample may lie so far apart."""


class Verdict(enum.Enum):
    """How the agent dealt with a line."""

    ANSWERED = "answered"
    EARLY = "early"
    """The agent began before the caller had finished."""
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the caller."""

    line: int
    verdict: Verdict
    response_ms: float | None
    """From the caller's last voiced sample to the agent's first; None unless ANSWERED."""
    answer: Samples
    """What the agent said up to the caller's next line, shape (n,)."""


def outcomes(conversation: Conversation) -> tuple[list[Outcome], int]:
    """An outcome for each line that was spoken, and the recording's rate in Hz."""
    (caller, agent), rate_hz = load_channels(conversation.recording)
    timing = measure(caller, agent, rate_hz)
    per_tick = frame_samples(rate_hz)
    found = []
    for index, delivery in enumerate(conversation.deliveries):
        following = conversation.deliveries[index + 1 : index + 2]
        until = following[0].started * per_tick if following else len(agent)
        answer = agent[delivery.ended * per_tick : until]
        verdict, response_ms = _judge(delivery, timing, until=until, rate_hz=rate_hz)
        found.append(Outcome(delivery.line, verdict, response_ms, answer))
    return found, rate_hz


def _judge(
    delivery: Delivery, timing: Timing, *, until: int, rate_hz: int
) -> tuple[Verdict, float | None]:
    per_tick, slack = frame_samples(rate_hz), rate_hz * SLACK_MS // 1000
    started = delivery.started * per_tick
    ended = (delivery.ended + 1) * per_tick
    responses = [one for one in timing.responses if started <= one.asked_at < until]
    if any(one.answered_at < ended - slack for one in responses):
        return Verdict.EARLY, None
    if not delivery.is_answered or not responses:
        return (Verdict.EARLY if delivery.is_answered else Verdict.UNANSWERED), None
    answer: Response = responses[-1]
    return Verdict.ANSWERED, answer.response_ms
