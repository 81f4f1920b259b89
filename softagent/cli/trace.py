"""`softagent trace`: what is in a capture, drawn in the terminal."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from softagent.capture.names import LONGEST_ID, safe_id
from softagent.cli.accounts_file import accounts_option, usual_places
from softagent.cli.trace_options import DIRECTORY_VARIABLE
from softagent.errors import CaptureMissing

COLOURS: dict[str, dict[str, Any]] = {
    "head": {"bold": True},
    "note": {"dim": True},
    "bad": {"fg": "red"},
    "again": {"fg": "yellow"},
}
"""How kinds of lines look on a terminal."""
CALL_FILE = re.compile(r".+?-\d{8}T\d{6}-(?P<id>.+)")
"""As `call_file_name` has it."""


@click.command()
@click.argument("file_or_call", metavar="FILE|CALL")
@click.option(
    "--trace",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    envvar=DIRECTORY_VARIABLE,
    show_envvar=True,
    metavar="DIR",
    help="Where CALL is looked for, besides the directories in the accounts file.",
)
@accounts_option
@click.option(
    "--call", "only", default="", metavar="ID", help="Only calls whose Call-ID begins so."
)
@click.option("--json", "is_json", is_flag=True, help="The same as data.")
def trace(
    file_or_call: str, directory: Path | None, file: Path | None, only: str, is_json: bool
) -> None:
    """Draw a call's SIP as a ladder and tell how its RTP was.

    FILE is a capture by softagent --trace, tcpdump, tshark or Wireshark (pcap or pcapng);
    CALL is a call id from the log, or its beginning.
    """
    from softagent.trace.analysis import analyse  # loads numpy
    from softagent.trace.data import as_json
    from softagent.trace.ladder import ASCII, UNICODE
    from softagent.trace.text import rendered

    path, wanted = _found(file_or_call, directory, file)
    analysis = analyse(path)
    only = only or wanted
    dialogs = [*(call.sip for call in analysis.calls), *analysis.others]
    if only and not any(dialog.call_id.startswith(only) for dialog in dialogs):
        raise CaptureMissing(f'{path}: no call whose Call-ID begins with "{only}" in it')
    if is_json:
        click.echo(json.dumps(as_json(analysis, only=only), indent=2))
        return
    encoding = (sys.stdout.encoding or "").lower()
    pen = UNICODE if encoding.startswith("utf") else ASCII
    for line in rendered(analysis, width=shutil.get_terminal_size().columns, pen=pen, only=only):
        click.secho(line.text, **COLOURS.get(line.kind, {}))


def _found(file_or_call: str, directory: Path | None, accounts: Path | None) -> tuple[Path, str]:
    """The capture file, and the call in it that was asked for; "" for all of it. Raises CaptureMissing."""
    path = Path(file_or_call)
    if path.exists() or path.suffix in (".pcap", ".pcapng", ".cap"):
        return path, ""
    folders = list(_folders(directory, accounts))
    beginning = safe_id(file_or_call)
    found = [one for folder in folders for one in _files(folder, beginning)]
    if len(found) == 1:
        return found[0], file_or_call
    where = (
        ", ".join(map(str, folders)) or f"no directory is set: give --trace or {DIRECTORY_VARIABLE}"
    )
    if not found:
        raise CaptureMissing(f"{file_or_call}: neither a file nor a call with a trace ({where})")
    names = ", ".join(one.name for one in sorted(found)[:5])
    raise CaptureMissing(f"{file_or_call}: {len(found)} traces begin like that ({names}): name one")


def _files(folder: Path, beginning: str) -> Iterator[Path]:
    """Traces of calls whose id begins like that: ACCOUNT-TIME-ID.pcap, account and id may hold dashes."""
    for path in folder.glob("*.pcap"):
        named = CALL_FILE.fullmatch(path.stem)
        if named is not None and named["id"].startswith(beginning[:LONGEST_ID]):
            yield path


def _folders(directory: Path | None, accounts: Path | None) -> Iterator[Path]:
    """Where traces may be."""
    if directory is not None:
        yield directory
        return
    from softagent.accounts import read_office

    file = accounts or next((place for place in usual_places() if place.exists()), None)
    if file is not None:
        office = read_office(file)
        yield from dict.fromkeys(
            account.trace.directory for account in office.accounts if account.trace.directory
        )
