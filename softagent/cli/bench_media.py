"""`softagent bench media`: how evenly it sends, and what it makes of a bad network."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from softagent.config import Codec


@click.command()
@click.option(
    "--seconds",
    type=click.FloatRange(2, 86400),
    default=60.0,
    show_default=True,
    help="How long the call lasts.",
)
@click.option("--codec", type=click.Choice(get_args(Codec)), default="PCMU", show_default=True)
@click.option("--loss", type=float, default=0.0, metavar="PCT", help="Packets lost, each way.")
@click.option(
    "--burst",
    type=float,
    default=1.0,
    metavar="RATIO",
    help="How much longer losses in a row are than by chance (BurstR of G.107).",
)
@click.option("--delay", type=float, default=0.0, metavar="MS", help="Delay, each way.")
@click.option(
    "--jitter",
    type=float,
    default=0.0,
    metavar="MS",
    help="Mean of an exponentially distributed delay on top; order is kept.",
)
@click.option("--reorder", type=float, default=0.0, metavar="PCT", help="Packets overtaken.")
@click.option(
    "--duplicate", type=float, default=0.0, metavar="PCT", help="Packets that come twice."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the network's chances.")
@click.option(
    "--load",
    type=click.IntRange(0, 64),
    default=0,
    metavar="N",
    help="Processes beside it that calculate as inference does.",
)
@click.option(
    "--trace",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Have the stream trace itself there, as a worker would.",
)
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE"
)
def media(
    seconds: float,
    codec: str,
    loss: float,
    burst: float,
    delay: float,
    jitter: float,
    reorder: float,
    duplicate: float,
    seed: int,
    load: int,
    trace: Path | None,
    json_path: Path | None,
) -> None:
    """Pacing, drift, jitter buffer and concealment under given loss, jitter and load.

    A real media stream in a process of its own talks to another one through a relay that makes
    the network as bad as asked for. Intervals and drift are from the kernel's packet times.
    """
    from softagent.lab.benchmark import write_json
    from softagent.lab.impairment import Impairment
    from softagent.lab.media_bench import MediaConditions, measure_media
    from softagent.lab.media_figures import rendered, summary

    impairment = Impairment(loss, burst, delay, jitter, reorder, duplicate)
    conditions = MediaConditions(codec, seconds, impairment, load, seed, trace)
    click.secho(f"A call of {seconds:g} s ...", dim=True)
    result = summary(conditions, measure_media(conditions))
    for line in rendered(result):
        click.echo(line)
    if json_path is not None:
        write_json(result, json_path)
        click.echo(f"JSON: {json_path}")
