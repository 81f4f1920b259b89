"""A scripted caller in a real call, against an agent that answers with a tone."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from raw_phone import RawPhone

from softagent.lab.caller import ScriptedCaller
from softagent.lab.outgoing import CallFailed, CallPhase
from softagent.lab.pbx import LabPbx
from softagent.lab.script import Line, Manners, is_voiced
from softagent.lab.sdpwire import offer, parse_answer
from softagent.lab.sipwire import Request
from softagent.lab.sound import load_channels
from softagent.lab.tap import bind_even
from softagent.lab.timing import measure
from softagent.media.description import MediaDescription
from softagent.media.frame import Samples, Tick
from softagent.media.playout import Playout
from softagent.media.stream import RtpStream

RATE_HZ = 8000
ANSWER_AFTER_TICKS = 15
MANNERS = Manners(quiet_ms=200, patience_ms=1500)


def tone(milliseconds: int) -> Samples:
    time = np.arange(milliseconds * RATE_HZ // 1000) / RATE_HZ
    return (10_000 * np.sin(2 * np.pi * 400 * time)).astype(np.int16)


class ToneAgent:
    """Greets with a tone, and answers with one 300 ms after the caller falls silent."""

    def __init__(self, phone: RawPhone) -> None:
        self._phone = phone
        self._playout = Playout(RATE_HZ)
        self._turn = 0
        self._silent_ticks: int | None = ANSWER_AFTER_TICKS - 1
        self._thread = threading.Thread(target=self._answer)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join(timeout=5.0)
        assert not self._thread.is_alive()

    def _answer(self) -> None:
        """Take the call, and stay until its BYE."""
        invite = self._phone.receive_request("INVITE")
        caller = parse_answer(invite.body)
        with bind_even("127.0.0.1") as probe:
            local = probe.getsockname()
        stream = RtpStream(
            MediaDescription(
                codec="PCMU",
                payload_type=0,
                remote_host=caller.host,
                remote_port=caller.port,
                local_host=local[0],
                local_port=local[1],
                event_payload_type=None,
            ),
            playout=self._playout,
            on_tick=self._on_tick,
            name="tone-agent",
        )
        stream.start()
        self._phone.respond(invite, 200, "OK", body=offer(*local, codecs=("PCMU",), session=1))
        try:
            self._phone.receive_request("ACK")
            bye = self._phone.receive()
            assert isinstance(bye, Request)
            self._phone.respond(bye, 200, "OK", dialog=False)
        finally:
            stream.stop()

    def _on_tick(self, tick: Tick) -> None:
        if is_voiced(tick.caller):
            self._silent_ticks = 0
        elif self._silent_ticks is not None:
            self._silent_ticks += 1
        if self._silent_ticks == ANSWER_AFTER_TICKS:
            self._silent_ticks = None
            self._playout.begin(self._turn)
            self._playout.put(self._turn, 0, tone(200))
            self._playout.finish(self._turn)
            self._playout.release(self._turn)
            self._turn += 1


@pytest.fixture
def pbx() -> Iterator[LabPbx]:
    pbx = LabPbx({"100": "secret100"})
    pbx.start()
    yield pbx
    pbx.stop()


@pytest.fixture
def phone(pbx: LabPbx) -> Iterator[RawPhone]:
    phone = RawPhone(pbx.address)
    phone.register()
    yield phone
    phone.close()


def test_a_script_is_spoken_and_recorded(pbx: LabPbx, phone: RawPhone, tmp_path: Path) -> None:
    """Two lines, two answers: both measured on the recording, every packet seen by the tap."""
    agent = ToneAgent(phone)
    agent.start()
    begun: list[int] = []
    caller = ScriptedCaller(
        [Line("one", tone(300)), Line("two", tone(500))],
        recording=tmp_path / "call.wav",
        manners=MANNERS,
        on_line=begun.append,
    )
    conversation = caller.converse(lambda media: pbx.call("100", media=media))
    agent.join()

    assert begun == [0, 1]
    assert [delivery.is_answered for delivery in conversation.deliveries] == [True, True]
    assert conversation.ended_by is CallPhase.ENDED_BY_CALLER
    (left, right), rate_hz = load_channels(conversation.recording)
    timing = measure(left, right, rate_hz)
    assert len(timing.responses) == 2
    assert all(response.response_ms > 290 for response in timing.responses)
    sequence = [arrival.sequence for arrival in conversation.arrivals]
    assert {(after - before) % 65536 for before, after in itertools.pairwise(sequence)} == {1}
    assert conversation.stats.lost == 0


def test_a_refused_call_is_reported(pbx: LabPbx, phone: RawPhone, tmp_path: Path) -> None:
    """Nobody answers: CallFailed, and no recording."""

    def refuse() -> None:
        invite = phone.receive_request("INVITE")
        phone.respond(invite, 486, "Busy Here")
        phone.receive_request("ACK")

    refusal = threading.Thread(target=refuse)
    refusal.start()
    caller = ScriptedCaller([Line("one", tone(300))], recording=tmp_path / "call.wav")
    with pytest.raises(CallFailed, match="486"):
        caller.converse(lambda media: pbx.call("100", media=media))
    refusal.join(timeout=5.0)
    assert not (tmp_path / "call.wav").exists()
