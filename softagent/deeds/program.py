"""An action that is a program: values in on standard input and in the environment, a sentence out.

The program is started directly, never by a shell, in a process group of its own, which is
killed when the time is up.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

from softagent.deeds.answer import MOST_BYTES, said_lines, speakable
from softagent.dialogue.deeds import DeedOutcome, DeedResult

CHUNK_BYTES = 64 * 1024
LEAVE_SECONDS = 0.5
"""What a program whose time is up has to clean up after itself, between SIGTERM and SIGKILL."""


def run_program(
    command: Sequence[str],
    values: Mapping[str, str],
    *,
    about: Mapping[str, str],
    timeout_seconds: float,
) -> DeedOutcome:
    """Run `command` with `values`, and wait for its end; `about` is in its environment only.

    Status 0 is done, any other refused, both with the text that it wrote.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **variables({**about, **values})},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return DeedOutcome(DeedResult.FAILED, f"{command[0]}: can't be started: {error}")
    with process:
        try:
            output = _converse(process, values, time.monotonic() + timeout_seconds)
        finally:
            if process.poll() is None:
                kill_group(process)
    if output is None:
        return DeedOutcome(
            DeedResult.TIMED_OUT, f"{command[0]}: killed after {timeout_seconds:g} s"
        )
    return _judge(process.returncode, *output)


def variables(values: Mapping[str, str]) -> dict[str, str]:
    """The values as variables of the environment."""
    return {f"SOFTAGENT_{name.upper()}": value.replace("\0", "") for name, value in values.items()}


def _judge(status: int, written: bytes, complaints: bytes) -> DeedOutcome:
    if status < 0:
        return DeedOutcome(DeedResult.FAILED, f"ended by {signal.Signals(-status).name}")
    said = said_lines(written)
    if status == 0:
        return DeedOutcome(DeedResult.DONE, text=said)
    lines = complaints.decode("utf-8", "replace").split("\n")
    last = next((speakable(line) for line in reversed(lines) if line.strip()), "")
    detail = f"status {status}: {last}" if last else f"status {status}"
    return DeedOutcome(DeedResult.REFUSED, detail, said)


def _converse(
    process: subprocess.Popen[bytes], values: Mapping[str, str], deadline: float
) -> tuple[bytes, bytes] | None:
    """What the program writes until its end, on both its outputs; None when the time is up.

    Its end counts, and not that of its outputs, which what it leaves behind may hold open.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with contextlib.suppress(OSError):  # it needn't read them
        os.set_blocking(process.stdin.fileno(), False)
        os.write(process.stdin.fileno(), json.dumps(dict(values)).encode() + b"\n")
        process.stdin.close()
    written, complaints = bytearray(), bytearray()
    ended = os.pidfd_open(process.pid)
    with selectors.DefaultSelector() as selector:
        selector.register(ended, selectors.EVENT_READ)
        for output, content in ((process.stdout, written), (process.stderr, complaints)):
            os.set_blocking(output.fileno(), False)
            selector.register(output, selectors.EVENT_READ, content)
        try:
            while process.poll() is None:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if time.monotonic() >= deadline and process.poll() is None:
                    return None
                for key, _ in ready:
                    if key.data is not None and not _read(key.fd, key.data):
                        selector.unregister(key.fd)
        finally:
            os.close(ended)
    for output, content in ((process.stdout, written), (process.stderr, complaints)):
        while len(content) < MOST_BYTES and _read(output.fileno(), content):
            pass
    return bytes(written), bytes(complaints)


def _read(output: int, content: bytearray) -> bool:
    """Take what is there, as far as there is room for it; False at the end, or when nothing is there."""
    try:
        chunk = os.read(output, CHUNK_BYTES)
    except BlockingIOError:
        return False
    content += chunk[: MOST_BYTES - len(content)]
    return bool(chunk)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the program and all that it has started, which is in its process group."""
    for number, seconds in ((signal.SIGTERM, LEAVE_SECONDS), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
