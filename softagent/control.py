"""The supervisor's door for this machine's users: one UNIX socket, one question and one answer a connection.

    softagent status --{"ask": "status"}--> ControlSocket --> answer(question) --> JSON, one line

The folder that it is in belongs to one supervisor: a lock file says whose it is, and is let
go of by the kernel when that process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from softagent.errors import AlreadyRunning, ConfigError, NotRunning

log = logging.getLogger(__name__)

SOCKET_NAME = "softagent.sock"
LOCK_NAME = "softagent.lock"
MOST_VISITORS = 8
LARGEST_QUESTION_BYTES = 4096
ANSWER_SECONDS = 5.0

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def state_places() -> list[Path]:
    """Where a supervisor's folder may be, the most particular first."""
    if chosen := os.environ.get("SOFTAGENT_STATE"):
        return [Path(chosen)]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return [
        *([Path(runtime) / "softagent"] if runtime else []),
        Path("/run/softagent"),
        Path(os.path.expanduser("~/.local/state/softagent")),
    ]


def state_folder() -> Path:
    """The folder for a new supervisor: the first that can be written to. Raises ConfigError."""
    places = state_places()
    for place in places:
        with contextlib.suppress(OSError):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.access(place, os.W_OK | os.X_OK):
                return place
    tried = ", ".join(map(str, places))
    raise ConfigError([f"no folder for the running state can be made (tried {tried}): "
                       "set SOFTAGENT_STATE to one that can"])  # fmt: skip


class ControlSocket:
    """The door. Its owner waits for `sources` and calls `serve`, which never waits. One thread."""

    def __init__(self, folder: Path, answer: Answer) -> None:
        """Take the folder. Raises AlreadyRunning when another supervisor has it."""
        self.path = folder / SOCKET_NAME
        self._answer = answer
        self._lock = _locked(folder / LOCK_NAME)
        self._visitors: dict[socket.socket, bytearray] = {}
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._door.setblocking(False)
        try:
            self.path.unlink(missing_ok=True)  # of a supervisor that has died
            mask = os.umask(0o177)
            try:
                self._door.bind(str(self.path))
            finally:
                os.umask(mask)
            self._door.listen(MOST_VISITORS)
        except OSError as error:
            self.close()
            raise ConfigError(
                [f"{self.path}: can't be made: {error.strerror or error}: set SOFTAGENT_STATE"]
            ) from None

    def __enter__(self) -> ControlSocket:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def sources(self) -> Iterator[socket.socket]:
        """What tells that somebody asks."""
        yield self._door
        yield from self._visitors

    def serve(self) -> None:
        """Let in who waits, and answer who has asked."""
        with contextlib.suppress(BlockingIOError):
            while True:
                visitor, _ = self._door.accept()
                visitor.setblocking(False)
                self._visitors[visitor] = bytearray()
                if len(self._visitors) > MOST_VISITORS:  # who is silent for longest makes room
                    self._show_out(next(iter(self._visitors)))
        for visitor in list(self._visitors):
            with contextlib.suppress(BlockingIOError):
                self._listen(visitor)

    def close(self) -> None:
        """Leave the folder to the next supervisor."""
        for visitor in list(self._visitors):
            self._show_out(visitor)
        self._door.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
        self._lock.close()

    def _listen(self, visitor: socket.socket) -> None:
        try:
            data = visitor.recv(LARGEST_QUESTION_BYTES)
        except BlockingIOError:
            raise
        except OSError:
            data = b""
        question = self._visitors[visitor]
        question += data
        if b"\n" in question:
            with contextlib.suppress(OSError):  # gone, or it takes nothing: its loss
                visitor.sendall(self._reply(bytes(question)))
        elif data and len(question) < LARGEST_QUESTION_BYTES:
            return
        self._show_out(visitor)

    def _reply(self, line: bytes) -> bytes:
        try:
            question = json.loads(line)
            answer = self._answer(question if isinstance(question, dict) else {})
        except ValueError:
            answer = {"error": "not JSON"}
        except Exception as error:  # a question may not end the supervisor
            log.exception("event=answer-failed")
            answer = {"error": repr(error)}
        return json.dumps(answer).encode() + b"\n"

    def _show_out(self, visitor: socket.socket) -> None:
        del self._visitors[visitor]
        visitor.close()


def _locked(path: Path) -> Any:
    """The lock file, open and held. Raises AlreadyRunning when another process holds it."""
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        whose = file.read().strip()
        file.close()
        raise AlreadyRunning(
            f"softagent runs already, as process {whose or '?'} with its state in {path.parent}:"
            " stop that one, or set SOFTAGENT_STATE to another folder"
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def ask(question: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the running supervisor. Raises NotRunning when there is none to be found."""
    places = [place / SOCKET_NAME for place in state_places()]
    for place in places:
        try:
            return _ask_at(place, question)
        except PermissionError:
            raise NotRunning(
                f"{place}: belongs to another user: ask as that one, or root"
            ) from None
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            raise NotRunning(f"{place}: no answer: {error}") from None
    tried = ", ".join(map(str, places))
    raise NotRunning(
        f"softagent doesn't run here (looked for {tried}): start it with `softagent run`,"
        " or say with SOFTAGENT_STATE where its state is"
    )


def _ask_at(path: Path, question: Mapping[str, Any]) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.settimeout(ANSWER_SECONDS)
        channel.connect(str(path))
        channel.sendall(json.dumps(question).encode() + b"\n")
        received = bytearray()
        while data := channel.recv(65536):
            received += data
    answer = json.loads(received)
    if not isinstance(answer, dict):
        raise ValueError("not an object")
    return answer
