"""`softagent messages`: what callers have left, and what became of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from softagent.cli.accounts_file import accounts_option, load_office
from softagent.config import Account, Office
from softagent.errors import UnknownMessage
from softagent.messages.message import Entry
from softagent.messages.outbox import Outbox, outbox_of
from softagent.messages.wording import as_line, as_text

Kept = list[tuple[Account, Outbox, Entry]]


@click.group()
def messages() -> None:
    """Show callers' messages, and deliver them again."""


@messages.command("list")
@click.option("--account", "name", metavar="NAME", help="Those of one account only.")
@click.option("--json", "as_json", is_flag=True, help="For programs: all that is known.")
@accounts_option
def list_messages(name: str | None, as_json: bool, file: Path | None) -> None:
    """List the messages that callers have left, oldest first."""
    kept = _kept(load_office(file), name)
    if as_json:
        click.echo(json.dumps([json.loads(entry.serialize()) for _, _, entry in kept], indent=2))
        return
    for _, _, entry in kept:
        click.echo(_summary(entry))
    if not kept:
        click.echo("no messages")


@messages.command()
@click.argument("message", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="For programs: all that is known.")
@accounts_option
def show(message: str, as_json: bool, file: Path | None) -> None:
    """Show the message ID with all that was said, and what became of it."""
    _, _, entry = _one(load_office(file), message)
    if as_json:
        click.echo(entry.serialize().decode(), nl=False)
        return
    click.echo(as_text(entry.message, recording=entry.message.recording))
    for line in _deliveries(entry):
        click.echo(line)


@messages.command()
@click.argument("message", metavar="[ID]", required=False)
@accounts_option
def retry(message: str | None, file: Path | None) -> int:
    """Try now to deliver the message ID, or all that wait.

    The worker that answers the account does it, if one runs. The exit code is 0 when
    nothing waits any more, or the worker has been asked.
    """
    office = load_office(file)
    chosen = [_one(office, message)] if message else _kept(office, None)
    waiting = [(account, outbox, entry) for account, outbox, entry in chosen if entry.waits]
    if not waiting:
        click.echo("delivered already" if message else "nothing waits to be delivered")
        return 0
    return max(
        _retry(account, [(box, entry) for owner, box, entry in waiting if owner is account])
        for account in dict.fromkeys(account for account, _, _ in waiting)
    )


def _retry(account: Account, waiting: list[tuple[Outbox, Entry]]) -> int:
    from softagent.messages.postman import Postman  # with the ways: mail and web, not for a list
    from softagent.messages.ways import ways_of

    outbox = waiting[0][0]
    ids = frozenset(entry.message.id for _, entry in waiting)
    with outbox.lock() as is_ours:
        if is_ours:
            ways = ways_of(account.messages)
            postman = Postman(outbox, ways, account=account.name, clock=time.time)
            postman.deliver_due(ask_for=ids)
    if not is_ours:
        for known in sorted(ids):
            outbox.ask_again(known)
        click.echo(f"{account.name}: its worker has been asked to deliver {len(ids)}")
        return 0
    after = [outbox.load(known) for known in sorted(ids)]
    for entry in after:
        click.echo(_summary(entry))
    return 1 if any(entry.waits for entry in after) else 0


def _kept(office: Office, name: str | None) -> Kept:
    """The messages of all accounts, or of one; raises UnknownAccount."""
    accounts = office.accounts if name is None else (office.account(name),)
    kept = [
        (account, outbox, entry)
        for account in accounts
        for outbox in [outbox_of(account.name, account.messages)]
        for entry in outbox.entries()
    ]
    return sorted(kept, key=lambda known: known[2].message.taken_at)


def _one(office: Office, message: str) -> tuple[Account, Outbox, Entry]:
    """The message whose id is, or begins with, `message`; raises UnknownMessage."""
    found = [known for known in _kept(office, None) if known[2].message.id.startswith(message)]
    if len(found) != 1:
        what = "there is none" if not found else f"{len(found)} begin like that"
        raise UnknownMessage(f'message "{message}": {what}: see softagent messages list')
    return found[0]


def _summary(entry: Entry) -> str:
    message = entry.message
    who = " ".join(filter(None, [as_line(message.name), as_line(message.number)]))
    taken = f"{message.taken:%Y-%m-%d %H:%M}"
    line = f"{message.id}  {message.account}  {taken}  {who}: {as_line(message.reason)[:60]}"
    return f"{line}  ({_state(entry)})"


def _state(entry: Entry) -> str:
    if not entry.is_complete:
        return "the call goes on"
    if not entry.deliveries:
        return "kept"
    waiting = [way for way, known in entry.deliveries.items() if known.delivered_at is None]
    return f"waits for {', '.join(waiting)}" if waiting else "delivered"


def _deliveries(entry: Entry) -> Iterator[str]:
    """What became of it in each way."""
    yield f"State: {_state(entry)}"
    for way, known in entry.deliveries.items():
        attempts = f"{known.attempts} {'attempt' if known.attempts == 1 else 'attempts'}"
        if known.delivered_at is not None:
            yield f"  {way}: delivered {_time(known.delivered_at)}, {attempts}"
        elif known.attempts:
            yield f"  {way}: {attempts}, next {_time(known.next_at)}: {known.error}"
        else:
            yield f"  {way}: not tried yet"


def _time(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return f"{seconds:.0f} s after 1970"
