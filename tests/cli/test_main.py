"""`softagent` itself: its help, and how it ends."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import click
import pytest

from softagent import __version__
from softagent.cli import COMMANDS, INTERRUPTED, invoke
from softagent.errors import ConfigError, ModelMissing

HEAVY = {"numpy", "aiortp", "vosk", "llama_cpp", "onnxruntime", "pyVoIP", "soxr", "asyncio"}
ACCOUNT = """
[[account]]
name = "reception"
registrar = "127.0.0.1"
username = "100"
password = "hunter2"
"""

Program = Callable[..., "subprocess.CompletedProcess[str]"]
Write = Callable[[str], Path]


def test_help_lists_the_commands_and_imports_none(program: Program) -> None:
    """What answers at once may not load engines, nor numpy, nor a command."""
    result = program("--help", PYTHONPROFILEIMPORTTIME="1")
    imported = set(re.findall(r"\|\s+(\S+)$", result.stderr, re.M))
    assert {name for name in imported if name.split(".")[0] in HEAVY} == set()
    assert {name for name in imported if name.startswith("softagent.cli.")} == set()
    assert all(name in result.stdout for name in COMMANDS)
    assert result.returncode == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_listed_command_is_where_the_list_says(name: str) -> None:
    assert isinstance(getattr(import_module(COMMANDS[name].module), name), click.Command)


def test_version(program: Program) -> None:
    assert program("--version").stdout == f"softagent {__version__}\n"


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ("[[account", 65, "{file}:1: "),
        (ACCOUNT + 'greting = "Hi"', 78, 'account "reception": unknown option "greting": did you mean "greeting"?'),
        (ACCOUNT, 64, '"lobby"'),
        (None, 66, "no accounts file (looked for {file}, "),
    ],
)  # fmt: skip
def test_bad_input_gives_one_message_and_its_exit_code(
    program: Program,
    accounts_file: Write,
    tmp_path: Path,
    content: str | None,
    code: int,
    message: str,
) -> None:
    """Broken TOML, an unknown key, an unknown account, no file: for `run` and for `worker`."""
    if content is not None:
        accounts_file(content)
    for arguments in (("run", "--only", "lobby"), ("worker", "lobby")):
        result = program(*arguments)
        [line] = result.stderr.splitlines()
        assert line.startswith("softagent: error: ")
        assert message.format(file=tmp_path / "accounts.toml") in line
        assert (result.returncode, result.stdout) == (code, "")


def test_each_problem_has_a_line(program: Program, accounts_file: Write) -> None:
    accounts_file(ACCOUNT + "port = -1\nfoo = 1\n")
    assert program("run").stderr.splitlines() == [
        'softagent: error: account "reception": port -1: expected 0 to 65535',
        'softagent: error: account "reception": unknown option "foo"',
    ]


def test_debug_shows_where_the_error_comes_from(program: Program) -> None:
    result = program("--debug", "run")
    assert result.stderr.startswith("Traceback")
    assert result.stderr.splitlines()[-1].startswith("softagent: error: no accounts file")


def test_a_file_is_found_by_variable_and_by_option(
    program: Program, accounts_file: Write, tmp_path: Path
) -> None:
    """The option goes before the variable, and that before the usual places."""
    accounts_file(ACCOUNT)
    by_variable, by_option = str(tmp_path / "variable.toml"), str(tmp_path / "option.toml")
    assert by_variable in program("check", SOFTAGENT_ACCOUNTS=by_variable).stderr
    result = program("check", "--accounts", by_option, SOFTAGENT_ACCOUNTS=by_variable)
    assert f"{by_option}: no such file" in result.stderr


def test_a_file_is_found_in_the_users_settings(program: Program, tmp_path: Path) -> None:
    file = tmp_path / ".config/softagent/accounts.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[[account")
    assert f"{file}:1: " in program("run").stderr


def test_a_missing_command_is_a_usage_error(program: Program) -> None:
    result = program("rnu")
    assert (result.returncode, "No such command 'rnu'" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("raised", "code", "printed"),
    [
        (ModelMissing('model "x" is not here'), 69, 'softagent: error: model "x" is not here\n'),
        (ConfigError(["a", "b"]), 78, "softagent: error: a\nsoftagent: error: b\n"),
        (KeyboardInterrupt(), INTERRUPTED, "\n"),
    ],
)
def test_what_a_command_raises_becomes_message_and_code(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    raised: BaseException,
    code: int,
    printed: str,
) -> None:
    @click.command()
    def failing() -> None:
        raise raised

    monkeypatch.setattr("softagent.cli.check.check", failing)
    assert invoke(["check"]) == code
    assert capsys.readouterr().err == printed


def test_a_commands_number_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def counting() -> int:
        return 75

    monkeypatch.setattr("softagent.cli.check.check", counting)
    assert invoke(["check"]) == 75
