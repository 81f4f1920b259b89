"""The folder of one account's messages: a JSON file each, and beside it the WAV of the call.

Files appear whole or not at all, and are on the disk before a function returns: written
under another name, synced, renamed, and the folder synced (rename(2), fsync(2)). Nothing
is ever removed but leftovers of writes that were cut short.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import secrets
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from softagent.message_settings import MessageSettings
from softagent.messages.message import Entry

log = logging.getLogger(__name__)

PRIVATE = 0o600
LOCK_NAME = ".lock"
AGAIN_SUFFIX = ".again"
"""Of an empty file that asks for a message to be delivered now."""
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


class Outbox:
    """One account's. Any thread may call anything; one message is changed by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._told: set[str] = set()
        """Unreadable files that the log has been told of."""

    def store(self, entry: Entry) -> None:
        """Have `entry` on the disk; raises OSError, and then all is as it was."""
        self._make_folder()
        write_whole(self._path(entry.message.id), entry.serialize(), mode=PRIVATE)

    def load(self, message: str) -> Entry:
        """The entry with this id; raises OSError or ValueError."""
        if not _ID.fullmatch(message):
            raise ValueError(f"{message!r} is no id of a message")
        return Entry.parse(self._path(message).read_bytes())

    def entries(self, *, but: Collection[str] = ()) -> list[Entry]:
        """All of them `but` some, oldest first. The log names files that can't be read, once each."""
        found = []
        for path in sorted(self._files(".json")):
            if path.stem in but:
                continue
            try:
                found.append(self.load(path.stem))
            except (OSError, ValueError) as error:
                if path.name not in self._told:
                    self._told.add(path.name)
                    log.error("event=message-unreadable file=%s error=%r", path, str(error))
        return found

    def attach(self, message: str, recording: Path) -> Path:
        """Keep the recording with the message, whatever becomes of where it was; raises OSError."""
        self._make_folder()
        path = self.folder / f"{message}.wav"
        copy_whole(recording, path, mode=PRIVATE)
        return path

    def ask_again(self, message: str) -> None:
        """Have whoever delivers try this one now; raises OSError."""
        (self.folder / f"{message}{AGAIN_SUFFIX}").touch(mode=PRIVATE)

    def asked_again(self) -> list[str]:
        """Ids that were asked for since the last time."""
        asked = []
        for path in self._files(AGAIN_SUFFIX):
            with contextlib.suppress(OSError):
                path.unlink()
            asked.append(path.name.removesuffix(AGAIN_SUFFIX))
        return asked

    @contextlib.contextmanager
    def lock(self) -> Iterator[bool]:
        """Whether nobody else delivers these messages, and until the end of the block nobody will.

        The kernel lets go of it when the process ends, however it ends.
        """
        with contextlib.ExitStack() as opened:
            try:
                self._make_folder()
                file = opened.enter_context((self.folder / LOCK_NAME).open("ab"))
                _give_to_owner(file, self.folder)
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
                return
            yield True

    def remove_leftovers(self, older_than: float) -> None:
        """Remove what was being written when a process was killed, before `older_than` (since 1970)."""
        for path in self._files(".part"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < older_than:
                    path.unlink()

    def _path(self, message: str) -> Path:
        return self.folder / f"{message}.json"

    def _files(self, suffix: str) -> list[Path]:
        try:
            return [path for path in self.folder.iterdir() if path.name.endswith(suffix)]
        except OSError:  # not there yet, or a disk that is gone
            return []

    def _make_folder(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(self.folder.parent)


def outbox_of(account: str, settings: MessageSettings) -> Outbox:
    """Where the messages of `account` are kept."""
    return Outbox((settings.directory or usual_directory()) / account)


def usual_directory() -> Path:
    """Where messages are kept unless the accounts file says it: never in /run, which a restart empties."""
    if chosen := os.environ.get("SOFTAGENT_STATE"):
        return Path(chosen) / "messages"
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(state) / "softagent" / "messages"


def write_whole(path: Path, content: bytes, *, mode: int) -> None:
    """Have `content` on the disk as `path`; raises OSError, and then `path` is as it was."""
    with _replacing(path, mode) as file:
        file.write(content)


def copy_whole(source: Path, path: Path, *, mode: int) -> None:
    """Have the content of `source` on the disk as `path`, in the same way."""
    with source.open("rb") as original, _replacing(path, mode) as file:
        shutil.copyfileobj(original, file)


@contextlib.contextmanager
def _replacing(path: Path, mode: int) -> Iterator[BinaryIO]:
    """A file that becomes `path` when all of it is on the disk."""
    part = path.with_name(f".{path.name}-{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            _give_to_owner(file, path.parent)
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    _sync_folder(path.parent)


def _give_to_owner(file: BinaryIO, folder: Path) -> None:
    """What root writes by hand (softagent messages retry), the worker has to be able to read."""
    if os.geteuid() == 0:
        owner = folder.stat()
        with contextlib.suppress(OSError):  # a shared disk may not know of owners
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
