"""LabAgent: a real worker in a process of its own, and what it reports.

LabAgent --spawn--> run_worker -> pipe -> reading thread -> on_report
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from softagent.config import Account
from softagent.errors import SoftagentError
from softagent.heartbeat import Beat, Ready
from softagent.report import CallEnded, CallStarted, Did, Heard, Report, Said, TurnMeasured

STOP_SECONDS = 10.0
KIBIBYTE = 1024


class AgentFailed(SoftagentError):
    """The worker ended before it was asked to; its own exit code is passed on."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Usage:
    """What the worker's process has used up to now (proc(5))."""

    cpu_seconds: float
    """User and system time of all its threads."""
    rss_mb: float
    """Largest resident memory, the mapped model included, in 10^6 bytes."""


class LabAgent:
    """One worker process. `on_report` is called on the reading thread."""

    def __init__(self, account: Account, *, log: Path, on_report: Callable[[Report], None]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, self._workers_end = context.Pipe()
        self._log = log
        self._on_report = on_report
        self._process = context.Process(
            target=_be_agent, args=(account, self._workers_end, log), name="lab-agent", daemon=True
        )
        self._is_ready = threading.Event()
        self._is_gone = threading.Event()
        """Set by the reading thread when the pipe is at its end."""
        self._reader = threading.Thread(target=self._read, name="lab-agent-reports", daemon=True)

    def start(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._process.start()
        self._workers_end.close()
        self._reader.start()

    def wait_ready(self, timeout_seconds: float) -> None:
        """Wait until the engines are loaded and the extension is registered. Raises AgentFailed."""
        if self._is_ready.wait(timeout_seconds) and not self._is_gone.is_set():
            return
        if not self._is_gone.is_set():
            raise AgentFailed(
                f"the agent was not ready in {timeout_seconds:g} s: see {self._log}", 1
            )
        self._process.join(STOP_SECONDS)
        code = self._process.exitcode or 1
        raise AgentFailed(f"the agent ended with exit code {code}: {self._last_words()}", code)

    @property
    def pid(self) -> int:
        """The worker's process, once started."""
        assert self._process.pid is not None
        return self._process.pid

    def usage(self) -> Usage:
        """Processor time and memory of the worker while it runs."""
        folder = Path("/proc") / str(self._process.pid)
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        cpu_ticks = int(fields[11]) + int(fields[12])  # utime and stime, fields 14 and 15
        status = (folder / "status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return Usage(
            cpu_seconds=cpu_ticks / os.sysconf("SC_CLK_TCK"),
            rss_mb=int(peak.split()[1]) * KIBIBYTE / 1e6,
        )

    def stop(self) -> None:
        """Have the worker hang up, unregister and end; kill it when it doesn't."""
        if self._process.pid is None:
            return
        self._process.terminate()
        self._process.join(STOP_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._reader.join(STOP_SECONDS)
        self._pipe.close()

    def _read(self) -> None:
        try:
            while True:
                self._take(self._pipe.recv())
        except (EOFError, OSError):
            self._is_gone.set()
            self._is_ready.set()

    def _take(self, message: object) -> None:
        match message:
            case Ready():
                self._is_ready.set()
            case Beat():
                pass
            case CallStarted() | Heard() | Said() | Did() | TurnMeasured() | CallEnded():
                self._on_report(message)

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return f"{lines[-1]} ({self._log})" if lines else f"nothing in {self._log}"


def _be_agent(account: Account, parent: Connection, log: Path) -> None:
    """What runs in the worker's process. Its output, that of C libraries too, goes to `log`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who then ends us
    with log.open("ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from softagent.log import setup_logging
    from softagent.worker import run_worker

    setup_logging("INFO", account=account.name)
    raise SystemExit(run_worker(account, parent=parent, report_words=True))
