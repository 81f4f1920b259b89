"""`softagent run`: every enabled account, each in a process of its own."""

from __future__ import annotations

from pathlib import Path

import click

from softagent.cli.accounts_file import accounts_option, load_office
from softagent.cli.log_options import begin_logging, log_options
from softagent.cli.trace_options import trace_options, with_trace
from softagent.supervisor import run_office


@click.command()
@accounts_option
@click.option(
    "--only", multiple=True, metavar="NAME", help="Only this account; may be given several times."
)
@trace_options
@log_options
def run(
    file: Path | None,
    only: tuple[str, ...],
    trace_directory: Path | None,
    trace_keys: bool,
    log_level: str,
    log_json: bool,
) -> int:
    """Answer the telephone: a worker for each enabled account, until Ctrl-C or SIGTERM."""
    begin_logging(log_level, log_json)
    office = with_trace(load_office(file), trace_directory, keys=trace_keys)
    return run_office(office, only=only)
