"""How a worker tells its supervisor that it lives: two values over the pipe between them.

Nothing comes the other way. When the worker reads end-of-file, the supervisor is dead,
and the worker ends its call, removes its registration and exits.
"""

from __future__ import annotations

from dataclasses import dataclass

BEAT_SECONDS = 3.0
"""How often a worker sends a Beat, from the moment its engines are loaded."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The engines are warm and the PBX has accepted the registration. Sent once."""


@dataclass(frozen=True, slots=True)
class Beat:
    """The worker's main loop goes round."""
