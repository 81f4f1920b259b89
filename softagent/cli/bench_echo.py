"""`softagent bench echo`: whether it is deceived by its own voice, and what callers lose by that."""

from __future__ import annotations

from pathlib import Path

import click

SYNTHETIC_CALLERS = 6
"""Beside the recorded ones."""


@click.command()
@click.option(
    "--level",
    "levels_db",
    type=click.IntRange(-60, 0),
    multiple=True,
    default=(-6, -12, -20),
    show_default=True,
    metavar="DB",
    help="How loud the echo is; may be given several times.",
)
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE"
)
def echo(levels_db: tuple[int, ...], json_path: Path | None) -> None:
    """The agent's own voice coming back, more or less loud, after 20 to 400 ms.

    Alone, and under callers who begin in the middle of its sentence: interruptions, words
    transcribed, callers missed and word errors, with the cleaning of the sound and without.
    Through the default account's voice activity and recognizer, faster than anybody speaks.
    """
    from softagent.lab.benchmark import write_json
    from softagent.lab.echo_bench import (
        agent_sentences,
        conditions,
        load_bench_engines,
        measured_line,
        rendered,
    )
    from softagent.lab.machine import describe_machine
    from softagent.lab.office import BENCH_UTTERANCES
    from softagent.lab.voices import human_lines, synthetic_lines
    from softagent.models.store import ModelStore

    store = ModelStore()
    callers = [*human_lines(), *synthetic_lines(BENCH_UTTERANCES[:SYNTHETIC_CALLERS], store)]
    sentences, engines = agent_sentences(store), load_bench_engines(store)
    lines = []
    for level_db, delay_ms in conditions(levels_db):
        lines.append(
            measured_line(engines, sentences, callers, level_db=level_db, delay_ms=delay_ms)
        )
        click.secho(rendered(lines)[-2], dim=True)
    for row in rendered(lines):
        click.echo(row)
    if json_path is not None:
        write_json({"lines": lines, "machine": describe_machine()}, json_path)
        click.echo(f"JSON: {json_path}")
