"""What takes its time: a call beyond its session interval, and registrations beyond what was granted."""

from __future__ import annotations

import time

import pytest
from asterisk import wait_for
from exchange import SHORT, TIMED
from long_run import LONG_SECONDS, LongRun
from sounds import SPEECH, likeness, load

from softagent.sip.phone import CallEnd, RegistrationState

pytestmark = pytest.mark.pbx

THEIR_WORDS = SPEECH / "check-number-dial-again.wav"
OUR_WORDS = load(SPEECH / "agent-incorrect.wav")[:16000]
FAITHFUL = 0.9


def test_a_call_outlives_its_session_interval(long_run: LongRun) -> None:
    """At 90 s Asterisk would have ended it, had nobody refreshed the session; sound flows as before."""
    time.sleep(max(0.0, long_run.begun + LONG_SECONDS - time.monotonic()))
    leg, call = long_run.leg, long_run.call
    assert not leg.is_over
    refreshes = long_run.pbx.find(
        r"^(?:INVITE|UPDATE) sip:.*\n(?:[^\n]+\n)*?Session-Expires: 90", since=long_run.mark
    )
    assert len(refreshes) >= 2, "one after each half of the interval"
    since = leg.heard_seconds
    call.play(THEIR_WORDS)
    leg.play(OUR_WORDS)
    leg.listen(2.7)
    call.hang_up()
    assert leg.end() is CallEnd.CALLER_HUNG_UP
    assert likeness(load(THEIR_WORDS), leg.heard(since), 8000) > FAITHFUL
    assert likeness(OUR_WORDS, call.heard(), 8000) > FAITHFUL


def test_a_registration_capped_at_20_s_never_runs_out(long_run: LongRun) -> None:
    """Refreshed by what was granted: the telephone has asked for 120 s and would ask again after 60."""
    time.sleep(max(0.0, long_run.begun + LONG_SECONDS - time.monotonic()))
    granted = [known.expires_seconds for _, known in long_run.short.registrations]
    assert 18 <= granted[-1] <= 20
    states = {known.state for _, known in long_run.short.registrations}
    assert states == {RegistrationState.REGISTERING, RegistrationState.REGISTERED}
    assert not long_run.pbx.find(f"Removed contact.*'{SHORT}'.*expiration")
    wait_for(lambda: long_run.pbx.is_reachable(SHORT), "the registration", seconds=1)


def test_qualify_never_finds_the_telephone_gone(long_run: LongRun) -> None:
    time.sleep(max(0.0, long_run.begun + LONG_SECONDS - time.monotonic()))
    asked = long_run.pbx.find(rf"^OPTIONS sip:{TIMED}@", since=long_run.mark)
    assert len(asked) > LONG_SECONDS / 2, "once a second"
    assert not long_run.pbx.find(r"Contact \d+/.* is now Unreachable", since=long_run.mark)
