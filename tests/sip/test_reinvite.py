"""How long to wait after a 491 (RFC 3261 section 14.1)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from softagent.sip.reinvite import glare_seconds
from softagent.sip.repetition import RFC_TIMING, Timing


@pytest.mark.parametrize(
    ("is_caller", "shortest", "longest"), [(True, 2.1, 4.0), (False, 0.0, 2.0)]
)
def test_who_has_made_the_call_id_waits_longer(
    is_caller: bool, shortest: float, longest: float
) -> None:
    """In steps of 10 ms; so both don't ask at once again."""
    waits = [glare_seconds(session(is_caller, RFC_TIMING)) for _ in range(500)]
    assert shortest <= min(waits) < max(waits) <= longest
    assert all(abs(wait * 100 - round(wait * 100)) < 1e-6 for wait in waits)


def test_wait_goes_with_t1() -> None:
    """A network that is given more time gets it here too."""
    slow = Timing(t1_seconds=5.0)
    assert all(21.0 <= glare_seconds(session(True, slow)) <= 40.0 for _ in range(100))


def session(is_caller: bool, timing: Timing) -> object:
    """As much of a session as counts here."""
    transactions = SimpleNamespace(timing=timing)
    line = SimpleNamespace(endpoint=SimpleNamespace(transactions=transactions))
    return SimpleNamespace(is_caller=is_caller, line=line)
