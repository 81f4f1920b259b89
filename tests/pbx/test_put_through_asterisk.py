"""The key 0, from a caller's telephone to a colleague's: a real call session through a real Asterisk."""

from __future__ import annotations

import pytest
from asterisk import Asterisk, wait_for
from caller import Dial
from exchange import BUSY, COLLEAGUE, PLAIN, password
from receptionist import Receptionist
from sounds import SPEECH, likeness, load

from softagent.abilities import Destination
from softagent.report import Said
from softagent.sip.phone import CallEnd

pytestmark = pytest.mark.pbx

WORDS = SPEECH / "check-number-dial-again.wav"
VOICE = load(SPEECH / "agent-incorrect.wav")[:8000]
"""A second of speech, whatever the agent says."""
FAITHFUL = 0.9
PATIENCE_SECONDS = 60.0


def receptionist(pbx: Asterisk, number: str) -> Receptionist:
    return Receptionist(
        PLAIN,
        password(PLAIN),
        port=pbx.sip_port,
        voice=VOICE,
        greeting="Hello.",
        destinations=(Destination("a colleague", number, default=True),),
    )


def test_the_key_0_reaches_a_person(pbx: Asterisk, dial_pbx: Dial) -> None:
    """Pressed over the greeting; the caller and the colleague hear each other in the end."""
    with receptionist(pbx, COLLEAGUE) as agent, dial_pbx("", user=COLLEAGUE) as colleague:
        agent.wait_registered()
        wait_for(lambda: pbx.is_reachable(COLLEAGUE), "the colleague", seconds=15)
        with dial_pbx(PLAIN) as caller:
            caller.wait("confirmed")
            caller.wait("sound")
            caller.press("0")
            colleague.wait("ringing")
            colleague.answer()
            colleague.wait("confirmed")
            assert agent.call_end() is CallEnd.TRANSFERRED
            caller.play(WORDS)
            colleague.wait("sound")
            colleague.wait("quiet")
            caller.hang_up()
            colleague.wait("closed")
        assert likeness(load(WORDS), colleague.heard(), 8000) > FAITHFUL
        pbx.wait_until_idle()


def test_when_nobody_can_be_reached_the_agent_is_back_and_says_why(
    pbx: Asterisk, dial_pbx: Dial
) -> None:
    with receptionist(pbx, BUSY) as agent:
        agent.wait_registered()
        with dial_pbx(PLAIN) as caller:
            caller.wait("confirmed")
            caller.wait("sound")
            caller.press("0")
            said = ""
            while "The line is busy." not in said:
                report = agent.reports.get(timeout=PATIENCE_SECONDS)
                said += f" {report.text}" if isinstance(report, Said) else ""
            caller.hang_up()
        assert agent.call_end() is CallEnd.CALLER_HUNG_UP
