"""`softagent worker NAME`: one account, in this process."""

from __future__ import annotations

from pathlib import Path

import click

from softagent.cli.accounts_file import accounts_option, load_office
from softagent.cli.log_options import begin_logging, log_options


@click.command()
@click.argument("name")
@accounts_option
@log_options
def worker(name: str, file: Path | None, log_level: str, log_json: bool) -> int:
    """Answer the calls of the account NAME in the foreground, enabled or not."""
    begin_logging(log_level, log_json, account=name)
    account = load_office(file).account(name)
    from softagent.worker import run_worker  # loads numpy: not before the settings are right

    return run_worker(account)
