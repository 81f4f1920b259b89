"""The ways of delivering a message that an account has: folder, command, webhook, e-mail."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from softagent.deeds.webhook import post_webhook
from softagent.dialogue.deeds import DeedResult
from softagent.message_settings import MessageSettings
from softagent.messages.mail import send_mail
from softagent.messages.message import CallerMessage
from softagent.messages.outbox import copy_whole, write_whole
from softagent.messages.postman import Deliver, DeliveryFailed
from softagent.messages.wording import as_line, as_text
from softagent.rules import Secret

COMMAND_SECONDS = 60.0
WEBHOOK_SECONDS = 30.0
MOST_COMPLAINT_BYTES = 4096
"""What is looked at of what a program says on its standard error."""
SHARED = 0o666
"""Less what the umask takes: whoever may read the folder is the office's affair."""


def ways_of(settings: MessageSettings) -> dict[str, Deliver]:
    """Each way by its name, in the order in which they are tried."""
    ways: dict[str, Deliver] = {}
    if settings.folder is not None:
        ways["folder"] = partial(put_into, settings.folder)
    if settings.command:
        ways["command"] = partial(run_command, settings.command)
    if settings.webhook:
        ways["webhook"] = partial(post_message, settings.webhook, settings.webhook_token)
    for receiver in settings.email_to:
        ways[f"email:{receiver}"] = partial(send_mail, receiver, settings=settings)
    return ways


def put_into(folder: Path, message: CallerMessage) -> None:
    """Text, WAV and, last, JSON in `folder`, each whole; again makes no more of them.

    The folder is not made: where a shared disk isn't mounted, nobody would look into it.
    """
    if not folder.is_dir():
        raise DeliveryFailed(f"{folder}: there is no such folder now")
    try:
        sound = ""
        if message.recording and Path(message.recording).exists():
            sound = f"{message.id}.wav"
            copy_whole(Path(message.recording), folder / sound, mode=SHARED)
        text = as_text(message, recording=sound)
        write_whole(folder / f"{message.id}.txt", text.encode(), mode=SHARED)
        values = replace(message, recording=sound).as_json()
        content = json.dumps(values, indent=2, ensure_ascii=False).encode("utf-8", "replace")
        write_whole(folder / f"{message.id}.json", content + b"\n", mode=SHARED)
    except OSError as error:
        raise DeliveryFailed(f"{folder}: {error.strerror or error}") from None


def run_command(
    command: Sequence[str], message: CallerMessage, *, timeout_seconds: float = COMMAND_SECONDS
) -> None:
    """Run the program with the message's JSON to read; status 0 is delivered.

    It is started directly, never by a shell, in a process group of its own, which is killed
    when the time is up. Nothing that the caller said is in its arguments or environment.
    """
    with tempfile.TemporaryFile() as complaints:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                env={**os.environ, "SOFTAGENT_MESSAGE": message.id},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise DeliveryFailed(f"{command[0]}: can't be started: {error}") from None
        _converse(process, command[0], message, timeout_seconds)
        if process.returncode:
            complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - MOST_COMPLAINT_BYTES))
            last = complaints.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
            why = (
                f"status {process.returncode}: {as_line(last)}"
                if last
                else f"status {process.returncode}"
            )
            raise DeliveryFailed(f"{command[0]}: {why}")


def _converse(
    process: subprocess.Popen[bytes], name: str, message: CallerMessage, timeout_seconds: float
) -> None:
    with process:
        try:
            process.communicate(json.dumps(message.as_json()).encode() + b"\n", timeout_seconds)
        except subprocess.TimeoutExpired:
            raise DeliveryFailed(f"{name}: killed after {timeout_seconds:g} s") from None
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def post_message(
    url: str, token: Secret, message: CallerMessage, *, timeout_seconds: float = WEBHOOK_SECONDS
) -> None:
    """POST the message's JSON; any 2xx is delivered."""
    outcome = post_webhook(
        url,
        message.as_json(),
        about={"account": message.account, "message": message.id},
        token=token,
        timeout_seconds=timeout_seconds,
    )
    if outcome.result is not DeedResult.DONE:
        raise DeliveryFailed(f"the webhook answers: {as_line(outcome.detail)}")
