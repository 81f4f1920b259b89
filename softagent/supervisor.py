"""Keeps one worker process alive for each account.

signals --wakeup fd--.
process sentinels ----+-- connection.wait -- WorkerLife -- Spawn, Terminate, Kill
worker pipes ---------'     until the next deadline
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any

from softagent import __version__
from softagent.config import Account, Office
from softagent.control import ControlSocket, state_folder
from softagent.errors import ConfigError
from softagent.heartbeat import Ready
from softagent.life import Command, Kill, LifeState, RestartPolicy, Spawn, Terminate, WorkerLife
from softagent.log import setup_logging
from softagent.standing import Standing

log = logging.getLogger(__name__)

DEFAULT_POLICY = RestartPolicy()

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
"""prctl(2)."""

Target = Callable[[Account, Connection], int]
"""What a worker process runs; importable by name, because the process is spawned. Returns its exit code."""


def run_office(office: Office, *, only: Sequence[str] = ()) -> int:
    """Run a worker for each enabled account, or for the accounts named in `only`, until stopped.

    Returns 0 once stopped by SIGTERM or SIGINT, or the first account's exit code when no
    account can be started. Main thread only. Raises UnknownAccount, ConfigError, and
    AlreadyRunning when another supervisor has the state folder.
    """
    accounts = office.chosen(only)
    if not accounts:
        raise ConfigError(
            [f"{office.path}: no account is enabled: take out an `enabled = false`, or name one"]
        )
    supervisor = Supervisor(accounts)
    with ControlSocket(state_folder(), supervisor.answer) as control:
        return supervisor.run(control)


def run_worker_process(account: Account, parent: Connection) -> int:
    """The production target: imports the worker, and with it the engines, in its own process only."""
    from softagent.worker import run_worker

    setup_logging(account=account.name)
    return run_worker(account, parent=parent)


class Supervisor:
    """Carries out what the lives of its workers decide. Everything happens in the thread that calls `run`."""

    def __init__(
        self,
        accounts: Sequence[Account],
        *,
        target: Target = run_worker_process,
        policy: RestartPolicy = DEFAULT_POLICY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._started = clock()
        self._workers = [_Worker(account, target, policy, clock) for account in accounts]

    def answer(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is asked at the control socket."""
        now = self._clock()
        match question.get("ask"):
            case "status":
                return {
                    "version": __version__,
                    "pid": os.getpid(),
                    "seconds": round(now - self._started, 1),
                    "accounts": [worker.describe(now) for worker in self._workers],
                }
            case unknown:
                return {"error": f"unknown question: {unknown!r}"}

    def run(self, control: ControlSocket | None = None) -> int:
        """Start every worker, mind them until all are over, and return the exit code.

        Answers what is asked at `control` meanwhile.
        """
        resource_tracker.ensure_running()  # its start unblocks SIGINT, which _Worker.spawn holds
        with _signals_as_bytes(signal.SIGTERM, signal.SIGINT) as signals:
            self._each(lambda worker: worker.life.start(self._clock()))
            while not all(worker.life.is_over for worker in self._workers):
                self._wait(signals, control)
                self._take_signals(signals)
                for worker in self._workers:
                    worker.observe(self._clock())
                self._each(lambda worker: worker.life.tick(self._clock()))
        return self._exit_code()

    def _wait(self, signals: socket.socket, control: ControlSocket | None) -> None:
        sources = [source for worker in self._workers for source in worker.sources()]
        doors = list(control.sources()) if control else []
        deadlines = [w.life.deadline for w in self._workers if w.life.deadline is not None]
        timeout = max(0.0, min(deadlines) - self._clock()) if deadlines else None
        ready = wait([signals, *sources, *doors], timeout)
        if control is not None and any(door in ready for door in doors):
            control.serve()

    def _take_signals(self, signals: socket.socket) -> None:
        """The first signal asks every worker to stop; a second Ctrl-C kills them."""
        with contextlib.suppress(BlockingIOError):
            for number in signals.recv(64):
                log.info("signal=%s", signal.Signals(number).name)
                if number == signal.SIGINT:
                    self._each(lambda worker: worker.life.kill())
                self._each(lambda worker: worker.life.stop(self._clock()))

    def _each(self, decide: Callable[[_Worker], tuple[Command, ...]]) -> None:
        for worker in self._workers:
            worker.carry_out(decide(worker))

    def _exit_code(self) -> int:
        lives = [worker.life for worker in self._workers]
        if lives and all(life.state is LifeState.FATAL for life in lives):
            return lives[0].exit_code or 0
        return 0


