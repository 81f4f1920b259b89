"""`softagent check`, with and without a PBX."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from softagent.lab.pbx import LabPbx

Program = Callable[..., "subprocess.CompletedProcess[str]"]
Write = Callable[[str], Path]

REGISTRAR_PORT, LOCAL_PORT, SILENT_PORT = 5320, 5321, 5322
ACCOUNT = f"""
[[account]]
name = "reception"
registrar = "127.0.0.1"
port = {REGISTRAR_PORT}
username = "100"
password = "hunter2"
local_address = "127.0.0.1"
local_port = {LOCAL_PORT}
rtp_ports = "5330-5339"
vad.model = "./model"
recognizer.model = "./model"
llm.model = "./model"
synthesizer.model = "./model"
"""


@pytest.fixture(autouse=True)
def _model(tmp_path: Path) -> None:
    """Stands for every engine's model: only its being there is looked at."""
    (tmp_path / "model").touch()


@pytest.fixture
def pbx() -> Iterator[LabPbx]:
    pbx = LabPbx({"100": "hunter2"}, port=REGISTRAR_PORT)
    pbx.start()
    yield pbx
    pbx.stop()


def verdicts(result: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Subject -> ok or PROBLEM."""
    rows = [line.split() for line in result.stdout.splitlines() if line.startswith("  ")]
    return {row[1]: row[0] for row in rows if row[0] in ("ok", "PROBLEM")}


def test_all_is_well(program: Program, accounts_file: Write) -> None:
    file = accounts_file(ACCOUNT)
    result = program("check")
    assert result.stdout.splitlines()[0] == str(file)
    assert result.stdout.splitlines()[-1] == "no problems"
    assert set(verdicts(result).values()) == {"ok"}
    assert (result.returncode, result.stderr) == (0, "")


def test_a_disabled_account_is_not_looked_at(program: Program, accounts_file: Write) -> None:
    accounts_file(ACCOUNT.replace('llm.model = "./model"', "enabled = false"))
    result = program("check")
    assert "reception (not enabled: not looked at)" in result.stdout
    assert result.returncode == 0


def test_a_missing_model(program: Program, accounts_file: Write) -> None:
    accounts_file(ACCOUNT.replace('llm.model = "./model"', ""))
    result = program("check")
    assert verdicts(result)["llm.model"] == "PROBLEM"
    assert "softagent models pull qwen2.5-coder-1.5b" in result.stdout
    assert result.returncode == 69


def test_a_port_in_use(program: Program, accounts_file: Write) -> None:
    accounts_file(ACCOUNT)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", LOCAL_PORT))
        result = program("check")
    assert f"UDP port {LOCAL_PORT} is in use" in result.stdout
    assert result.returncode == 71


def test_the_first_problem_gives_the_exit_code(program: Program, accounts_file: Write) -> None:
    accounts_file(ACCOUNT.replace('llm.model = "./model"', ""))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", LOCAL_PORT))
        result = program("check")
    assert result.stdout.splitlines()[-1] == "2 problems"
    assert result.returncode == 69


def test_online_registers_and_leaves_nothing_behind(
    program: Program, accounts_file: Write, pbx: LabPbx
) -> None:
    accounts_file(ACCOUNT)
    result = program("check", "--online")
    assert f"accepted by 127.0.0.1:{REGISTRAR_PORT} for 120 s, and removed again" in result.stdout
    assert result.returncode == 0
    assert not pbx.is_registered("100")


def test_online_with_a_wrong_password(program: Program, accounts_file: Write, pbx: LabPbx) -> None:
    """Told apart from silence, and the password is not repeated."""
    accounts_file(ACCOUNT.replace("hunter2", "hunter3"))
    result = program("check", "--online")
    assert f"127.0.0.1:{REGISTRAR_PORT} refuses it" in result.stdout
    assert "hunter" not in result.stdout + result.stderr
    assert result.returncode == 77


def test_online_without_a_pbx(program: Program, accounts_file: Write) -> None:
    """A socket that never answers, as a firewall looks like."""
    accounts_file(ACCOUNT.replace(str(REGISTRAR_PORT), str(SILENT_PORT)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", SILENT_PORT))
        result = program("check", "--online")
    assert verdicts(result)["registration"] == "PROBLEM"
    assert f"127.0.0.1:{SILENT_PORT}" in result.stdout
    assert result.returncode == 68
