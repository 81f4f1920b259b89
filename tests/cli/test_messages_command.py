"""`softagent messages` and what `softagent check` says of where messages go."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from softagent.messages.message import CallerMessage, Delivery, Entry, Line
from softagent.messages.outbox import Outbox

Program = Callable[..., "subprocess.CompletedProcess[str]"]
ACCOUNT = '[[account]]\nname = "{0}"\nregistrar = "127.0.0.1"\nusername = "{0}"\npassword = "x"\n'
MESSAGES = '[defaults.messages]\ndirectory = "kept"\nfolder = "shared"\n'


def entry(identity: str, account: str = "reception") -> Entry:
    message = CallerMessage(
        identity, account, "call-1", "1001", "Ann Miller", "030 1234", "a lost key",
        1_795_000_000.0 + int(identity[-1]), (Line("caller", "I have lost\x1b[2J my key."),),
    )  # fmt: skip
    return Entry(message, is_complete=True, deliveries={"folder": Delivery()})


@pytest.fixture
def office(tmp_path: Path, accounts_file: Callable[[str], Path]) -> Path:
    """Two accounts; a message each, the second one delivered."""
    accounts_file(MESSAGES + ACCOUNT.format("reception") + ACCOUNT.format("workshop"))
    failed = Delivery(3, None, 1_795_001_000.0, "nas: there is no such folder now")
    Outbox(tmp_path / "kept" / "reception").store(entry("m-1").with_delivery("folder", failed))
    delivered = entry("m-2", "workshop").with_delivery("folder", Delivery(1, 1_795_000_100.0))
    Outbox(tmp_path / "kept" / "workshop").store(delivered)
    return tmp_path


def test_a_list_of_them_oldest_first(office: Path, program: Program) -> None:
    lines = program("messages", "list").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["m-1", "reception"], ["m-2", "workshop"]]
    assert lines[0].endswith("Ann Miller 030 1234: a lost key  (waits for folder)")
    assert lines[1].endswith("(delivered)")
    only = program("messages", "list", "--account", "workshop", "--json")
    assert [known["id"] for known in json.loads(only.stdout)] == ["m-2"]


def test_all_of_one(office: Path, program: Program) -> None:
    """An id may be shortened; control characters don't reach the terminal."""
    shown = program("messages", "show", "m-1").stdout
    assert "Reason:      a lost key\n" in shown
    assert "Caller: I have lost [2J my key.\n" in shown
    assert "folder: 3 attempts, next " in shown
    assert "nas: there is no such folder now" in shown
    assert json.loads(program("messages", "show", "m-2", "--json").stdout)["account"] == "workshop"


def test_no_such_message(office: Path, program: Program) -> None:
    result = program("messages", "show", "x")
    assert result.returncode == 64
    assert 'message "x": there is none: see softagent messages list' in result.stderr
    assert "2 begin like that" in program("messages", "show", "m-").stderr


def test_none_at_all(program: Program, accounts_file: Callable[[str], Path]) -> None:
    accounts_file(ACCOUNT.format("reception"))
    assert program("messages", "list").stdout == "no messages\n"
    assert program("messages", "retry").stdout == "nothing waits to be delivered\n"


def test_retry_delivers_where_no_worker_runs(office: Path, program: Program) -> None:
    failed = program("messages", "retry")
    assert failed.returncode == 1
    assert "(waits for folder)" in failed.stdout
    (office / "shared").mkdir()
    done = program("messages", "retry", "m-1")
    assert done.returncode == 0
    assert "(delivered)" in done.stdout
    assert (office / "shared" / "m-1.json").exists()
    assert program("messages", "retry", "m-1").stdout == "delivered already\n"


def test_retry_asks_the_worker_that_runs(office: Path, program: Program) -> None:
    outbox = Outbox(office / "kept" / "reception")
    with outbox.lock() as is_ours:
        assert is_ours
        asked = program("messages", "retry")
    assert asked.stdout == "reception: its worker has been asked to deliver 1\n"
    assert outbox.asked_again() == ["m-1"]
    assert outbox.entries()[0].waits


def test_check_looks_at_where_messages_go(office: Path, program: Program) -> None:
    lines = [line.split(maxsplit=2) for line in program("check").stdout.splitlines()]
    found = {parts[1]: (parts[0], parts[2]) for parts in lines if len(parts) == 3}
    assert found["messages.directory"] == ("ok", str(office / "kept"))
    state, why = found["messages.folder"]
    assert state == "PROBLEM"
    assert why == f"{office / 'shared'}: there is no such folder: make it, or mount its disk"


def test_a_worker_s_state_is_left_alone_by_a_list(office: Path, program: Program) -> None:
    before = sorted(path.read_bytes() for path in (office / "kept").rglob("*.json"))
    program("messages", "list")
    program("messages", "show", "m-1")
    assert sorted(path.read_bytes() for path in (office / "kept").rglob("*.json")) == before
