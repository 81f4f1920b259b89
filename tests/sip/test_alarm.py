"""Alarms, told the time in numbers."""

from __future__ import annotations

import pytest

from softagent.sip.alarm import NEVER, Alarms


def test_alarms_go_off_in_the_order_of_their_time() -> None:
    """Each once, at its time or at the first look after it."""
    alarms, heard = Alarms(), list[str]()
    alarms.set(2.0, lambda: heard.append("second"))
    alarms.set(1.0, lambda: heard.append("first"))
    alarms.wake(0.9)
    assert (heard, alarms.next_wake) == ([], 1.0)
    alarms.wake(5.0)
    alarms.wake(6.0)
    assert (heard, alarms.next_wake) == (["first", "second"], NEVER)


def test_cancelled_alarm_stays_silent() -> None:
    """It is forgotten as if it had never been set."""
    alarms, heard = Alarms(), list[str]()
    alarm = alarms.set(1.0, lambda: heard.append("never"))
    alarm.cancel()
    assert alarms.next_wake == NEVER
    alarms.wake(2.0)
    assert not heard
    assert not alarm.is_set


def test_alarm_may_set_another() -> None:
    """One that is due already goes off in the same look."""
    alarms, heard = Alarms(), list[str]()
    alarms.set(1.0, lambda: alarms.set(1.0, lambda: heard.append("inner")))  # type: ignore[func-returns-value]
    alarms.wake(1.0)
    assert heard == ["inner"]


def test_alarm_that_fails_takes_no_other_along() -> None:
    """The error is the caller's to see, and the next look deals with the rest."""
    alarms, heard = Alarms(), list[str]()
    alarms.set(1.0, lambda: heard.remove("missing"))
    alarms.set(1.0, lambda: heard.append("other"))
    with pytest.raises(ValueError, match="not in list"):
        alarms.wake(1.0)
    alarms.wake(1.0)
    assert heard == ["other"]
