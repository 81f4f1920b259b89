"""What the tests' models come from: a publisher that serves them and packages that carry them."""

from __future__ import annotations

import contextlib
import hashlib
import re
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from softagent.models.catalogue import Catalogue, Model, ModelFile, Source


def catalogue_of(*files: ModelFile) -> Catalogue:
    """A catalogue of one model, "tiny", whose main file is the first of `files`."""
    return Catalogue((Model("tiny", "llama", "for tests", "MIT", files, main=files[0].name),))


def file_of(content: bytes, *sources: Source, name: str = "weights.bin") -> ModelFile:
    """A file that is right when it holds `content`."""
    return ModelFile(name, len(content), hashlib.sha256(content).hexdigest(), sources)


@dataclass
class Publisher:
    """Serves `files` by HTTP on loopback, with ranges, and remembers what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    knows_ranges: bool = True
    breaks_after: list[int] = field(default_factory=list)
    """Bytes of the body after which the next answers break off."""
    asked: list[tuple[str, int]] = field(default_factory=list)
    """(path, first byte) of every request."""
    base: str = ""

    def url(self, name: str) -> str:
        return f"{self.base}/{name}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        begin = int(re.fullmatch(r"bytes=(\d+)-", request.headers["Range"])[1])
        name = request.path.lstrip("/")
        self.asked.append((name, begin))
        if name not in self.files:
            request.send_error(404)
            return
        begin = begin if self.knows_ranges else 0
        body = self.files[name][begin:]
        request.send_response(206 if self.knows_ranges else 200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        with contextlib.suppress(ConnectionError):  # the client may have been interrupted
            request.wfile.write(body[: self.breaks_after.pop(0)] if self.breaks_after else body)


@dataclass
class PackageIndex:
    """A folder of wheels, which pip is told to use instead of any index."""

    directory: Path

    def add(self, name: str, members: dict[str, bytes]) -> Path:
        """Add version 1.0 of package `name` with those files."""
        module = name.replace("-", "_")
        info = f"{module}-1.0.dist-info"
        wheel = self.directory / f"{module}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in members.items():
                archive.writestr(path, content)
            archive.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
            )
            archive.writestr(
                f"{info}/WHEEL",
                "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            )
            archive.writestr(f"{info}/RECORD", "")
        return wheel
