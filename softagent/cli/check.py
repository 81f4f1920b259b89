"""`softagent check`: everything that can be known before the first call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from softagent.cli.accounts_file import accounts_option, load_office
from softagent.config import Account
from softagent.models.store import ModelStore
from softagent.preflight import Finding, check_account, check_mail_server, check_registration


@click.command()
@accounts_option
@click.option(
    "--online",
    is_flag=True,
    help="Also register each account with its PBX for a moment, and log in to mail servers.",
)
def check(file: Path | None, online: bool) -> int:
    """Check the accounts file, the models, the ports, and the PBX's answer with --online.

    The exit code is that of the first problem.
    """
    office = load_office(file)
    click.echo(office.path)
    store = ModelStore()
    problems: list[Finding] = []
    for account in office.accounts:
        click.echo(f"\n{account.name}{'' if account.enabled else ' (not enabled: not looked at)'}")
        for finding in _findings(account, store, online=online) if account.enabled else ():
            click.echo(_line(finding))
            if finding.error is not None:
                problems.append(finding)
    count = len(problems)
    click.echo(f"\n{count or 'no'} {'problem' if count == 1 else 'problems'}")
    return problems[0].error.exit_code if problems and problems[0].error else 0


def _findings(account: Account, store: ModelStore, *, online: bool) -> Iterator[Finding]:
    yield from check_account(account, store)
    if online:
        from softagent.sip.pyvoip import PyVoipPhone  # loads pyVoIP
        from softagent.sip.rota import servers_of

        if account.messages.email_to:
            yield check_mail_server(account.messages)
        yield check_registration(PyVoipPhone(account), str(servers_of(account)[0].place))


def _line(finding: Finding) -> str:
    first, *more = finding.detail.splitlines()
    verdict = "ok" if finding.error is None else "PROBLEM"
    line = f"  {verdict:8} {finding.subject:20} {first}"
    return "\n".join([line, *(f"{'':32}{text}" for text in more)])
