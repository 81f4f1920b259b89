"""SIPp at work on one scenario: it fails when the telephone doesn't answer as the scenario expects."""

from __future__ import annotations

import itertools
import re
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from softagent.sip.transaction import Timing

SCENARIOS = Path(__file__).parent / "scenarios"
USER, PASSWORD = "1000", "secret1000"
"""The telephone's."""
QUICK = Timing(t1_seconds=0.1, t2_seconds=0.4, t4_seconds=0.5)
"""The RFC's timers, five times as fast, for the telephone."""
TIMEOUT_SECONDS = 30
MEDIA_PORTS = itertools.cycle(range(24600, 24800, 10))
"""SIPp binds one and some of the following."""


class Sipp:
    """One run of one scenario, from `with` to its end."""

    def __init__(
        self,
        scenario: str,
        folder: Path,
        *,
        local_port: int,
        remote: tuple[str, int] | None = None,
        service: str = USER,
        calls: int = 1,
    ) -> None:
        """`remote` gets its requests, unless it waits for some; `calls` are made one after the other."""
        self.messages = folder / f"{scenario}-messages.log"
        self._errors = folder / f"{scenario}-errors.log"
        self._scenario = scenario
        self._command = [
            *("sipp", *([f"{remote[0]}:{remote[1]}"] if remote else [])),
            *("-sf", str(SCENARIOS / f"{scenario}.xml")),
            *("-i", "127.0.0.1", "-p", str(local_port), "-mi", "127.0.0.1"),
            *("-mp", str(next(MEDIA_PORTS)), "-s", service),
            *("-m", str(calls), "-l", "1", "-r", "100", "-nostdin", "-nd"),
            *("-timeout", str(TIMEOUT_SECONDS), "-timeout_error"),
            *("-recv_timeout", "8000", "-deadcall_wait", "0", "-cid_str", "%u-%p@sipp"),
            *("-trace_err", "-error_file", str(self._errors)),
            *("-trace_msg", "-message_file", str(self.messages)),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *self._command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def finish(self) -> None:
        """Wait for the scenario's end; fail, with what SIPp says, unless all went as it is written."""
        assert self._process is not None
        code = self._process.wait(TIMEOUT_SECONDS + 10)
        errors = self._errors.read_text(errors="replace") if self._errors.exists() else ""
        assert code == 0, f"scenario {self._scenario}: exit code {code}\n{errors}{self._tail()}"

    def received(self, start: str) -> int:
        """How many messages have come in whose first line begins so, repetitions too."""
        text = self.messages.read_text(errors="replace")
        blocks = re.split(r"^-{10,}.*$", text, flags=re.MULTILINE)
        arrived = (block for block in blocks if "received" in block[:80])
        return sum(
            bool(re.search(rf"^{re.escape(start)}", block, re.MULTILINE)) for block in arrived
        )

    def _tail(self) -> str:
        return self.messages.read_text(errors="replace")[-3000:] if self.messages.exists() else ""


class Caller:
    """Runs scenarios against one telephone: `with sipp("busy") as caller: ...; caller.finish()`."""

    def __init__(self, phone: tuple[str, int], folder: Path) -> None:
        self.phone = phone
        self._folder = folder

    def __call__(
        self, scenario: str, *, remote: tuple[str, int] | None = None, calls: int = 1
    ) -> Sipp:
        """Requests go to `remote` if there is something between the two, else to the telephone."""
        return Sipp(
            scenario,
            self._folder,
            local_port=free_port(),
            remote=remote or self.phone,
            calls=calls,
        )

    def run(self, scenario: str) -> None:
        """Run a scenario in which nobody but the telephone itself has to do something."""
        with self(scenario) as caller:
            caller.finish()


def free_port() -> int:
    """A UDP port of loopback that nobody has at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