class _Worker:
    """One account: its life, and the process that lives it."""

    def __init__(
        self,
        account: Account,
        target: Target,
        policy: RestartPolicy,
        clock: Callable[[], float],
    ) -> None:
        self.account = account
        extension = f"{account.username}@{account.domain or account.registrar}"
        self._standing = Standing(account.name, extension, clock())
        self._clock = clock
        self.life = WorkerLife(policy)
        self._target = target
        self._grace_seconds = policy.grace_seconds
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._logged = (LifeState.STOPPED, "")

    def sources(self) -> Iterator[Connection | int]:
        """What tells that something happened to the process."""
        if self._process is not None:
            yield self._process.sentinel
        if self._pipe is not None:
            yield self._pipe

    def observe(self, now: float) -> None:
        """Tell the life what the process reported, and whether it is gone."""
        self._read_pipe(now)
        if self._process is None or (code := self._process.exitcode) is None:
            return
        self._process.close()
        self._process = None
        self._close_pipe()
        self.life.exited(code, now)
        self._standing.end(now)
        self._log_change()

    def describe(self, now: float) -> dict[str, Any]:
        """How the account stands, as JSON has it."""
        pid = None if self._process is None else self._process.pid
        return self._standing.describe(pid, now)

    def carry_out(self, commands: Sequence[Command]) -> None:
        """Do what the life decided."""
        for command in commands:
            match command:
                case Spawn():
                    self._try_to_spawn()
                case Terminate() if self._process is not None:
                    self._process.terminate()
                case Kill() if self._process is not None:
                    self._process.kill()
        self._log_change()

    def _try_to_spawn(self) -> None:
        """Without memory or descriptors for a process: as if it had ended at once."""
        try:
            self._spawn()
        except OSError as error:
            log.error("account=%s event=spawn-failed reason=%s", self.account.name, error)
            self._process = None
            self._close_pipe()
            self.life.exited(os.EX_OSERR, self._clock())

    def _spawn(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, workers_end = context.Pipe()
        self._process = context.Process(
            target=_be_worker,
            args=(self._target, self.account, workers_end, self._grace_seconds),
            name=f"worker-{self.account.name}",
            daemon=True,  # should the supervisor fail, the interpreter ends its workers at exit
        )
        # Ctrl-C reaches the whole process group: the new process inherits the mask and is
        # deaf to it from its first instruction on.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            workers_end.close()
        self._standing.begin()

    def _read_pipe(self, now: float) -> None:
        """Whatever a worker says is a sign of life."""
        try:
            while self._pipe is not None and self._pipe.poll():
                message = self._pipe.recv()
                self.life.beat(now)
                self._standing.take(message, now)
                if isinstance(message, Ready):
                    self.life.running(now)
                    self._log_change()
        except (EOFError, OSError):
            self._close_pipe()

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def _log_change(self) -> None:
        change = (self.life.state, self.life.reason)
        if change == self._logged:
            return
        self._logged = change
        self._standing.change(*change, self._clock())
        log.log(
            logging.ERROR if self.life.state is LifeState.FATAL else logging.INFO,
            "account=%s state=%s reason=%s pid=%s",
            self.account.name,
            self.life.state.value,
            self.life.reason,
            "-" if self._process is None else self._process.pid,
        )


def _be_worker(target: Target, account: Account, parent: Connection, grace_seconds: float) -> None:
    """The first thing that runs in a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor says when to stop: SIGTERM
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_NAME, f"sa {account.name}".encode())
    # Without this a worker whose supervisor dies would load its engines before it notices.
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    threading.Thread(
        target=_outlive_parent, args=(grace_seconds,), name="outlive-parent", daemon=True
    ).start()
    raise SystemExit(target(account, parent))


def _outlive_parent(grace_seconds: float) -> None:
    """Once the supervisor is dead: give the worker time to hang up, then end it, stuck or not."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        time.sleep(grace_seconds)
        os.kill(os.getpid(), signal.SIGKILL)


@contextlib.contextmanager
def _signals_as_bytes(*numbers: signal.Signals) -> Iterator[socket.socket]:
    """Turn `numbers` into bytes to read from a socket, one a signal, instead of interrupting anything."""

    def leave_to_the_wakeup_fd(_number: int, _frame: FrameType | None) -> None:
        """A handler must exist for the byte to be written."""

    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        before = {number: signal.signal(number, leave_to_the_wakeup_fd) for number in numbers}
        wakeup_before = signal.set_wakeup_fd(writer.fileno())
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(wakeup_before)
            for number, handler in before.items():
                signal.signal(number, handler)
