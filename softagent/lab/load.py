"""Processes that keep cores busy as inference does: matrix products, and Python between them.

python -m softagent.lab.load     one such process, until its standard input ends
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

SINGLE_THREADED = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SIZE = 700
"""Of the matrices: 2 MB each in float32, more than a core's own cache, as weights are."""
STOP_SECONDS = 5.0


@contextlib.contextmanager
def load(processes: int) -> Iterator[None]:
    """So many processes at work, from the time when all have begun."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "softagent.lab.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **SINGLE_THREADED},
            start_new_session=True,  # Ctrl-C is for us, who then end it
        )
        for _ in range(processes)
    ]
    try:
        for process in running:
            assert process.stdout is not None
            process.stdout.readline()
        yield
    finally:
        for process in running:
            process.kill()
            process.communicate(timeout=STOP_SECONDS)


def work() -> None:
    """Be such a process."""
    import numpy as np

    threading.Thread(target=_end_with_parent, daemon=True).start()
    weights = np.random.default_rng(1).standard_normal((SIZE, SIZE), dtype=np.float32)
    state = weights.copy()
    sys.stdout.write("at work\n")
    sys.stdout.flush()
    while True:
        state = weights @ state
        state /= np.abs(state).max() + 1e-9
        sorted(float(value) for value in state[0])  # sampling and tokenising


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    work()
