"""Runs the turn benchmark and prints it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from softagent.config import Account
from softagent.lab.benchmark import (
    CallResult,
    Json,
    Measurements,
    mixed,
    run_calls,
    summary,
    used_between,
    write_json,
)
from softagent.lab.demonstration import Echo, staffed_office
from softagent.lab.display import STAGE_NAMES, table
from softagent.lab.line import LabLine
from softagent.lab.office import BENCH_UTTERANCES, EXTENSION
from softagent.lab.script import Line
from softagent.lab.sipwire import Address
from softagent.lab.voices import human_lines, recorded_lines, synthetic_lines
from softagent.models.store import ModelStore
from softagent.report import Report, TurnMeasured

LOG = "agent.log"


@dataclass(frozen=True, slots=True)
class Target:
    """An agent that is registered at somebody's PBX, and how to ring it."""

    pbx: Address
    extension: str
    user: str
    password: str


def run_benchmark(
    *,
    turns: int,
    per_call: int,
    target: Target | None,
    model: str,
    utterances: Path | None,
    directory: Path,
    json_path: Path | None,
    echo: Echo,
) -> None:
    """Measure `turns` turns, print them, and write `json_path` if given."""
    echo("Preparing the callers' voices ...", False)
    human = [*human_lines(), *(recorded_lines(utterances) if utterances else [])]
    lines = mixed(human, synthetic_lines(BENCH_UTTERANCES, ModelStore()), turns)
    if target is None:
        measured = _measure_lab(lines, per_call, model, directory, echo)
    else:
        measured = _measure_pbx(lines, per_call, target, directory, echo)
    result = summary(measured)
    for line in rendered(result):
        echo(line, False)
    echo(f"Recordings (left caller, right agent): {directory}", False)
    if json_path is not None:
        write_json(result, json_path)
        echo(f"JSON: {json_path}", False)


def _measure_lab(
    lines: list[Line], per_call: int, model: str, directory: Path, echo: Echo
) -> Measurements:
    echo("Loading the agent's engines, then registering it at the test PBX ...", False)
    turns: list[TurnMeasured] = []

    def take(report: Report) -> None:
        if isinstance(report, TurnMeasured):
            turns.append(report)

    with staffed_office(model=model, log=directory / LOG, on_report=take) as office:
        pbx, agent, account = office
        before = agent.usage()
        calls = run_calls(
            lambda media: pbx.call(EXTENSION, media=media),
            lines,
            directory=directory,
            host=pbx.address[0],
            on_call=lambda call: _show_call(call, echo),
            per_call=per_call,
        )
        measured = Measurements(_models(account), len(lines), calls)
        measured.usage = used_between(agent, before)
    measured.turns = turns
    return measured


def _measure_pbx(
    lines: list[Line], per_call: int, target: Target, directory: Path, echo: Echo
) -> Measurements:
    """The agent runs elsewhere: its stages, models, processor time and memory are not known."""
    line = LabLine(target.pbx, user=target.user, password=target.password)
    line.start()
    try:
        calls = run_calls(
            lambda media: line.call(target.extension, media=media),
            lines,
            directory=directory,
            host=line.host,
            on_call=lambda call: _show_call(call, echo),
            per_call=per_call,
        )
        return Measurements({}, len(lines), calls)
    finally:
        line.stop()


def rendered(result: Json) -> list[str]:
    """The benchmark for people."""
    response, intervals = _numbers(result["response_ms"]), _numbers(result["rtp_interval_ms"])
    machine, models = result["machine"], result["models"]
    assert isinstance(machine, dict)
    assert isinstance(models, dict)
    rows = [["response, on the recordings", *_cells(response, ("p50", "p95", "max"))]]
    stages = result["stages_ms"]
    assert isinstance(stages, dict)
    for name, spread in stages.items():
        rows.append([f"  {STAGE_NAMES.get(name, name)}", *_cells(spread, ("p50", "p95")), ""])
    lines = _numbers(result["lines"])
    return [
        "",
        f"{result['calls']} calls, {result['call_seconds']} s; lines of the callers: "
        + ", ".join(f"{count:.0f} {name}" for name, count in lines.items()),
        "",
        *table(["ms after the caller's last voiced sample", "p50", "p95", "max"], rows),
        "",
        "RTP interval (ms): "
        + ", ".join(f"{name} {value:.2f}" for name, value in intervals.items()),
        f"Clock drift: {result['drift_ppm']} ppm",
        f"Agent: {_known(result['cpu_seconds'])} s of processor, {_known(result['rss_mb'])} MB",
        "Models: " + (", ".join(map(str, models.values())) or "not known"),
        "Machine: " + ", ".join(f"{name} {value}" for name, value in machine.items()),
        "",
    ]


def _show_call(call: CallResult, echo: Echo) -> None:
    times = [
        one.verdict.value if one.response_ms is None else f"{one.response_ms:.0f}"
        for one in call.outcomes
    ]
    echo(f"  {call.conversation.recording.name}  response ms: {' '.join(times)}", True)


def _models(account: Account) -> dict[str, str]:
    return {
        "voice_activity": account.vad.model,
        "recognizer": account.recognizer.model,
        "language_model": account.llm.model,
        "synthesizer": account.synthesizer.model,
    }


def _numbers(value: object) -> dict[str, float]:
    assert isinstance(value, dict)
    return value


def _cells(spread: dict[str, float], names: tuple[str, ...]) -> list[str]:
    return [f"{spread[name]:.0f}" for name in names]


def _known(value: object) -> str:
    return "unknown" if value is None else str(value)
