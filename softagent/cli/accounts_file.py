"""`--accounts FILE`, and where the file is looked for without it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click

from softagent.accounts import read_office
from softagent.config import Office
from softagent.errors import ConfigFileMissing

accounts_option = click.option(
    "--accounts",
    "file",
    type=click.Path(path_type=Path),
    envvar="SOFTAGENT_ACCOUNTS",
    metavar="FILE",
    help="The accounts file. Without it: $SOFTAGENT_ACCOUNTS, ./accounts.toml,"
    " ~/.config/softagent/accounts.toml, /etc/softagent/accounts.toml.",
)


def load_office(file: Path | None) -> Office:
    """The office in `file`, or in the first of the usual places that has one."""
    return read_office(file or _first_existing(usual_places()))


def usual_places() -> list[Path]:
    """Where an accounts file may be, the most particular first."""
    settings = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    folders = (Path.cwd(), Path(settings) / "softagent", Path("/etc/softagent"))
    return [folder / "accounts.toml" for folder in folders]


def _first_existing(places: Iterable[Path]) -> Path:
    tried = []
    for place in places:
        if place.exists():
            return place
        tried.append(str(place))
    raise ConfigFileMissing(
        f"no accounts file (looked for {', '.join(tried)}): copy accounts.example.toml to one of"
        " these and fill it in, or name another file with --accounts"
    )
