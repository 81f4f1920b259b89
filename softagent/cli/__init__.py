"""The command line: one click command a file, thin over plain functions.

A command's module is imported when the command is run, so that `softagent --help`
answers at once on the smallest box.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

import click

from softagent import __version__
from softagent.errors import ConfigError, SoftagentError

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as shells have it."""


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command is, and its line in the help."""

    module: str
    about: str


COMMANDS = {
    "run": LazyCommand("softagent.cli.run", "Answer the telephone: a worker for each account."),
    "worker": LazyCommand("softagent.cli.worker", "Answer one account's calls, in the foreground."),
    "check": LazyCommand("softagent.cli.check", "Find out what would keep it from working."),
    "status": LazyCommand("softagent.cli.status", "Show registrations, workers and calls."),
    "messages": LazyCommand(
        "softagent.cli.messages", "Show callers' messages, and deliver them again."
    ),
    "models": LazyCommand("softagent.cli.models", "Bring, check and find the models."),
    "trace": LazyCommand("softagent.cli.trace", "Draw what happened in a call, from a capture."),
    "demo": LazyCommand("softagent.cli.demo", "Listen to a conversation on this machine alone."),
    "bench": LazyCommand(
        "softagent.cli.bench", "Measure how fast it answers, its media and its signalling."
    ),
}
"""In each module the command has its own name."""


@dataclass(slots=True)
class Switches:
    """What the command line says before the command."""

    debug: bool = False


class LazyGroup(click.Group):
    """A group that knows its commands' names, and imports the one that is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name].module), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in the help, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.about) for name, command in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="softagent %(version)s")
@click.option("--debug", is_flag=True, help="Show where in the program an error comes from.")
@click.pass_obj
def softagent(switches: Switches, debug: bool) -> None:
    """An AI that answers the office telephone, on the office's own box."""
    switches.debug = debug


def main() -> NoReturn:
    """The program: run the command line and exit with its code."""
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: Sequence[str]) -> int:
    """Run one command line; errors go to standard error, a line for each problem. Returns the exit code."""
    switches = Switches()
    try:
        code = softagent.main(
            list(arguments), prog_name="softagent", standalone_mode=False, obj=switches
        )
    except SoftagentError as error:
        if switches.debug:
            traceback.print_exc()
        for problem in error.problems if isinstance(error, ConfigError) else [error]:
            click.echo(f"softagent: error: {problem}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    return code if isinstance(code, int) else 0
