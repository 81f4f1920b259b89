"""`softagent bench signalling`: how fast it answers the telephone, and finds its way back to the PBX."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--calls",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    metavar="N",
    help="Calls answered one after the other.",
)
@click.option(
    "--refusals",
    type=click.IntRange(0, 100_000),
    default=300,
    show_default=True,
    metavar="N",
    help="Calls that come while another one is up.",
)
@click.option(
    "--restarts",
    type=click.IntRange(0, 1000),
    default=10,
    show_default=True,
    metavar="N",
    help="Times that the PBX goes away and comes back having forgotten us.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of how long it is away.")
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE"
)
def signalling(calls: int, refusals: int, restarts: int, seed: int, json_path: Path | None) -> None:
    """Time from INVITE to 200, calls taken and refused a second, and registration after a PBX restart.

    A worker's telephone and media without engines, in a process of its own, against the
    built-in test PBX on loopback.
    """
    from softagent.lab.benchmark import write_json
    from softagent.lab.signalling_bench import SignallingPlan, measure_signalling
    from softagent.lab.signalling_figures import rendered, summary

    plan = SignallingPlan(calls, refusals, restarts, seed=seed)
    measured = measure_signalling(plan, lambda line: click.secho(line, dim=True))
    result = summary(measured)
    for line in rendered(result):
        click.echo(line)
    if json_path is not None:
        write_json(result, json_path)
        click.echo(f"JSON: {json_path}")
