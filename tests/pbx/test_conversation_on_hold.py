"""What hold does to the agent: a real call session through a real Asterisk, its words known beforehand."""

from __future__ import annotations

import time

import pytest
from asterisk import Asterisk
from caller import Dial, audible_seconds
from exchange import HELD, password
from receptionist import Receptionist
from sounds import SPEECH, load, matches

from softagent.sip.phone import CallEnd

pytestmark = pytest.mark.pbx

WORDS = load(SPEECH / "agent-incorrect.wav")
"""Five seconds at 8 kHz."""
FAITHFUL = 0.9


def test_the_agent_pauses_on_hold_and_goes_on_where_it_was(pbx: Asterisk, dial_pbx: Dial) -> None:
    """Held in the middle of its greeting, it says nothing; after the resume it says the rest, once."""
    agent = Receptionist(
        HELD, password(HELD), port=pbx.sip_port, voice=WORDS, codecs=("PCMU",), greeting="Hello."
    )
    with agent:
        agent.wait_registered()
        with dial_pbx(HELD) as call:
            call.wait("confirmed")
            call.wait("sound")
            time.sleep(1.5)  # it speaks
            call.hold()
            time.sleep(2.0)
            call.resume()
            call.wait("sound")
            call.wait("quiet")
            call.hang_up()
        assert agent.call_end() is CallEnd.CALLER_HUNG_UP
    # The recording stands still on hold: what was said meanwhile would be missing in it.
    heard = call.heard()
    assert (matches(WORDS, heard, 8000) > FAITHFUL).mean() > 0.8
    assert abs(audible_seconds(heard) - audible_seconds(WORDS)) < 0.5
