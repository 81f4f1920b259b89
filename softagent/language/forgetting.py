"""What a cache of tokens has to forget in its middle, so that the rest of it serves the next prompt.

cached:  opening | first exchanges | later exchanges | question
wanted:  opening |                   later exchanges | question | next question
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.intc]
LEAST_KEPT = 48
"""Fewer tokens than that are read again as quickly as they are moved."""


def common_prefix(cached: Tokens, wanted: Tokens) -> int:
    """How many tokens both begin with."""
    length = min(len(cached), len(wanted))
    differs = np.flatnonzero(cached[:length] != wanted[:length])
    return int(differs[0]) if len(differs) else length


def tokens_to_forget(cached: Tokens, wanted: Tokens) -> tuple[int, int]:
    """(from, to) of the tokens in `cached` that stand in the way; (n, n) when forgetting doesn't help.

    Of several ways the one that keeps most. What comes after them is at least LEAST_KEPT
    tokens of `wanted`.
    """
    start = common_prefix(cached, wanted)
    sought = wanted[start : start + LEAST_KEPT]
    if len(sought) < LEAST_KEPT or len(cached) - start <= LEAST_KEPT:
        return start, start
    windows = np.lib.stride_tricks.sliding_window_view(cached[start + 1 :], LEAST_KEPT)
    found = np.flatnonzero((windows == sought).all(axis=1)) + start + 1
    if not len(found):
        return start, start
    kept = [common_prefix(cached[end:], wanted[start:]) for end in found]
    return start, int(found[int(np.argmax(kept))])
