"""`softagent status`: is everything registered, and who is on the line?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from softagent.control import ask
from softagent.errors import SoftagentError, UnknownAccount


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="For programs: all that is known.")
def status(names: tuple[str, ...], as_json: bool) -> int:
    """Show the accounts of the softagent that runs here: registrations, workers, calls.

    The exit code is 0 when all of them are registered, 1 when one isn't.
    """
    answer = ask({"ask": "status"})
    if "accounts" not in answer:
        raise SoftagentError(f"no status: {answer.get('error', 'another version is running')}")
    accounts = _chosen(answer["accounts"], names)
    if as_json:
        click.echo(json.dumps({**answer, "accounts": accounts}, indent=2))
    else:
        for account in accounts:
            for line in _lines(account):
                click.echo(line)
    are_registered = all(a["registration"]["state"] == "registered" for a in accounts)
    return 0 if are_registered else 1


def _chosen(accounts: list[dict[str, Any]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    known = [account["account"] for account in accounts]
    for name in names:
        if name not in known:
            raise UnknownAccount(f'no account "{name}" runs here: there are: {", ".join(known)}')
    return [account for account in accounts if not names or account["account"] in names]


def _lines(account: Mapping[str, Any]) -> Iterator[str]:
    registration, worker = account["registration"], account["worker"]
    yield f"{account['account']}  {account['extension']}"
    yield f"  {_registration(registration)}"
    facts = [f"worker {worker['state']} for {duration(worker['seconds'])}"]
    if worker["pid"] is not None:
        facts.append(f"process {worker['pid']}")
    facts.append(_times(worker["restarts"], "restart"))
    if worker["state"] != "running":
        facts.append(worker["reason"])
    yield f"  {', '.join(facts)}"
    for call in account["calls"]:
        yield f"  on the line with {call['caller'] or 'somebody'} for {duration(call['seconds'])}"
    messages = account.get(
        "messages", {"waiting": 0}
    )  # an older one that runs says nothing of them
    if messages["waiting"]:
        line = f"  {_times(messages['waiting'], 'message')} not delivered yet"
        yield f"{line}: {messages['reason']}" if messages["reason"] else line


def _registration(registration: Mapping[str, Any]) -> str:
    state, reason = registration["state"], registration["reason"]
    at = f" at {registration['registrar']}" if registration["registrar"] else ""
    line = f"{state}{at} for {duration(registration['seconds'])}"
    if state == "registered":
        granted, refresh = registration["expires_seconds"], registration["refresh_seconds"]
        return f"{line}, granted for {granted} s, refreshed every {refresh:g} s"
    return f"{line}: {reason}" if reason else line


def _times(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def duration(seconds: float) -> str:
    """For people: the two largest units."""
    whole = int(seconds)
    for name, size, smaller, smaller_size in (
        ("d", 86400, "h", 3600),
        ("h", 3600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if whole >= size:
            return f"{whole // size} {name} {whole % size // smaller_size} {smaller}"
    return f"{whole} s"
