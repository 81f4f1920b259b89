"""`softagent bench endpointing`: who is cut off and who has to wait, policy by policy."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--recordings",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default="/usr",
    show_default=True,
    help="Where Debian's asterisk-core-sounds-en-wav and pocketsphinx-testdata are unpacked.",
)
@click.option(
    "--half",
    type=click.Choice(["test", "tune"]),
    default="test",
    show_default=True,
    help="Which half of the corpus; never report on what was tuned on.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path.home() / ".cache" / "softagent" / "pauses",
    help="Where what the engines heard is kept, so that policies replay without them.",
)
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE"
)
@click.option(
    "--svg",
    "svg_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to draw the curve.",
)
def endpointing(
    recordings: Path, half: str, cache: Path, json_path: Path | None, svg_path: Path | None
) -> None:
    """False cut-offs against latency for each way of telling that the caller has finished.

    Recorded and synthetic callers with pauses inside their turns, over noise, at 8 and 16 kHz,
    through the real voice activity, recognizer and endpointer, faster than they speak.
    """
    from softagent.lab.benchmark import write_json
    from softagent.lab.pause_bench import drawn, load_trace_engines, rendered, summary, traced
    from softagent.lab.pause_sources import corpus, synthetic_callers
    from softagent.models.store import ModelStore

    store = ModelStore()
    click.secho("Building the callers' turns ...", dim=True)
    turns = [turn for turn in corpus(recordings, synthetic_callers(store)) if turn.half == half]

    def show(count: int) -> None:
        if count % 50 == 0:
            click.secho(f"  {count} of {len(turns)} turns heard", dim=True)

    result = {**summary(traced(turns, load_trace_engines(store), cache, show)), "half": half}
    for line in rendered(result):
        click.echo(line)
    if json_path is not None:
        write_json(result, json_path)
        click.echo(f"JSON: {json_path}")
    if svg_path is not None:
        svg_path.write_text(drawn(result), encoding="utf-8")
        click.echo(f"Curve: {svg_path}")
