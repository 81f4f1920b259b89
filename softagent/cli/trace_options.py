"""`--trace DIR` and `--trace-keys`, for commands that answer calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from softagent.config import Account, Office, TraceSettings

DIRECTORY_VARIABLE = "SOFTAGENT_TRACE"

directory_option = click.option(
    "--trace",
    "trace_directory",
    type=click.Path(file_okay=False, path_type=Path),
    envvar=DIRECTORY_VARIABLE,
    show_envvar=True,
    metavar="DIR",
    help="Write a pcap file of each call's SIP and RTP there, for every account.",
)


def trace_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add both options to a command, which gets `trace_directory` and `trace_keys`."""
    keys = click.option(
        "--trace-keys",
        is_flag=True,
        help="Leave SRTP keys in what --trace writes, so that the sound can be decrypted.",
    )
    return directory_option(keys(command))


def with_trace(office: Office, directory: Path | None, *, keys: bool) -> Office:
    """The office, tracing as the command line says; what it leaves open is as in the accounts file."""

    def changed(account: Account) -> Account:
        settings = TraceSettings(
            directory.absolute() if directory else account.trace.directory,
            keys or account.trace.keys,
        )
        return dataclasses.replace(account, trace=settings)

    return dataclasses.replace(
        office, accounts=tuple(changed(account) for account in office.accounts)
    )
