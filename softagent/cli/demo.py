"""`softagent demo`: a conversation on this machine alone, without a PBX, microphone or internet."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

LIGHT_MODEL = "qwen2.5-coder-0.5b"


@click.command()
@click.option("--light", is_flag=True, help="Use the smaller language model.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the recording and the agent's log go.  [default: a new folder in /tmp]",
)
def demo(light: bool, out: Path | None) -> None:
    """Listen to a conversation on this machine alone.

    A test PBX, a scripted caller with a voice of its own and a real agent talk over real SIP
    and RTP on loopback. Fails when the agent doesn't answer the caller's questions.
    """
    from softagent.lab.demonstration import run_demo

    directory = out or Path(tempfile.mkdtemp(prefix="softagent-demo-"))
    run_demo(
        model=LIGHT_MODEL if light else "",
        directory=directory,
        echo=lambda line, is_dim: click.secho(line, dim=is_dim),
    )
