"""The turn benchmark: many scripted turns against a real agent, measured as the caller hears them.

ScriptedCaller -> recordings -> response times      worker -> reports -> stages
PacketTap      -> packet times -> pacing, drift     /proc  -> processor time, memory
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, cycle, islice, zip_longest
from pathlib import Path

from softagent.errors import EngineFailed
from softagent.lab.agent import LabAgent, Usage
from softagent.lab.caller import Conversation, PlaceCall, ScriptedCaller
from softagent.lab.machine import describe_machine
from softagent.lab.outcome import Outcome, Verdict, outcomes
from softagent.lab.pacing import drift_ppm, intervals_ms, sound_only
from softagent.lab.script import Line, Manners
from softagent.lab.timing import percentile
from softagent.media.codec import codec_named
from softagent.report import TurnMeasured

TURNS_PER_CALL = 6
MANNERS = Manners(quiet_ms=1000)
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class CallResult:
    """One call of the benchmark."""

    conversation: Conversation
    outcomes: tuple[Outcome, ...]


@dataclass(slots=True)
class Measurements:
    """Everything that a benchmark has measured."""

    models: dict[str, str]
    planned: int
    """Lines that callers were to say."""
    calls: list[CallResult]
    turns: list[TurnMeasured] = field(default_factory=list)
    """From the agent's own log; empty when it runs elsewhere."""
    usage: Usage | None = None
    """Of the agent during the calls; None when it runs elsewhere."""

    @property
    def responses_ms(self) -> list[float]:
        """Every response time there is."""
        return [one.response_ms for one in self._outcomes if one.response_ms is not None]

    def responses_by_turn_ms(self) -> dict[str, list[float]]:
        """The response times of the first turns of all calls, of the second ..."""
        found: dict[str, list[float]] = {}
        for one in self._outcomes:
            if one.response_ms is not None:
                found.setdefault(str(one.line + 1), []).append(round(one.response_ms, 1))
        return dict(sorted(found.items(), key=lambda item: int(item[0])))

    def count_lines(self) -> dict[str, int]:
        """How many lines ended how; those that an early end of a call left unspoken too."""
        verdicts = [one.verdict for one in self._outcomes]
        counts = {verdict.value: verdicts.count(verdict) for verdict in Verdict}
        return {**counts, "unspoken": self.planned - len(verdicts)}

    @property
    def _outcomes(self) -> list[Outcome]:
        return [outcome for call in self.calls for outcome in call.outcomes]


def mixed(human: Sequence[Line], synthetic: Sequence[Line], turns: int) -> list[Line]:
    """`turns` lines that take turns between real and synthetic voices, repeated as needed."""
    pairs = chain.from_iterable(zip_longest(human, synthetic))
    return list(islice(cycle([line for line in pairs if line is not None]), turns))


def run_calls(
    place_call: PlaceCall,
    lines: Sequence[Line],
    *,
    directory: Path,
    host: str,
    on_call: Callable[[CallResult], None],
    per_call: int = TURNS_PER_CALL,
) -> list[CallResult]:
    """Speak `lines` in calls of `per_call` turns, recorded in `directory`. Raises CallFailed."""
    results = []
    for first in range(0, len(lines), per_call):
        caller = ScriptedCaller(
            lines[first : first + per_call],
            recording=directory / f"call-{first // per_call + 1:02}.wav",
            manners=MANNERS,
            host=host,
        )
        conversation = caller.converse(place_call)
        found, _ = outcomes(conversation)
        result = CallResult(conversation, tuple(found))
        on_call(result)
        results.append(result)
    return results


def used_between(agent: LabAgent, before: Usage) -> Usage:
    """What the agent has used since `before`."""
    now = agent.usage()
    return Usage(round(now.cpu_seconds - before.cpu_seconds, 2), now.rss_mb)


def summary(measured: Measurements) -> Json:
    """The benchmark's JSON: all times in ms. Raises EngineFailed when no line was answered."""
    responses_ms = measured.responses_ms
    if not responses_ms:
        raise EngineFailed(
            "the agent answered none of the caller's lines: listen to the recordings"
        )
    sound = [
        sound_only(call.conversation.arrivals, call.conversation.media.payload_type)
        for call in measured.calls
    ]
    intervals = [interval for arrivals in sound for interval in intervals_ms(arrivals)]
    clock_hz = codec_named(measured.calls[0].conversation.media.codec).clock_hz
    return {
        "response_ms": {
            "n": len(responses_ms),
            **_spread(responses_ms, (50, 95)),
            "max": round(max(responses_ms), 1),
        },
        "response_by_turn_ms": measured.responses_by_turn_ms(),
        "stages_ms": stages(measured.turns),
        "rtp_interval_ms": {
            **_spread(intervals, (1, 50, 99), digits=3),
            "max": round(max(intervals), 3),
        },
        "drift_ppm": round(drift_ppm(sound, clock_hz), 2),
        "cpu_seconds": measured.usage.cpu_seconds if measured.usage else None,
        "rss_mb": round(measured.usage.rss_mb) if measured.usage else None,
        "models": measured.models,
        "machine": describe_machine(),
        "calls": len(measured.calls),
        "call_seconds": round(sum(call.conversation.seconds for call in measured.calls), 1),
        "lines": measured.count_lines(),
    }


def stages(turns: Sequence[TurnMeasured]) -> dict[str, dict[str, float]]:
    """p50 and p95 of each mark, in ms after the caller's last voiced tick, in order of p50."""
    values: dict[str, list[float]] = {}
    for turn in turns:
        for name, milliseconds in turn.marks.items():
            values.setdefault(name, []).append(milliseconds)
    spreads = {name: _spread(marks, (50, 95)) for name, marks in values.items()}
    return dict(sorted(spreads.items(), key=lambda item: item[1]["p50"]))


def write_json(result: Json, path: Path) -> None:
    """Write the benchmark's JSON for machines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _spread(
    values: Sequence[float], percents: Sequence[int], *, digits: int = 1
) -> dict[str, float]:
    return {f"p{percent}": round(percentile(values, percent), digits) for percent in percents}
