"""`softagent trace`, and the options that make traces, as their users have them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Program

from softagent.accounts import read_office
from softagent.cli.trace_options import with_trace

CAPTURE = Path(__file__).parents[1] / "trace" / "captures" / "asterisk-echo-udp.pcap"
DATA_ERROR, NO_INPUT = 65, 66
ACCOUNT = (
    '[[account]]\nname = "reception"\nregistrar = "pbx.lan"\nusername = "100"\npassword = "x"\n'
)


def test_a_capture_is_drawn_without_colour_in_a_pipe(program: Program) -> None:
    """80 columns, no escape sequence, UTF-8 where the locale has it and ASCII where not."""
    for locale, arrow in (("C.UTF-8", "▶│"), ("C", ">|")):
        done = program(
            "trace", str(CAPTURE), LC_ALL=locale, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
        )
        assert done.returncode == 0, done.stderr
        assert arrow in done.stdout
        assert "\x1b" not in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_same_as_data(program: Program) -> None:
    """--json: messages, streams, keys."""
    done = program("trace", str(CAPTURE), "--json")
    (call,) = json.loads(done.stdout)["calls"]
    assert call["messages"][0]["method"] == "INVITE"
    assert call["messages"][0]["media"][0]["formats"] == {"0": "PCMU", "120": "telephone-event"}
    (key,) = call["streams"][0]["keys"]
    assert (key["digit"], key["duration_ms"], key["is_ended"]) == ("4", 200.0, True)
    assert call["streams"][0]["lost"] == 0


@pytest.mark.parametrize("account", ["TechDesk", "T", "fronT-desk"])
def test_an_account_may_have_a_capital_t_in_its_name(
    program: Program, tmp_path: Path, account: str
) -> None:
    """As the time of a trace has."""
    shutil.copy(CAPTURE, tmp_path / f"{account}-20261125T091358--bI08dEEGHH.pcap")
    done = program("trace", "--trace", str(tmp_path), "--", "-bI08dEE")
    assert done.returncode == 0, done.stderr
    assert "INVITE #28496" in done.stdout


@pytest.mark.parametrize("place", ["option", "environment", "accounts file"])
def test_a_call_is_found_by_its_id(
    program: Program, accounts_file: Callable[[str], Path], tmp_path: Path, place: str
) -> None:
    """From the log, whole or only its beginning; wherever the traces are set."""
    folder = tmp_path / "traces"
    folder.mkdir()
    file = folder / "re-ception-20261125T091358--bI08dEEGHHdXQ3xVRWhGguSi2dNohge.pcap"
    shutil.copy(CAPTURE, file)
    shutil.copy(CAPTURE, folder / "reception-20261125-signalling.pcap")
    options = ["--trace", str(folder)] if place == "option" else []
    variables = {"SOFTAGENT_TRACE": str(folder)} if place == "environment" else {}
    if place == "accounts file":
        accounts_file(ACCOUNT + '[account.trace]\ndirectory = "traces"\n')
    done = program("trace", *options, "--", "-bI08dEE", **variables)
    assert done.returncode == 0, done.stderr
    assert "INVITE #28496" in done.stdout
    assert "REGISTER" not in done.stdout


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (None, NO_INPUT, "some.pcap: can't be read: No such file or directory"),
        (b"nonsense", DATA_ERROR, "some.pcap: neither pcap nor pcapng"),
        (b"", DATA_ERROR, "some.pcap: an empty file"),
    ],
)
def test_a_bad_file_is_one_line(
    program: Program, tmp_path: Path, content: bytes | None, code: int, message: str
) -> None:
    """No traceback; an exit code that tells which."""
    if content is not None:
        (tmp_path / "some.pcap").write_bytes(content)
    done = program("trace", "some.pcap")
    assert done.returncode == code
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_call_that_is_not_there_says_where_it_was_looked_for(
    program: Program, tmp_path: Path
) -> None:
    """In a folder of traces, in a file, and without any folder."""
    for arguments, message in (
        (
            ["abc", "--trace", str(tmp_path)],
            f"abc: neither a file nor a call with a trace ({tmp_path})",
        ),
        (["abc"], "no directory is set: give --trace or SOFTAGENT_TRACE"),
        ([str(CAPTURE), "--call", "abc"], 'begins with "abc"'),
    ):
        done = program("trace", *arguments)
        assert done.returncode == NO_INPUT
        assert message in done.stderr


def test_the_command_line_goes_before_the_accounts_file(
    accounts_file: Callable[[str], Path], tmp_path: Path
) -> None:
    """--trace for every account; what it leaves open stays as it is set."""
    office = read_office(accounts_file(ACCOUNT + '[account.trace]\ndirectory = "of-file"\n'))
    (as_set,) = with_trace(office, None, keys=False).accounts
    assert (as_set.trace.directory, as_set.trace.keys) == (tmp_path / "of-file", False)
    (changed,) = with_trace(office, tmp_path / "of-option", keys=True).accounts
    assert (changed.trace.directory, changed.trace.keys) == (tmp_path / "of-option", True)
