"""`softagent worker NAME`: one account, in this process."""

from __future__ import annotations

from pathlib import Path

import click

from softagent.cli.accounts_file import accounts_option, load_office
from softagent.cli.log_options import begin_logging, log_options
from softagent.cli.trace_options import trace_options, with_trace


@click.command()
@click.argument("name")
@accounts_option
@trace_options
@log_options
def worker(
    name: str,
    file: Path | None,
    trace_directory: Path | None,
    trace_keys: bool,
    log_level: str,
    log_json: bool,
) -> int:
    """Answer the calls of the account NAME in the foreground, enabled or not."""
    begin_logging(log_level, log_json, account=name)
    office = with_trace(load_office(file), trace_directory, keys=trace_keys)
    account = office.account(name)
    from softagent.worker import run_worker  # loads numpy: not before the settings are right

    return run_worker(account)
