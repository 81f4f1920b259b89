"""`softagent bench conversation`: plays the scenarios, counts what has passed, by kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from softagent.errors import SoftagentError
from softagent.lab.bench_run import Target
from softagent.lab.benchmark import Json, write_json
from softagent.lab.demonstration import Echo
from softagent.lab.display import table
from softagent.lab.machine import describe_machine
from softagent.lab.scenario import Kind, Scenario
from softagent.lab.scenario_run import Result, play_scenarios
from softagent.lab.scenarios import SCENARIOS

KINDS: tuple[str, ...] = get_args(Kind)


class ScenariosFailed(SoftagentError):
    """Some of the scenarios came out wrong."""


def run_conversations(
    *,
    only: Sequence[str],
    target: Target | None,
    model: str,
    directory: Path,
    json_path: Path | None,
    echo: Echo,
) -> None:
    """Play the scenarios whose kind or name is in `only`, all when it is empty. Raises ScenariosFailed."""
    directory.mkdir(parents=True, exist_ok=True)
    results = play_scenarios(
        chosen(only), target=target, model=model, directory=directory, echo=echo
    )
    summed = summary(results)
    for line in rendered(results):
        echo(line, False)
    echo(f"Recordings (left caller, right agent): {directory}", False)
    if json_path is not None:
        write_json(summed, json_path)
        echo(f"JSON: {json_path}", False)
    failed = [result.scenario.name for result in results if not result.has_passed]
    if failed:
        raise ScenariosFailed(f"{len(failed)} of {len(results)} failed: {', '.join(failed)}")


def chosen(only: Sequence[str]) -> tuple[Scenario, ...]:
    """The scenarios of these kinds or names, all for none."""
    return tuple(one for one in SCENARIOS if not only or one.kind in only or one.name in only)


def summary(results: Sequence[Result]) -> Json:
    """The benchmark's JSON."""
    return {
        "passed": sum(result.has_passed for result in results),
        "total": len(results),
        "by_kind": {
            kind: {"passed": passed, "total": total} for kind, passed, total in _by_kind(results)
        },
        "scenarios": [
            {
                "name": result.scenario.name,
                "kind": result.scenario.kind,
                "passed": result.has_passed,
                "why": result.why,
                "recording": str(result.recording),
                "heard": list(result.answers),
            }
            for result in results
        ],
        "machine": describe_machine(),
    }


def rendered(results: Sequence[Result]) -> list[str]:
    """The benchmark for people."""
    passed = sum(result.has_passed for result in results)
    rows = [[kind, str(good), str(total)] for kind, good, total in _by_kind(results)]
    return [
        "",
        *table(["scenarios", "passed", "of"], [*rows, ["all", str(passed), str(len(results))]]),
        "",
    ]


def _by_kind(results: Sequence[Result]) -> list[tuple[str, int, int]]:
    """Each kind that was played, with how many of how many have passed."""
    counted = []
    for kind in KINDS:
        those = [result.has_passed for result in results if result.scenario.kind == kind]
        if those:
            counted.append((kind, sum(those), len(those)))
    return counted
