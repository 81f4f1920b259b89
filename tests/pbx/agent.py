"""A real `softagent` process, followed by its log."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from asterisk import wait_for

START_SECONDS = 90.0
"""Loading the engines and registering, on a busy machine."""
STOP_SECONDS = 20.0


class Agent:
    """`softagent ARGUMENTS`, from its start to SIGTERM. Its log goes to a file and is kept here."""

    def __init__(self, *arguments: str, log: Path) -> None:
        self.log = log
        self._lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "softagent", *arguments, "--log-level", "DEBUG"],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._reader = threading.Thread(target=self._read, name="agent-log")
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def kill(self) -> None:
        """End the process the hard way."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Stop with SIGTERM and return the exit code."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        finally:
            self._process.kill()
            self._reader.join()

    def mark(self) -> int:
        """A position in the log: now."""
        return len(self._lines)

    def find(self, pattern: str, *, since: int = 0) -> list[str]:
        """What `pattern`, or its first group, matches in the log, line by line."""
        found = (re.search(pattern, line) for line in self._lines[since:])
        return [match[min(1, len(match.groups()))] for match in found if match]

    def wait_for(self, pattern: str, *, since: int = 0, seconds: float = 20.0) -> str:
        """What `pattern`, or its first group, matches in the first such line after `since`."""
        wait_for(
            lambda: bool(self.find(pattern, since=since)) or self._process.poll() is not None,
            f"{pattern!r} in {self.log}",
            seconds=seconds,
        )
        found = self.find(pattern, since=since)
        assert found, f"softagent has ended before {pattern!r}: see {self.log}"
        return found[0]

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self.log.open("w", encoding="utf-8") as file, self._process.stderr as lines:
            for line in lines:
                self._lines.append(line)
                file.write(line)
                file.flush()
