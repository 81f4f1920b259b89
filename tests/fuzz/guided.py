"""Coverage-guided fuzzing of one target, by atheris: `scripts/fuzz` runs it.

python tests/fuzz/guided.py TARGET [libFuzzer's options] CORPUS...
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["softagent", "aiortp"]):
    import script
    import targets

TARGETS: dict[str, Callable[[bytes], None]] = {
    "sip": targets.sip,
    "sdp": targets.description,
    "rtp": targets.rtp,
    "rtcp": targets.rtcp,
    "calls": script.run,
}


def main() -> None:
    """Fuzz until the time is up, or something is raised."""
    logging.getLogger().addHandler(logging.NullHandler())  # the errors are looked at, not shown
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
