"""The supervisor minds real processes: they are spawned, killed and waited for here."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.context import SpawnProcess
from pathlib import Path

import fake_office
import pytest
from fake_office import account

from softagent.config import Office
from softagent.errors import ConfigError, UnknownAccount
from softagent.life import LifeState
from softagent.supervisor import DEFAULT_POLICY, Supervisor, _Worker, run_office

PATIENCE_SECONDS = 30.0
"""How long a test waits for something that takes well under a second on an idle machine."""


class FakeOffice:
    """A supervisor in a process of its own, followed by its log."""

    def __init__(self, target: str, *names: str, **policy: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, fake_office.__file__, target, json.dumps(policy), *names],
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.lines: list[str] = []

    def line(self, pattern: str) -> re.Match[str]:
        """Read the log until a line matches `pattern`."""
        assert self.process.stderr is not None
        while True:
            line = self.process.stderr.readline()
            assert line, f"no line matches {pattern!r} in {self.lines}"
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found

    def running_pid(self, name: str) -> int:
        """Wait until the account `name` runs, and return the process id of its worker."""
        return int(self.line(rf"account={name} state=running .*pid=(\d+)")[1])

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Wait for the supervisor's end and return its exit code."""
        assert self.process.stderr is not None
        self.lines += self.process.stderr.readlines()
        return self.process.wait(PATIENCE_SECONDS)


@contextlib.contextmanager
def office(target: str, *names: str, **policy: float) -> Iterator[FakeOffice]:
    """A FakeOffice that is gone afterwards, and that can't hang the tests."""
    running = FakeOffice(target, *(names or ("reception",)), **policy)
    watchdog = threading.Timer(PATIENCE_SECONDS, running.process.kill)
    watchdog.start()
    try:
        yield running
    finally:
        watchdog.cancel()
        running.process.kill()
        running.process.wait()
        assert running.process.stderr is not None
        running.process.stderr.close()


@contextlib.contextmanager
def must_end(pid: int) -> Iterator[None]:
    """The process `pid` is there now, and ends in or soon after the block."""
    handle = os.pidfd_open(pid)
    try:
        assert not select.select([handle], [], [], 0)[0], "gone already"
        yield
        assert select.select([handle], [], [], PATIENCE_SECONDS)[0], f"process {pid} is still there"
    finally:
        os.close(handle)


def test_a_worker_killed_with_signal_9_is_started_again() -> None:
    with office("beating", first_delay_seconds=0.05) as running:
        first = running.running_pid("reception")
        os.kill(first, signal.SIGKILL)
        running.line(r'account=reception state=backoff reason="killed by SIGKILL, restart in 0\.')
        assert running.running_pid("reception") != first


def test_a_worker_that_falls_silent_is_killed_and_started_again() -> None:
    with office("stuck", first_delay_seconds=0.05, silence_seconds=0.2) as running:
        first = running.running_pid("reception")
        with must_end(first):
            running.line(r"state=backoff reason=\"killed: no sign of life")
        assert running.running_pid("reception") != first


def test_a_worker_with_a_mistake_in_its_settings_is_not_started_again() -> None:
    with office("half_misconfigured", "broken", "sales", first_delay_seconds=0.0) as running:
        good = int(running.line(r"account=sales state=starting .*pid=(\d+)")[1])
        running.line('account=broken state=fatal reason="exit code 78"')
        os.kill(good, signal.SIGKILL)
        running.line('account=sales state=starting reason="restart 1"')
        running.signal(signal.SIGTERM)
        assert running.ended() == 0
        assert sum("account=broken state=starting" in line for line in running.lines) == 1


def test_without_any_account_that_can_start_the_exit_code_is_the_first_ones() -> None:
    accounts = [account("reception"), account("sales")]
    assert Supervisor(accounts, target=fake_office.misconfigured).run() == 78


def test_run_puts_the_signal_handlers_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    Supervisor([account("reception")], target=fake_office.misconfigured).run()
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert signal.set_wakeup_fd(-1) == -1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_stops_all_in_good_order(number: signal.Signals) -> None:
    with office("beating", "reception", "sales") as running:
        pids = [
            int(running.line(r"state=running .*pid=(\d+)")[1]),
            int(running.line(r"state=running .*pid=(\d+)")[1]),
        ]
        with must_end(pids[0]), must_end(pids[1]):
            running.signal(number)
            assert running.ended() == 0
        stopped = [line for line in running.lines if 'state=stopped reason="exit code 0"' in line]
        assert len(stopped) == 2


def test_a_worker_that_does_not_stop_is_killed_after_the_grace() -> None:
    with office("stuck", grace_seconds=0.2) as running, must_end(running.running_pid("reception")):
        running.signal(signal.SIGTERM)
        running.line('state=stopped reason="killed: still there after being asked to stop"')
        assert running.ended() == 0


def test_a_second_ctrl_c_kills() -> None:
    with office("stuck") as running, must_end(running.running_pid("reception")):
        running.signal(signal.SIGINT)
        running.line("state=stopping")
        running.signal(signal.SIGINT)
        running.line('state=stopped reason="killed: asked to stop twice"')
        assert running.ended() == 0


@pytest.mark.parametrize("target", ["beating", "deaf", "stuck"])
def test_no_worker_outlives_a_supervisor_killed_with_signal_9(target: str) -> None:
    """By the end of the pipe, by SIGTERM from the kernel, and stuck workers after the grace."""
    with office(target, grace_seconds=0.2) as running, must_end(running.running_pid("reception")):
        running.signal(signal.SIGKILL)


def test_a_worker_that_still_loads_does_not_outlive_its_supervisor() -> None:
    with office("loading") as running:
        pid = int(running.line(r"state=starting .*pid=(\d+)")[1])
        running.line("loading")
        with must_end(pid):
            running.signal(signal.SIGKILL)


def test_a_worker_leaves_ctrl_c_to_the_supervisor() -> None:
    with office("loading") as running:
        running.line("loading ctrl_c=SIG_IGN")


def test_a_machine_without_room_for_a_process_costs_a_restart_and_no_other_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """fork(2) fails just when memory is short: when a worker has been killed for it."""

    def start(_process: SpawnProcess) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(SpawnProcess, "start", start)
    worker = _Worker(account("reception"), fake_office.beating, DEFAULT_POLICY, lambda: 100.0)
    worker.carry_out(worker.life.start(100.0))
    assert worker.life.state is LifeState.BACKOFF
    assert list(worker.sources()) == []
    monkeypatch.undo()
    worker.carry_out(worker.life.tick(200.0))
    assert worker.life.state is LifeState.STARTING
    worker.carry_out(worker.life.stop(200.0))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while worker.life.state is not LifeState.STOPPED and time.monotonic() < deadline:
        select.select(
            list(worker.sources()), [], [], 0.1
        )  # its end shows a moment after its pipe's
        worker.observe(201.0)
    assert worker.life.state is LifeState.STOPPED


def test_an_account_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownAccount, match='no account "sales"'):
        run_office(Office(Path("accounts.toml"), (account("reception"),)), only=["sales"])


def test_an_office_without_an_enabled_account_is_refused() -> None:
    closed = Office(Path("accounts.toml"), (account("reception", enabled=False),))
    with pytest.raises(ConfigError, match="no account is enabled"):
        run_office(closed)
