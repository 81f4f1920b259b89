"""`softagent models`: list, pull, verify and find the models."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from softagent.errors import EngineFailed, SoftagentError
from softagent.models.progress import (
    BytesReceived,
    ConversionStarted,
    ModelPulled,
    PullAwaited,
    PullEvent,
    SourceRefused,
)
from softagent.models.store import ModelStore

BAR_CELLS = 24
LINE_SECONDS = 5.0
"""How often a line is written when nobody watches a terminal."""


@click.group()
def models() -> None:
    """Bring, check and find the models.

    They live in $SOFTAGENT_MODELS, else in ~/.cache/softagent/models.
    """


@models.command("list")
def list_models() -> None:
    """Show every model of the catalogue and whether it is here."""
    entries = open_store().entries()
    width = max(len(entry.model.id) for entry in entries)
    for entry in entries:
        model = entry.model
        here = "here" if entry.is_here else "-"
        default = " (default)" if model.is_default else ""
        click.echo(
            f"{model.id:{width}}  {here:4}  {model.size / 1e6:7.1f} MB  {model.engine:8}"
            f"{model.licence:11}{model.about}{default}"
        )


@models.command()
@click.argument("ids", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every model of the catalogue.")
def pull(ids: tuple[str, ...], every: bool) -> None:
    """Bring models here: those named, or the default ones. Can be interrupted and repeated."""
    store = open_store()
    chosen = ids or tuple(model.id for model in store.catalogue.models if every or model.is_default)
    display = PullDisplay(is_terminal=sys.stderr.isatty())
    for model_id in chosen:
        try:
            store.pull(model_id, display.show)
        finally:
            display.end_line()


@models.command()
@click.argument("ids", nargs=-1)
@click.pass_context
def verify(context: click.Context, ids: tuple[str, ...]) -> None:
    """Read models and compare their checksums: those named, or all that are here."""
    store = open_store()
    problems: list[SoftagentError] = []
    for model_id in ids or tuple(entry.model.id for entry in store.entries() if entry.is_here):
        try:
            store.verify(model_id)
        except SoftagentError as error:
            problems.append(error)
            click.echo(error, err=True)
        else:
            click.echo(f"{model_id}: right")
    if problems:
        context.exit(problems[0].exit_code)


@models.command()
@click.argument("ids", nargs=-1, required=True)
def path(ids: tuple[str, ...]) -> None:
    """Print the file or folder of models, one a line."""
    store = open_store()
    for model_id in ids:
        click.echo(store.path(model_id))


def open_store() -> ModelStore:
    """The user's store, able to make the derived models."""
    return ModelStore(recipes={"piper-to-coqui": _piper_to_coqui})


def _piper_to_coqui(voice: Path, out: Path) -> None:
    try:
        from softagent.speech.coqui_convert import convert_piper_voice

        convert_piper_voice(voice, voice.with_name(voice.name + ".json"), out)
    except ImportError as error:
        raise EngineFailed(
            f"a Piper voice can't be made into a Coqui one: {error.name} is not installed; "
            'it comes with the extra "coqui" (scripts/setup --dev)'
        ) from error


class PullDisplay:
    """Shows a pull on standard error: one moving line on a terminal, a line now and then elsewhere."""

    def __init__(self, *, is_terminal: bool) -> None:
        self._is_terminal = is_terminal
        self._model_id = ""
        self._first = (0.0, 0)
        self._written_at = 0.0
        self._is_line_open = False

    def show(self, event: PullEvent) -> None:
        """Write what `event` says."""
        match event:
            case BytesReceived():
                self._progress(event)
            case PullAwaited(model_id):
                self._line(f"{model_id}: waiting for another pull of it to end")
            case SourceRefused(model_id, source, reason):
                self._line(f"{model_id}: {source}: {reason}")
            case ConversionStarted(model_id, source_id):
                self._line(f"{model_id}: being made from {source_id}")
            case ModelPulled(model_id, is_new):
                self._line(f"{model_id}: here{', checked' if is_new else ' already'}")

    def end_line(self) -> None:
        """Leave the moving line as it stands."""
        if self._is_line_open:
            click.echo(err=True)
            self._is_line_open = False

    def _line(self, text: str) -> None:
        self.end_line()
        click.echo(text, err=True)

    def _progress(self, event: BytesReceived) -> None:
        now = time.monotonic()
        if event.model_id != self._model_id:
            self._model_id, self._first = event.model_id, (now, event.done_bytes)
        if not self._is_terminal and now - self._written_at < LINE_SECONDS:
            return
        self._written_at = now
        text = self._bar(event, now)
        if self._is_terminal:
            click.echo(f"\r{text:78}", nl=False, err=True)
            self._is_line_open = True
        else:
            click.echo(text, err=True)

    def _bar(self, event: BytesReceived, now: float) -> str:
        begun_at, begun_with = self._first
        share = event.done_bytes / event.total_bytes
        bar = "#" * round(share * BAR_CELLS)
        text = f"{event.model_id} [{bar:<{BAR_CELLS}}] {share:4.0%} of {event.total_bytes / 1e6:.1f} MB"
        if now == begun_at:
            return text
        return f"{text}, {(event.done_bytes - begun_with) / (now - begun_at) / 1e6:5.1f} MB/s"
