"""What the signalling benchmark measured, as data and as a table."""

from __future__ import annotations

from softagent.lab.benchmark import Json
from softagent.lab.display import table
from softagent.lab.machine import describe_machine
from softagent.lab.signalling_bench import SignallingMeasurements
from softagent.lab.timing import percentile


def summary(measured: SignallingMeasurements) -> Json:
    """The benchmark's JSON; at least one call must have been answered."""
    answers, returns = measured.answers_ms, measured.reregistered_s
    known = [seconds for seconds in returns if seconds is not None]
    return {
        "answer_ms": {
            "n": len(answers),
            "p50": round(percentile(answers, 50), 2),
            "p95": round(percentile(answers, 95), 2),
            "max": round(max(answers), 2),
        },
        "calls_per_second": {
            "taken": round(measured.taken_per_second, 1),
            "refused": round(measured.refused_per_second, 1),
        },
        "not_refused": measured.unanswered,
        "reregister_s": {
            "tries": len(returns),
            "within_10_s": sum(seconds <= 10 for seconds in known),
            "p50": round(percentile(known, 50), 2) if known else None,
            "max": round(max(known), 2) if known else None,
            "each": [None if seconds is None else round(seconds, 2) for seconds in returns],
            "absent": [round(seconds, 1) for seconds in measured.absent_s],
        },
        "machine": describe_machine(),
    }


def rendered(result: Json) -> list[str]:
    """The benchmark for people, with what softagent promises beside it."""
    answer, calls, back, machine = (
        _part(result, name) for name in ("answer_ms", "calls_per_second", "reregister_s", "machine")
    )
    rows = [
        ["INVITE to 200, p50 (ms)", _number(answer["p50"], 1), ""],
        ["INVITE to 200, p95 (ms)", _number(answer["p95"], 1), "below 50"],
        ["INVITE to 200, max (ms)", _number(answer["max"], 1), ""],
        ["calls taken, one after the other (1/s)", _number(calls["taken"], 1), ""],
        ["calls refused as busy (1/s)", _number(calls["refused"], 1), ""],
        ["calls neither taken nor refused", str(result["not_refused"]), "0"],
    ]
    if back["tries"]:
        rows += [
            ["registered again, p50 (s)", _number(back["p50"], 1), ""],
            ["registered again, max (s)", _number(back["max"], 1), "within 10"],
            ["within 10 s", f"{back['within_10_s']} of {back['tries']}", "all"],
        ]
    return [
        "",
        *table([f"{answer['n']} calls", "measured", "promised"], rows),
        "",
        "Machine: " + ", ".join(f"{name} {value}" for name, value in machine.items()),
        "",
    ]


def _part(result: Json, name: str) -> dict[str, object]:
    part = result[name]
    assert isinstance(part, dict)
    return part


def _number(value: object, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, int | float) else "unknown"
