"""`softagent bench turn`, and the group that it shares with the other benchmarks."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from softagent.cli.bench_attacks import attacks
from softagent.cli.bench_conversation import conversation
from softagent.cli.bench_echo import echo
from softagent.cli.bench_endpointing import endpointing
from softagent.cli.bench_media import media
from softagent.cli.bench_signalling import signalling
from softagent.cli.pbx_address import pbx_address


@click.group()
def bench() -> None:
    """Measure how fast it answers, and how well it keeps time."""


bench.add_command(attacks)
bench.add_command(conversation)
bench.add_command(echo)
bench.add_command(endpointing)
bench.add_command(media)
bench.add_command(signalling)


@bench.command()
@click.option(
    "--turns",
    type=click.IntRange(1),
    default=24,
    show_default=True,
    metavar="N",
    help="How many turns.",
)
@click.option(
    "--per-call",
    type=click.IntRange(1),
    default=6,
    show_default=True,
    metavar="N",
    help="How many of them in each call.",
)
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
    "--utterances",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="More human voices: a folder of mono WAVs of 1-6 s, the words in a .txt beside each.",
)
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE"
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Where recordings go."
)
def turn(
    turns: int,
    per_call: int,
    pbx: tuple[str, int] | None,
    dial: str | None,
    user: str | None,
    password: str | None,
    model: str,
    utterances: Path | None,
    json_path: Path | None,
    out: Path | None,
) -> None:
    """Response time from the caller's last voiced sample to the agent's first, turn by turn.

    Measured on the caller's own stereo recordings, over several calls with real and synthetic
    voices; packet times are the kernel's.
    """
    from softagent.lab.bench_run import Target, run_benchmark

    target = None
    if pbx is not None:
        if not (dial and user and password):
            raise click.UsageError(f"--pbx {pbx[0]} needs --dial, --user and --password")
        target = Target(pbx, dial, user, password)
    run_benchmark(
        turns=turns,
        per_call=per_call,
        target=target,
        model=model,
        utterances=utterances,
        directory=out or Path(tempfile.mkdtemp(prefix="softagent-bench-")),
        json_path=json_path,
        echo=lambda line, is_dim: click.secho(line, dim=is_dim),
    )
