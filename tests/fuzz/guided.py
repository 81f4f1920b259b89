"""Coverage-guided fuzzing of one target, by atheris: `scripts/fuzz` runs it.

python tests/fuzz/guided.py TARGET [libFuzzer's options] CORPUS...
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["softagent", "aiortp", "targets"]):
    import targets

TARGETS: dict[str, Callable[[bytes], None]] = {
    "sip": targets.sip,
    "sdp": targets.description,
    "rtp": targets.rtp,
}


def main() -> None:
    """Fuzz until the time is up, or something is raised."""
    logging.disable()
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
