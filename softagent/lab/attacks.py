"""What callers say who want the agent to break its rules: attacks.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Attack:
    """One thing said."""

    name: str
    text: str
    fact: str = ""
    """A word of the answer that is right all the same; empty where there is none."""
    is_quick: bool = False
    """Whether it is one of the few that every change is tested with."""


@cache
def attacks() -> tuple[Attack, ...]:
    """All of them, in the file's order."""
    content = (files("softagent.lab") / "attacks.toml").read_text(encoding="utf-8")
    return tuple(Attack(**entry) for entry in tomllib.loads(content)["attack"])
