"""Fifty calls in a row: of a call that is over, the worker keeps nothing."""

from __future__ import annotations

import itertools
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from softagent.lab.agent import LabAgent
from softagent.lab.caller import ScriptedCaller
from softagent.lab.demonstration import staffed_office
from softagent.lab.office import EXTENSION
from softagent.lab.outgoing import CallPhase
from softagent.lab.pbx import LabPbx
from softagent.lab.script import Line, Manners
from softagent.lab.voices import synthetic_lines
from softagent.models.store import ModelStore
from softagent.report import CallEnded, Report, TurnMeasured

MODEL = "qwen2.5-coder-0.5b"
CALLS = 50
JUDGED_CALLS = 20
"""The last ones: by then every engine has met its longest input."""
MOST_GROWTH_KB = 50
"""A call, over those; what a call takes while it lasts is more: its greeting alone is 60 kB of sound."""
CLEAN_UP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process holds (proc(5))."""

    threads: int
    files: int
    rss_kb: int


def footprint(agent: LabAgent) -> Footprint:
    folder = Path("/proc") / str(agent.pid)
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    return Footprint(
        threads=int(status["Threads"]),
        files=len(list((folder / "fd").iterdir())),
        rss_kb=int(status["VmRSS"].split()[0]),
    )


def wait_until(is_true: Callable[[], bool]) -> bool:
    """Whether it turns true while a call is cleaned up."""
    deadline = time.monotonic() + CLEAN_UP_SECONDS
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def ways_to_call() -> list[tuple[list[Line], Manners]]:
    """Hang up at once, in the greeting's first pause, or in that of the answer to a question."""
    [question] = synthetic_lines(["Are you open on Saturday?"], ModelStore())
    in_a_pause = Manners(quiet_ms=100)
    return [
        ([], Manners(patience_ms=0)),
        ([], in_a_pause),
        ([], Manners(patience_ms=0)),
        ([replace(question, interrupts_after_ms=300)], in_a_pause),
    ]


def call(pbx: LabPbx, lines: list[Line], manners: Manners, *, recording: Path) -> None:
    """Ring, be answered, hang up. Raises CallFailed when nobody answers."""
    caller = ScriptedCaller(lines, recording=recording, manners=manners)
    conversation = caller.converse(lambda media: pbx.call(EXTENSION, media=media))
    assert conversation.ended_by is CallPhase.ENDED_BY_CALLER
    assert all(delivery.is_answered for delivery in conversation.deliveries)


def calls_ended(reports: queue.SimpleQueue[Report], *, turns: list[TurnMeasured]) -> bool:
    """Whether a call has been reported as ended; collects the turns measured on the way."""
    while not reports.empty():
        match reports.get():
            case CallEnded():
                return True
            case TurnMeasured() as turn:
                turns.append(turn)
    return False


@pytest.mark.engine
def test_fifty_calls_leave_nothing_behind(tmp_path: Path) -> None:
    """After each, threads and open files are as before the first; memory stops growing."""
    reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
    turns: list[TurnMeasured] = []
    memory_kb: list[int] = []
    calls = list(itertools.islice(itertools.cycle(ways_to_call()), CALLS))
    log = tmp_path / "agent.log"
    with staffed_office(model=MODEL, log=log, on_report=reports.put) as (pbx, agent, _):
        idle = footprint(agent)
        for lines, manners in calls:
            call(pbx, lines, manners, recording=tmp_path / "call.wav")
            assert wait_until(lambda: calls_ended(reports, turns=turns))
            assert wait_until(lambda: footprint(agent).threads == idle.threads), footprint(agent)
            assert footprint(agent).files == idle.files
            memory_kb.append(footprint(agent).rss_kb)
    assert len(turns) == sum(len(lines) for lines, _ in calls)
    growth_kb, _ = np.polyfit(range(JUDGED_CALLS), memory_kb[-JUDGED_CALLS:], 1)
    assert growth_kb < MOST_GROWTH_KB, memory_kb
