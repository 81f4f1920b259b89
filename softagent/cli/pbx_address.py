"""The option --pbx of the benchmarks."""

from __future__ import annotations

import click

SIP_PORT = 5060


def pbx_address(
    _context: click.Context, _option: click.Parameter, value: str
) -> tuple[str, int] | None:
    """HOST or HOST:PORT as (host, port); None for the lab's own PBX."""
    if value == "lab":
        return None
    host, _, port = value.partition(":")
    if not host or (port and not port.isdecimal()):
        raise click.BadParameter(f'"{value}" is neither lab nor HOST nor HOST:PORT')
    return host, int(port or SIP_PORT)
