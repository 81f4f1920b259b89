"""Folders, commands and webhooks that get messages: real ones."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from messages_fakes import message

from softagent.message_settings import MessageSettings
from softagent.messages.message import CallerMessage
from softagent.messages.postman import DeliveryFailed
from softagent.messages.ways import post_message, put_into, run_command, ways_of
from softagent.rules import Secret

NO_TOKEN = Secret("")


def test_each_way_that_is_set_and_each_receiver_is_one_of_its_own(tmp_path: Path) -> None:
    settings = MessageSettings(
        folder=tmp_path,
        command=("true",),
        webhook="http://127.0.0.1:9/",
        email_to=("ann@office.example", "ben@office.example"),
    )
    assert list(ways_of(settings)) == [
        "folder",
        "command",
        "webhook",
        "email:ann@office.example",
        "email:ben@office.example",
    ]
    assert not ways_of(MessageSettings(directory=tmp_path))


# Folder ----------------------------------------------------------------------


def test_a_folder_gets_text_json_and_recording(tmp_path: Path) -> None:
    recording, folder = tmp_path / "call.wav", tmp_path / "shared"
    recording.write_bytes(b"RIFF")
    folder.mkdir()
    put_into(folder, message(recording=str(recording)))
    assert sorted(file.name for file in folder.iterdir()) == ["m-1.json", "m-1.txt", "m-1.wav"]
    values = json.loads((folder / "m-1.json").read_text())
    assert values == {**message().as_json(), "recording": "m-1.wav"}
    assert (folder / "m-1.wav").read_bytes() == b"RIFF"
    text = (folder / "m-1.txt").read_text()
    assert "Reason:      a lost key\n" in text
    assert "Recording:   m-1.wav\n" in text


def test_the_same_again_is_the_same_files(tmp_path: Path) -> None:
    for _ in range(2):
        put_into(tmp_path, message())
    assert sorted(file.name for file in tmp_path.iterdir()) == ["m-1.json", "m-1.txt"]


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """It may be the disk that isn't mounted, and nobody looks under it."""
    with pytest.raises(DeliveryFailed, match="there is no such folder now"):
        put_into(tmp_path / "nas", message())
    assert not (tmp_path / "nas").exists()


def test_a_folder_whose_files_can_not_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "m-1.txt").mkdir()
    with pytest.raises(DeliveryFailed, match="Is a directory"):
        put_into(tmp_path, message())
    assert not (tmp_path / "m-1.json").exists(), "it would say that all is there"


# Command ---------------------------------------------------------------------


def script(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "deliver.py"
    path.write_text(text)
    return (sys.executable, str(path), str(folder))


def test_a_command_gets_json_to_read(tmp_path: Path) -> None:
    copy = "import sys, os; open(sys.argv[1] + '/' + os.environ['SOFTAGENT_MESSAGE'], 'w').write(sys.stdin.read())"
    run_command(script(tmp_path, copy), message())
    assert json.loads((tmp_path / "m-1").read_text()) == message().as_json()


def test_a_long_one_comes_whole(tmp_path: Path) -> None:
    """Longer than a pipe holds."""
    copy = "import sys; open(sys.argv[1] + '/got', 'w').write(sys.stdin.read())"
    long = message(reason="a lost key " * 100_000)
    run_command(script(tmp_path, copy), long)
    assert json.loads((tmp_path / "got").read_text())["reason"] == long.reason


def test_nothing_that_the_caller_said_is_looked_at_by_a_shell(tmp_path: Path) -> None:
    run_command(("sh", "-c", "cat > /dev/null"), message(reason=f"$(touch {tmp_path}/x); `id`"))
    assert not list(tmp_path.iterdir())


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(DeliveryFailed, match=r"^sh: status 3: no ticket today$"):
        run_command(("sh", "-c", "echo first >&2; echo no ticket today >&2; exit 3"), message())
    with pytest.raises(DeliveryFailed, match=r"^sh: status -9$"):
        run_command(("sh", "-c", "kill -9 $$"), message())
    with pytest.raises(DeliveryFailed, match="can't be started"):
        run_command(("/no/such/program",), message())


def test_a_command_that_reads_nothing_has_had_its_chance() -> None:
    run_command(("true",), message(reason="a lost key " * 100_000))


def test_a_command_that_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    hang = f"sleep 1000 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; wait"
    with pytest.raises(DeliveryFailed, match="killed after 2 s"):
        run_command(("sh", "-c", hang), message(), timeout_seconds=2)
    deadline = time.monotonic() + 10  # a signal that is sent is not yet an end
    while any(map(is_alive, pids.read_text().split())):
        assert time.monotonic() < deadline, "something it started lives on"
        time.sleep(0.01)


def is_alive(pid: str) -> bool:
    """Whether a process is there that is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


# Webhook ---------------------------------------------------------------------


class Hook:
    """A web server that keeps what it is sent, and answers with the statuses that it is told."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.bodies: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                hook.bodies.append(json.loads(content))
                hook.headers.append(dict(self.headers))
                self.send_response(hook.statuses.pop(0) if hook.statuses else 204)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/message"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    running = Hook()
    yield running
    running.close()


def test_a_webhook_gets_json_with_the_token(hook: Hook) -> None:
    post_message(hook.url, Secret("hunter2"), message())
    assert hook.bodies == [message().as_json()]
    assert hook.headers[0]["Authorization"] == "Bearer hunter2"
    assert hook.headers[0]["Softagent-Message"] == "m-1"


@pytest.mark.parametrize("status", [302, 404, 500, 503])
def test_any_answer_but_2xx_is_a_failure(hook: Hook, status: int) -> None:
    hook.statuses = [status]
    with pytest.raises(DeliveryFailed, match=f"the webhook answers: {status}"):
        post_message(hook.url, NO_TOKEN, message())
    post_message(hook.url, NO_TOKEN, message())
    assert len(hook.bodies) == 2


def test_nobody_there_is_a_failure() -> None:
    with socket.socket() as endpoint:
        endpoint.bind(("127.0.0.1", 0))  # bound, and nobody listens
        url = f"http://127.0.0.1:{endpoint.getsockname()[1]}/"
        with pytest.raises(DeliveryFailed, match="refused"):
            post_message(url, NO_TOKEN, message())


def test_ways_are_bound_to_their_settings(hook: Hook, tmp_path: Path) -> None:
    settings = MessageSettings(
        folder=tmp_path, command=("sh", "-c", f"cat > {tmp_path}/got"), webhook=hook.url
    )
    left: CallerMessage = message()
    for deliver in ways_of(settings).values():
        deliver(left)
    assert sorted(os.listdir(tmp_path)) == ["got", "m-1.json", "m-1.txt"]
    assert len(hook.bodies) == 1
