"""One option of accounts.toml: a field of a settings dataclass, and how its value is read.

The field's type says what is allowed (`Literal`, `tuple`, `Path`), the rules in its
`Annotated` say the rest (see `softagent.rules`). A field of type `Secret` also takes
NAME_env and NAME_file, a text with `AlsoAsFile` NAME_file: the path of one file or a list.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from softagent.config import PortRange
from softagent.rules import (
    AlsoAsFile,
    Between,
    Matching,
    ModelOrPath,
    OneEach,
    ProgramFirst,
    Readable,
    Secret,
)


class Unfit(Exception):
    """A value is not what its field takes; the message says what was expected, and never repeats the value."""


@dataclass(frozen=True, slots=True)
class Option:
    """One field of a settings dataclass."""

    name: str
    type: Any
    rules: tuple[object, ...]
    default: Any
    """`dataclasses.MISSING` where the file must say it."""

    @property
    def is_table(self) -> bool:
        return dataclasses.is_dataclass(self.type) and self.type not in (Secret, PortRange)

    @property
    def item(self) -> type | None:
        """The settings dataclass of each of its tables, where it is a list of tables."""
        item = get_args(self.type)[0] if get_origin(self.type) is tuple else None
        return item if dataclasses.is_dataclass(item) and isinstance(item, type) else None

    @property
    def is_one_each(self) -> bool:
        """Whether its tables are written one by one."""
        return any(isinstance(rule, OneEach) for rule in self.rules)

    @property
    def is_required(self) -> bool:
        return self.default is dataclasses.MISSING

    @property
    def spellings(self) -> tuple[str, ...]:
        """The keys that may set it."""
        for rule in self.rules:
            if isinstance(rule, OneEach):
                return (rule.name,)
        if self.type is Secret:
            return (self.name, f"{self.name}_env", f"{self.name}_file")
        if AlsoAsFile() in self.rules:
            return (self.name, f"{self.name}_file")
        return (self.name,)

    def read(self, spelling: str, value: object, folder: Path) -> Any:
        """What `value`, set by the key `spelling`, means; raises Unfit. Paths start at `folder`."""
        if spelling == f"{self.name}_env":
            value = _from_environment(value)
        elif spelling == f"{self.name}_file":
            is_list = isinstance(value, list) and AlsoAsFile() in self.rules
            value = _from_files(value, folder) if is_list else _from_file(value, folder)
        if value == "" and self.default == "":
            return ""
        converted = _as_type(self.type, value, folder)
        for rule in self.rules:
            match rule:
                case Between() | Matching() | Readable():
                    if expected := rule.expectation(converted):
                        raise Unfit(expected)
                case ModelOrPath() if "/" in converted:
                    converted = str(file_path(converted, folder))
                case ProgramFirst() if converted and "/" in converted[0]:
                    converted = (str(file_path(converted[0], folder)), *converted[1:])
        return float(converted) if self.type is float else converted


@cache
def options_of(schema: type) -> tuple[Option, ...]:
    """The options of a settings dataclass, in its order."""
    hints = get_type_hints(schema, include_extras=True)
    options = []
    for field in dataclasses.fields(schema):
        hint = hints[field.name]
        rules = hint.__metadata__ if get_origin(hint) is Annotated else ()
        kind = hint.__origin__ if rules else hint
        options.append(Option(field.name, kind, rules, field.default))
    return tuple(options)


@cache
def keys_of(schema: type) -> frozenset[str]:
    """Every key that may stand in the table of `schema`."""
    return frozenset(key for option in options_of(schema) for key in option.spellings)


def _from_environment(value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value or "=" in value:
        raise Unfit("expected the name of an environment variable, in quotes")
    try:
        return os.environ[value]
    except KeyError:
        raise Unfit("the environment variable is not set") from None


def _from_file(value: object, folder: Path) -> str:
    path = file_path(value, folder)
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise Unfit(f"the file can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Unfit("the file is not UTF-8 text") from None


def _from_files(value: object, folder: Path) -> str:
    """The texts of several files, one after the other."""
    if not isinstance(value, list) or not value:
        raise Unfit('expected a path, or a list of them, e.g. ["prices.md", "handbook.md"]')
    texts = []
    for number, path in enumerate(value, start=1):
        try:
            texts.append(_from_file(path, folder))
        except Unfit as unfit:
            raise Unfit(f"file {number}: {unfit}") from None
    return "\n\n".join(texts)


def file_path(value: object, folder: Path) -> Path:
    """The path that an option gives, from `folder` on; raises Unfit."""
    text = _text(value)
    if not text or "\0" in text:
        raise Unfit("expected a path")
    return folder / os.path.expanduser(text)  # Path.expanduser raises where there is no home


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Unfit("expected a text in quotes")
    return value


def _as_type(kind: Any, value: object, folder: Path) -> Any:
    """`value` as `kind`, one of the types that fields of settings have; raises Unfit."""
    if get_origin(kind) is Literal:
        return _choice(get_args(kind), value)
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        return (_texts if get_origin(item) is Annotated else _choices)(item, value)
    if kind == Path | None:
        return file_path(value, folder)
    if kind is Secret:
        return Secret(_password(value))
    if kind is PortRange:
        try:
            return PortRange.parse(_text(value))
        except ValueError as error:
            raise Unfit(str(error)) from None
    if kind is bool:
        if not isinstance(value, bool):
            raise Unfit("expected true or false")
        return value
    if kind is int or kind is float:
        return _number(kind, value)
    if not _text(value).strip():
        raise Unfit("expected a text that is not empty")
    return value


def _number(kind: type, value: object) -> int | float:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind is float and isinstance(value, float):
        return value
    raise Unfit("expected a whole number" if kind is int else "expected a number")


def _password(value: object) -> str:
    text = _text(value)
    if not text:
        raise Unfit("expected a text that is not empty")
    if any(not character.isprintable() for character in text):
        raise Unfit("expected one line without control characters")
    return text


def _choice(allowed: Sequence[str], value: object) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    names = " or ".join(json.dumps(name) for name in allowed)
    raise Unfit(f"expected {names}")


def _choices(kind: Any, value: object) -> tuple[str, ...]:
    allowed = get_args(kind)
    if not isinstance(value, list) or not value:
        raise Unfit(f"expected a list, e.g. {json.dumps(list(allowed))}")
    chosen = tuple(_choice(allowed, item) for item in value)
    if len(set(chosen)) != len(chosen):
        raise Unfit("expected each only once")
    return chosen


def _texts(kind: Any, value: object) -> tuple[str, ...]:
    """A list of texts that keep the rules of `kind`; it may be empty."""
    if not isinstance(value, list):
        raise Unfit('expected a list, e.g. ["...", "..."]')
    texts = tuple(_text(item) for item in value)
    for rule in kind.__metadata__:
        for expected in filter(None, map(rule.expectation, texts)):
            raise Unfit(expected)
    return texts


def shown(value: object) -> str:
    """A TOML value for a message: on one line, not too long."""
    match value:
        case str():
            short = value if len(value) <= 60 else value[:57] + "..."
            return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in f'"{short}"')
        case bool():
            return "true" if value else "false"
        case int() if abs(value) >= 10**18:
            return "(a huge number)"
        case int() | float():
            return str(value)
        case list():
            return "(a list)"
        case dict():
            return "(a table)"
        case _:
            return "(a date or time)"
