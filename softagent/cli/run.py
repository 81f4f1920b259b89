"""`softagent run`: every enabled account, each in a process of its own."""

from __future__ import annotations

from pathlib import Path

import click

from softagent.cli.accounts_file import accounts_option, load_office
from softagent.cli.log_options import begin_logging, log_options
from softagent.supervisor import run_office


@click.command()
@accounts_option
@click.option(
    "--only", multiple=True, metavar="NAME", help="Only this account; may be given several times."
)
@log_options
def run(file: Path | None, only: tuple[str, ...], log_level: str, log_json: bool) -> int:
    """Answer the telephone: a worker for each enabled account, until Ctrl-C or SIGTERM."""
    begin_logging(log_level, log_json)
    return run_office(load_office(file), only=only)
