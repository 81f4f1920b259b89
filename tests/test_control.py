"""The supervisor's door: one owner, short answers, no way to hold it up."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from softagent.control import (
    LARGEST_QUESTION_BYTES,
    MOST_VISITORS,
    SOCKET_NAME,
    ControlSocket,
    ask,
    state_folder,
    state_places,
)
from softagent.errors import AlreadyRunning, ConfigError, NotRunning


def echo(question: Mapping[str, Any]) -> Mapping[str, Any]:
    if question.get("ask") == "fail":
        raise RuntimeError("broken")
    return {"heard": dict(question)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOFTAGENT_STATE", str(tmp_path))
    return tmp_path


@pytest.fixture
def control(folder: Path) -> Iterator[ControlSocket]:
    with ControlSocket(folder, echo) as control:
        yield control


class Visitor:
    """A client whose question and answer are bytes."""

    def __init__(self, control: ControlSocket) -> None:
        self._control = control
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(control.path))
        self.socket.settimeout(3.0)

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)
        self._control.serve()

    def hear(self) -> bytes:
        """All until the door is closed."""
        return b"".join(iter(lambda: self.socket.recv(4096), b""))


def test_a_question_and_its_answer(control: ControlSocket) -> None:
    """`ask` finds the running supervisor by its folder."""
    serving = threading.Event()

    def serve() -> None:
        while not serving.wait(0.01):
            control.serve()

    thread = threading.Thread(target=serve)
    thread.start()
    assert ask({"ask": "status"}) == {"heard": {"ask": "status"}}
    serving.set()
    thread.join(3.0)


def test_a_question_in_pieces(control: ControlSocket) -> None:
    """The line end ends it; others are served meanwhile."""
    slow, quick = Visitor(control), Visitor(control)
    slow.say(b'{"ask"')
    quick.say(b"{}\n")
    assert json.loads(quick.hear()) == {"heard": {}}
    slow.say(b": 1}\n")
    assert json.loads(slow.hear()) == {"heard": {"ask": 1}}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (b"hello\n", {"error": "not JSON"}),
        (b"\xff\xfe\n", {"error": "not JSON"}),
        (b"[1]\n", {"heard": {}}),
        (b'{"ask": "fail"}\n', {"error": "RuntimeError('broken')"}),
    ],
)
def test_questions_that_make_no_sense(
    control: ControlSocket, question: bytes, answer: dict[str, object]
) -> None:
    """Get an answer all the same, and the door stays open for others."""
    visitor = Visitor(control)
    visitor.say(question)
    assert json.loads(visitor.hear()) == answer


def test_a_question_without_an_end(control: ControlSocket) -> None:
    """Is cut off."""
    visitor = Visitor(control)
    visitor.say(b"x" * LARGEST_QUESTION_BYTES)
    assert visitor.hear() == b""


def test_silent_visitors_make_room(control: ControlSocket) -> None:
    """Whoever has been silent for longest is shown out."""
    silent = [Visitor(control) for _ in range(MOST_VISITORS + 1)]
    control.serve()
    assert silent[0].hear() == b""
    silent[-1].say(b"{}\n")
    assert silent[-1].hear() != b""


def test_nobody_else_may_ask(control: ControlSocket) -> None:
    """The socket is its owner's."""
    assert stat.S_IMODE(control.path.stat().st_mode) == 0o600


def test_a_folder_has_one_supervisor(control: ControlSocket) -> None:
    """Another one is told who has it, and what to do."""
    with pytest.raises(AlreadyRunning, match=rf"as process {os.getpid()} .*set SOFTAGENT_STATE"):
        ControlSocket(control.path.parent, echo)
    visitor = Visitor(control)
    visitor.say(b"{}\n")
    assert visitor.hear() != b""


def test_a_dead_supervisors_socket_is_replaced(folder: Path) -> None:
    """However it ended: the kernel has let go of its lock."""
    script = (
        "import os, sys; from pathlib import Path; from softagent.control import ControlSocket\n"
        "control = ControlSocket(Path(sys.argv[1]), dict); os._exit(9)"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(folder)], check=False)
    assert ended.returncode == 9
    assert (folder / SOCKET_NAME).exists()
    with pytest.raises(NotRunning, match="softagent doesn't run here"):
        ask({})
    with ControlSocket(folder, echo) as control:
        visitor = Visitor(control)
        visitor.say(b"{}\n")
        assert visitor.hear() != b""
    assert not (folder / SOCKET_NAME).exists()


def test_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The user's runtime folder, the system's, the home folder; SOFTAGENT_STATE goes before all."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.delenv("SOFTAGENT_STATE", raising=False)
    assert state_places() == [
        tmp_path / "run" / "softagent",
        Path("/run/softagent"),
        tmp_path / ".local/state/softagent",
    ]
    assert state_folder() == tmp_path / "run" / "softagent"
    monkeypatch.setenv("SOFTAGENT_STATE", str(tmp_path / "mine"))
    assert state_places() == [tmp_path / "mine"]


def test_no_place_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What was tried is named."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SOFTAGENT_STATE", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match=rf"tried {tmp_path}/file"):
        state_folder()
