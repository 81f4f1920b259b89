"""The rules that a field of a settings dataclass may have in its `Annotated`, and the types that need them.

Below `softagent.config`, so that a group of settings can be a module of its own.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated


@dataclass(frozen=True, slots=True)
class Between:
    """Rule for a number: at least `low`, at most `high`."""

    low: float
    high: float

    def expectation(self, value: float) -> str:
        """What was expected instead of `value`; empty when it is right."""
        return "" if self.low <= value <= self.high else f"expected {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Matching:
    """Rule for a text: all of it matches the regular expression `pattern`, in words `expected`."""

    pattern: str
    expected: str

    def expectation(self, value: str) -> str:
        """What was expected instead of `value`; empty when it is right."""
        return "" if re.fullmatch(self.pattern, value) else f"expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Readable:
    """Rule for a text: `parse` makes something of it, or raises ValueError saying what was expected."""

    parse: Callable[[str], object]

    def expectation(self, value: str) -> str:
        """What was expected instead of `value`; empty when it is right."""
        try:
            self.parse(value)
        except ValueError as error:
            return str(error)
        return ""


@dataclass(frozen=True, slots=True)
class AlsoAsFile:
    """Rule for a text: NAME_file may give the path of a file that holds it, or a list of such paths."""


@dataclass(frozen=True, slots=True)
class ModelOrPath:
    """Rule for a text: with a "/" in it, it is a path, relative to the accounts file's folder."""


@dataclass(frozen=True, slots=True)
class ProgramFirst:
    """Rule for a list of texts: the first is a program; with a "/" in it, a path as for `ModelOrPath`."""


@dataclass(frozen=True, slots=True)
class OneEach:
    """Rule for a list of tables: they are written one by one, as [[account.NAME]], and not as a list."""

    name: str


@dataclass(frozen=True, slots=True)
class AddressOrNetwork:
    """Rule for a text: an IP address, or a network in CIDR notation."""

    def expectation(self, value: str) -> str:
        """What was expected instead of `value`; empty when it is right."""
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            return 'expected IP addresses or networks, e.g. "192.168.1.10" or "192.168.1.0/24"'
        return ""


@dataclass(frozen=True, slots=True)
class Secret:
    """A password that never shows in a log, a repr or an error message."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "********"


Threads = Annotated[int, Between(1, 64)]
ModelRef = Annotated[str, ModelOrPath()]
Text = Annotated[str, AlsoAsFile()]
NAME = Matching(r"[A-Za-z0-9_-]+", "letters, digits, - and _ only")
Name = Annotated[str, NAME]
