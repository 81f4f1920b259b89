"""`softagent bench conversation`: whole calls by callers who behave as people do."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from softagent.cli.pbx_address import pbx_address


@click.command()
@click.option(
    "--pbx",
    callback=pbx_address,
    default="lab",
    show_default=True,
    metavar="lab|HOST[:PORT]",
    help="The built-in test PBX with an agent of its own, or a PBX where an agent is registered.",
)
@click.option("--dial", metavar="EXTENSION", help="With --pbx HOST: the agent's extension.")
@click.option("--user", metavar="NAME", help="With --pbx HOST: call as this user.")
@click.option(
    "--password", envvar="SOFTAGENT_BENCH_PASSWORD", help="With --pbx HOST: its password."
)
@click.option("--model", default="", metavar="ID", help="With --pbx lab: the language model.")
@click.option(
    "--only",
    multiple=True,
    metavar="KIND|NAME",
    help="Only scenarios of this kind, or the one of this name. May be given several times.",
)
@click.option("--list", "is_list", is_flag=True, help="Show the scenarios and end.")
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE"
)
@click.option(
    "--recordings",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the recordings of the calls go.",
)
def conversation(
    pbx: tuple[str, int] | None,
    dial: str | None,
    user: str | None,
    password: str | None,
    model: str,
    only: tuple[str, ...],
    is_list: bool,
    json_path: Path | None,
    recordings: Path | None,
) -> None:
    """Scripted callers ask, pause, correct themselves, interrupt, press keys, attack and hang up.

    Each scenario is a call over real SIP and RTP, judged by the caller's recording, the PBX
    and the disk. The exit code is 1 when one of them has failed.

    With --pbx HOST the agent there has to be the practice of the lab (softagent/lab/office.py);
    what only a PBX of our own can tell (transfers, messages) fails there.
    """
    from softagent.lab.bench_run import Target
    from softagent.lab.conversation_bench import KINDS, chosen, run_conversations

    scenarios = chosen(only)
    if not scenarios:
        raise click.BadParameter(
            f"no such scenario: --list shows them; kinds: {', '.join(KINDS)}", param_hint="--only"
        )
    if is_list:
        for scenario in scenarios:
            click.echo(f"{scenario.kind:18} {scenario.name}")
        return
    target = None
    if pbx is not None:
        if not (dial and user and password):
            raise click.UsageError(f"--pbx {pbx[0]} needs --dial, --user and --password")
        target = Target(pbx, dial, user, password)
    run_conversations(
        only=only,
        target=target,
        model=model,
        directory=recordings or Path(tempfile.mkdtemp(prefix="softagent-conversation-")),
        json_path=json_path,
        echo=lambda line, is_dim: click.secho(line, dim=is_dim),
    )
