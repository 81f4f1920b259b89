"""`softagent bench attacks`: what callers say who want the agent to break its rules."""

from __future__ import annotations

import click


@click.command()
@click.option("--model", default="", metavar="ID", help="The language model, a name or a path.")
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True)
def attacks(model: str, threads: int) -> None:
    """Thirty attempts to get instructions, untrue claims and invented numbers out of the model.

    As text, behind the guard that every reply passes. The exit code is 1 when one succeeds.
    """
    from dataclasses import replace

    from softagent.config import LlmSettings
    from softagent.lab.attack_run import run_attacks
    from softagent.lab.attacks import attacks as all_attacks
    from softagent.language.llama import LlamaLanguageModel
    from softagent.models.store import ModelStore

    settings = LlmSettings(threads=threads)
    settings = replace(settings, model=model or settings.model)
    run_attacks(
        all_attacks(),
        LlamaLanguageModel(ModelStore().resolve(settings.model), settings),
        max_tokens=settings.max_tokens,
        echo=lambda line, is_dim: click.secho(line, dim=is_dim),
    )
