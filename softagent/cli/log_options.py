"""`--log-level` and `--log-json`, for commands that write a log."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from softagent.log import JSON_VARIABLE, LEVEL_VARIABLE, setup_logging

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def log_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add both options to a command, which gets `log_level` and `log_json`."""
    level = click.option(
        "--log-level",
        type=click.Choice(LEVELS, case_sensitive=False),
        default="INFO",
        show_default=True,
        envvar=LEVEL_VARIABLE,
        help="DEBUG also logs what callers say.",
    )
    json = click.option(
        "--log-json", is_flag=True, envvar=JSON_VARIABLE, help="Log JSON, one object a line."
    )
    return level(json(command))


def begin_logging(level: str, json: bool, *, account: str = "") -> None:
    """Log as the options say, here and in processes that are started from now on."""
    os.environ[LEVEL_VARIABLE] = level
    os.environ[JSON_VARIABLE] = "1" if json else "0"
    setup_logging(level, json, account=account)
