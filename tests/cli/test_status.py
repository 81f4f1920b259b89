"""`softagent status`, asked of a real supervisor with fake workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from softagent.cli.status import duration

FAKE_OFFICE = Path(__file__).parents[1] / "fake_office.py"
PATIENCE_SECONDS = 30.0
Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a supervisor where `program` looks for one, and waits until all its workers run."""
    started: list[subprocess.Popen[str]] = []

    def start(target: str, *names: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(FAKE_OFFICE), target, "{}", *names],
            env={**os.environ, "SOFTAGENT_STATE": str(tmp_path / "state")},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stderr is not None
        left = set(names)
        while left:
            line = process.stderr.readline()
            assert line
            left -= {name for name in left if f"account={name} state=running" in line}
        return process

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)
        assert process.stderr is not None
        process.stderr.close()


def test_registered_with_a_call(office: Callable[..., object], program: Program) -> None:
    """Registration with the registrar in use, worker and call, for people; 0 since all is well."""
    office("talking", "reception", "workshop")
    result = program("status")
    lines = result.stdout.splitlines()
    assert lines[0] == "reception  reception@127.0.0.1"
    assert lines[1].startswith("  registered at 192.0.2.2:5060 for ")
    assert lines[1].endswith(", granted for 120 s, refreshed every 8 s")
    assert lines[2].startswith("  worker running for ")
    assert lines[2].endswith(", 0 restarts")
    assert lines[3].startswith("  on the line with 1004 for ")
    assert lines[4] == "  2 messages not delivered yet: email:ann@office.example: no answer"
    assert lines[5] == "workshop  workshop@127.0.0.1"
    assert result.returncode == 0


def test_for_programs(office: Callable[..., object], program: Program) -> None:
    """--json has all of it; one account may be named."""
    supervisor = office("talking", "reception", "workshop")
    result = program("status", "--json", "workshop")
    answer = json.loads(result.stdout)
    [account] = answer["accounts"]
    assert answer["pid"] == supervisor.pid  # type: ignore[attr-defined]
    assert account["account"] == "workshop"
    registration = {**account["registration"], "seconds": 0}
    assert registration == {
        "state": "registered",
        "reason": "200 OK",
        "registrar": "192.0.2.2:5060",
        "seconds": 0,
        "expires_seconds": 120,
        "refresh_seconds": 8.0,
    }
    assert account["worker"]["state"] == "running"
    os.kill(account["worker"]["pid"], 0)
    assert [(call["call"], call["caller"]) for call in account["calls"]] == [("call-2", "1004")]
    assert account["messages"] == {"waiting": 2, "reason": "email:ann@office.example: no answer"}


def test_not_registered(office: Callable[..., object], program: Program) -> None:
    """1, so that a script notices."""
    office("beating", "reception")
    result = program("status")
    assert "  unregistered for " in result.stdout
    assert result.returncode == 1


def test_a_worker_that_has_died(office: Callable[..., object], program: Program) -> None:
    """Its calls and its registration went with it; the reason and the restart are shown."""
    office("talking", "reception")
    [account] = json.loads(program("status", "--json").stdout)["accounts"]
    os.kill(account["worker"]["pid"], signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while account["worker"]["restarts"] == 0 and time.monotonic() < deadline:
        [account] = json.loads(program("status", "--json").stdout)["accounts"]
        if account["worker"]["state"] == "backoff":
            assert account["worker"]["reason"].startswith("killed by SIGKILL, restart in ")
            assert (account["calls"], account["registration"]["state"]) == ([], "unregistered")
    assert account["worker"]["restarts"] == 1


def test_unknown_account(office: Callable[..., object], program: Program) -> None:
    office("beating", "reception")
    result = program("status", "sales")
    assert 'no account "sales" runs here: there are: reception' in result.stderr
    assert result.returncode == 64


def test_nothing_runs(program: Program, tmp_path: Path) -> None:
    """Where it was looked for, and what to do."""
    result = program("status")
    assert (
        f"softagent doesn't run here (looked for {tmp_path}/state/softagent.sock)" in result.stderr
    )
    assert result.returncode == 67


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.9, "0 s"),
        (59, "59 s"),
        (60, "1 min 0 s"),
        (3725, "1 h 2 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
