"""Programs of the office's own: real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from softagent.deeds.program import kill_group, run_program
from softagent.dialogue.deeds import DeedOutcome, DeedResult

PATIENCE_SECONDS = 60.0
VALUES = {"day": "2026-12-24", "guests": "four; rm -rf ~ $(id) `id` 'x' \"y\""}


def shell(script: str) -> Sequence[str]:
    return ["sh", "-c", script]


def run(script: str, timeout_seconds: float = PATIENCE_SECONDS) -> DeedOutcome:
    return run_program(
        shell(script),
        VALUES,
        about={"caller": "1001", "day": "never"},
        timeout_seconds=timeout_seconds,
    )


def test_a_program_that_succeeds_has_done_it_and_its_first_line_is_said() -> None:
    assert run("echo Your table is booked.; echo bye") == DeedOutcome(
        DeedResult.DONE, text="Your table is booked."
    )


def test_values_arrive_on_standard_input_and_in_the_environment(tmp_path: Path) -> None:
    """As they were given, whatever a shell would make of them."""
    copy = f'cat > {tmp_path}/in; printf %s "$SOFTAGENT_GUESTS" > {tmp_path}/guests'
    assert run(copy).result is DeedResult.DONE
    assert json.loads((tmp_path / "in").read_text()) == VALUES
    assert (tmp_path / "guests").read_text() == VALUES["guests"]


def test_the_environment_says_who_calls_and_a_parameter_of_that_name_goes_first() -> None:
    assert run('echo "$SOFTAGENT_CALLER $SOFTAGENT_DAY"').text == "1001 2026-12-24"


def test_a_value_in_an_argument_list_is_never_looked_at_by_a_shell() -> None:
    outcome = run_program(
        ["echo", "$(id)", ";", "x"], {}, about={}, timeout_seconds=PATIENCE_SECONDS
    )
    assert outcome.text == "$(id) ; x"


def test_a_program_that_fails_has_refused_with_its_text() -> None:
    """What it complains of on standard error is for the log."""
    assert run('echo \'{"say": "We are full."}\'; echo no table >&2; exit 3') == DeedOutcome(
        DeedResult.REFUSED, "status 3: no table", "We are full."
    )
    assert run("exit 1") == DeedOutcome(DeedResult.REFUSED, "status 1")


def test_a_program_that_crashes_has_failed() -> None:
    assert run("kill -SEGV $$") == DeedOutcome(DeedResult.FAILED, "ended by SIGSEGV")


@pytest.mark.parametrize("program", ["/nowhere/book.sh", "no-such-program-anywhere", __file__])
def test_a_program_that_can_not_be_started_has_failed(program: str) -> None:
    outcome = run_program([program], {}, about={}, timeout_seconds=PATIENCE_SECONDS)
    assert outcome.result is DeedResult.FAILED
    assert outcome.detail.startswith(f"{program}: can't be started: ")


def test_a_program_whose_time_is_up_is_killed() -> None:
    assert run("sleep 600", 0.2) == DeedOutcome(DeedResult.TIMED_OUT, "sh: killed after 0.2 s")


def test_with_a_program_ends_all_that_it_has_started(tmp_path: Path) -> None:
    """Also what doesn't heed SIGTERM: nobody holds the pipe open that all of them have inherited."""
    pipe = tmp_path / "held"
    os.mkfifo(pipe)
    script = f"trap '' TERM; exec 9>{pipe}; sleep 600 & echo up >&9; sleep 600"
    with subprocess.Popen(shell(script), start_new_session=True) as process:
        with pipe.open("rb", buffering=0) as held:
            assert held.read(100) == b"up\n"
            kill_group(process)
            assert held.read(100) == b"", "the end of the last one that could write"
        assert process.returncode == -signal.SIGKILL


def test_a_program_ends_when_it_ends_whatever_it_leaves_running(tmp_path: Path) -> None:
    """Even something that keeps its outputs open."""
    pipe = tmp_path / "wait"
    os.mkfifo(pipe)
    assert run(f"cat < {pipe} & echo done") == DeedOutcome(DeedResult.DONE, text="done")
    pipe.write_text("")  # which lets it go


def test_what_a_program_writes_without_an_end_is_thrown_away() -> None:
    outcome = run("head -c 50000000 /dev/zero | tr '\\0' x; exit 0")
    assert outcome.result is DeedResult.DONE
    assert len(outcome.text) <= 600


def test_a_program_need_not_read_its_input() -> None:
    assert run("exec <&-; echo fine").text == "fine"
