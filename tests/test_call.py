"""Whole calls on loopback: real sockets, threads and clock; scripted engines and signalling."""

from __future__ import annotations

import logging
import queue
import socket
import threading
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caller_phone import CallerPhone
from scripted_call import (
    AS_IT_COMES,
    DEFAULT_LIMITS,
    FAREWELL,
    GREETING,
    HOST,
    LOUD,
    EndlessVoice,
    LoudIsSpeech,
    ScriptedCall,
    ScriptedLanguageModel,
    account,
    engines,
    free_port,
)
from tone_sounds import Wave, cadence, tone

from softagent.call import CallSession
from softagent.config import LimitSettings
from softagent.dialogue.prompt import opening
from softagent.engines import Engines
from softagent.errors import DiskFull, PortInUse
from softagent.media.codec import codec_named
from softagent.media.description import Direction
from softagent.media.frame import Samples
from softagent.report import CallEnded, CallStarted, Heard, Report, Said, TurnMeasured
from softagent.sip.phone import CallEnd
from softagent.sound import SoundSettings

PATIENCE_SECONDS = 10.0
QUIET = np.zeros(2400, np.int16)


class Bench:
    """A session, its call thread, and what it reports."""

    def __init__(
        self,
        call: ScriptedCall,
        made: Engines,
        *,
        recordings: Path | None = None,
        limits: LimitSettings = DEFAULT_LIMITS,
        sound: SoundSettings = AS_IT_COMES,
        filler_ms: int = 0,
    ) -> None:
        self.call = call
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self.session = CallSession(
            call,
            account(recordings=recordings, limits=limits, sound=sound, filler_ms=filler_ms),
            made,
            opening("You are a receptionist.", ""),
            report=self.reports.put,
        )
        self.end: CallEnd | None = None
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="call reception")

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()

    def reported(self) -> list[Report]:
        return [self.reports.get() for _ in range(self.reports.qsize())]

    def _run(self) -> None:
        try:
            self.end = self.session.run()
        except Exception as error:
            self.error = error


@pytest.fixture(autouse=True)
def nothing_stays_behind() -> Iterator[None]:
    """Every test here leaves as many threads as it found."""
    before = set(threading.enumerate())
    yield
    assert [thread for thread in threading.enumerate() if thread not in before] == []


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        try:
            endpoint.bind((HOST, port))
        except OSError:
            return False
    return True


def test_a_question_is_answered_and_a_goodbye_ends_the_call() -> None:
    port = free_port()
    call = ScriptedCall(remote_port=port)
    bench = Bench(call, engines("When do you open?", "Goodbye."))
    caller = CallerPhone(port, call.media.local_port)
    bench.start()
    for _ in range(2):
        caller.hear_out()
        caller.say()
    bench.join()
    caller.close()

    assert bench.end is CallEnd.AGENT_HUNG_UP
    assert call.done == ["answer", "hang up"]
    reports = [report for report in bench.reported() if not isinstance(report, TurnMeasured)]
    assert reports[:-1] == [
        CallStarted("reception", "call-1", "1000"),
        Said("reception", "call-1", 0, GREETING),
        Heard("reception", "call-1", 1, "When do you open?"),
        Said("reception", "call-1", 1, "We open at eight."),
        Heard("reception", "call-1", 2, "Goodbye."),
        Said("reception", "call-1", 2, FAREWELL),
    ]
    ended = reports[-1]
    assert isinstance(ended, CallEnded)
    assert (ended.reason, ended.turns, ended.interruptions) == ("agent-hung-up", 2, 0)
    assert is_free(call.media.local_port)


@pytest.mark.parametrize(
    ("first", "then", "rate_hz"), [("G722", "PCMU", 16000), ("PCMA", "G722", 8000)]
)
def test_a_call_that_changes_its_codec_goes_on_and_is_recorded_at_its_first_rate(
    tmp_path: Path, first: str, then: str, rate_hz: int
) -> None:
    """A re-INVITE after the first answer; the engines never notice."""
    heard_at: list[int] = []

    def voice_activity(rate: int) -> LoudIsSpeech:
        heard_at.append(rate)
        return LoudIsSpeech()

    port = free_port()
    call = ScriptedCall(remote_port=port, codec=first)
    made = engines("When do you open?", "Goodbye.", voice_activity=voice_activity)
    bench = Bench(call, made, recordings=tmp_path)
    caller = CallerPhone(port, call.media.local_port, codec_name=first)
    bench.start()
    caller.hear_out()
    caller.say(np.full(codec_named(first).rate_hz * 3 // 10, LOUD, np.int16))
    caller.hear_out()
    caller.close()
    caller = CallerPhone(port, call.media.local_port, codec_name=then)
    call.change(codec=then, payload_type=codec_named(then).payload_type)
    caller.say(np.full(codec_named(then).rate_hz * 3 // 10, LOUD, np.int16))
    bench.join()
    caller.close()

    assert bench.end is CallEnd.AGENT_HUNG_UP
    reports = bench.reported()
    assert [report.text for report in reports if isinstance(report, Heard)] == [
        "When do you open?",
        "Goodbye.",
    ]
    assert heard_at == [rate_hz]
    (recording,) = tmp_path.rglob("*.wav")
    with wave.open(str(recording)) as file:
        assert file.getframerate() == rate_hz


def test_a_caller_who_is_kept_waiting_hears_so_and_then_the_answer() -> None:
    port = free_port()
    call = ScriptedCall(remote_port=port)
    made, model = engines("When do you open?", "Goodbye."), ScriptedLanguageModel()
    bench = Bench(call, replace(made, language_model=model), filler_ms=20)
    caller = CallerPhone(port, call.media.local_port)
    bench.start()
    caller.hear_out()
    model.may_answer.clear()
    caller.say()
    caller.hear_out()
    model.may_answer.set()
    while not isinstance(measured := bench.reports.get(timeout=PATIENCE_SECONDS), TurnMeasured):
        pass
    caller.say()
    bench.join()
    caller.close()
    assert measured.marks["filler"] < measured.marks["heard"]
    assert call.done == ["answer", "hang up"]


@pytest.mark.parametrize(
    ("sound", "end"),
    [
        (cadence(425, parts_ms=(200, 200), seconds=30, rate_hz=8000), CallEnd.LINE_DEAD),
        (tone(2100, ms=30_000, rate_hz=8000), CallEnd.FAX),
    ],
)
def test_a_machine_or_a_dead_line_is_hung_up_on(
    sound: Wave, end: CallEnd, caplog: pytest.LogCaptureFixture
) -> None:
    """It would go on for half a minute: some seconds of it suffice, however unsteady the machine."""
    caplog.set_level(logging.INFO)
    port = free_port()
    call = ScriptedCall(remote_port=port)
    bench = Bench(call, engines())
    caller = CallerPhone(port, call.media.local_port)
    bench.start()
    caller.say(sound.astype(np.int16))
    bench.join()
    caller.close()
    assert bench.end is end
    assert call.done == ["answer", "hang up"]
    lines = [record.getMessage() for record in caplog.records]
    assert any(line.startswith("event=tone tone=") for line in lines)
    assert any(f"event=call-ended reason={end.value}" in line for line in lines)


def test_a_caller_whose_media_moves_hears_and_is_heard_at_the_new_address() -> None:
    """The PBX takes itself out of the media: what comes from elsewhere is the same call."""
    pbx_port, direct_port = free_port(), free_port()
    call = ScriptedCall(remote_port=pbx_port)
    bench = Bench(call, engines("When do you open?", "Goodbye."))
    pbx = CallerPhone(pbx_port, call.media.local_port)
    bench.start()
    pbx.hear_out()
    pbx.close()
    call.move(direct_port)
    caller = CallerPhone(direct_port, call.media.local_port)
    caller.say()
    caller.hear_out()
    caller.say()
    bench.join()
    caller.close()

    assert bench.end is CallEnd.AGENT_HUNG_UP
    assert [report.text for report in bench.reported() if isinstance(report, Heard)] == [
        "When do you open?",
        "Goodbye.",
    ]


def test_a_caller_who_hangs_up_while_the_greeting_is_made_ends_everything() -> None:
    voice = EndlessVoice()
    bench = Bench(ScriptedCall(), engines(synthesizer=voice))
    bench.start()
    assert voice.has_begun.wait(PATIENCE_SECONDS)
    bench.call.end(CallEnd.CALLER_HUNG_UP)
    bench.join()
    assert bench.end is CallEnd.CALLER_HUNG_UP
    assert is_free(bench.call.media.local_port)


def test_a_call_that_is_to_end_before_it_began_is_not_answered() -> None:
    bench = Bench(ScriptedCall(), engines())
    bench.session.end(CallEnd.AGENT_HUNG_UP)
    bench.start()
    bench.join()
    assert bench.end is CallEnd.AGENT_HUNG_UP
    assert bench.call.done == ["hang up"]


def test_a_port_that_is_taken_refuses_the_call() -> None:
    call = ScriptedCall()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, call.media.local_port))
        bench = Bench(call, engines())
        bench.start()
        bench.join()
    assert isinstance(bench.error, PortInUse)
    assert call.done[0] == "reject 500"
    assert isinstance(bench.reported()[-1], CallEnded)


def test_a_bye_that_cannot_be_sent_leaves_nothing_behind() -> None:
    """With the cable pulled, the kernel refuses to send it."""

    class Unreachable(ScriptedCall):
        def hang_up(self) -> None:
            raise OSError("Network is unreachable")

    bench = Bench(Unreachable(), engines())
    bench.start()
    assert bench.call.is_answered.wait(PATIENCE_SECONDS)
    bench.session.end(CallEnd.AGENT_HUNG_UP)
    bench.join()
    assert isinstance(bench.error, OSError)
    assert is_free(bench.call.media.local_port)


def test_an_engine_that_breaks_in_the_call_thread_ends_the_call_and_its_threads() -> None:
    class Broken(LoudIsSpeech):
        def probability(self, window: Samples) -> float:
            raise RuntimeError("model gone")

    bench = Bench(ScriptedCall(), engines(voice_activity=lambda rate_hz: Broken()))
    bench.start()
    bench.join()
    assert isinstance(bench.error, RuntimeError)
    assert bench.call.done == ["answer", "hang up"]
    assert is_free(bench.call.media.local_port)


def test_a_recording_that_cannot_be_finished_costs_no_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullDisk:
        def __init__(self, path: Path, rate_hz: int) -> None:
            pass

        def write(self, caller: Samples, agent: Samples) -> None:
            pass

        def close(self) -> None:
            raise DiskFull("no room left for the recording")

    monkeypatch.setattr("softagent.recording.StereoRecorder", FullDisk)
    bench = Bench(ScriptedCall(), engines(), recordings=tmp_path)
    bench.start()
    assert bench.call.is_answered.wait(PATIENCE_SECONDS)
    bench.call.end(CallEnd.CALLER_HUNG_UP)
    bench.join()
    assert bench.error is None
    assert bench.end is CallEnd.CALLER_HUNG_UP


def test_a_call_on_hold_stands_still_and_goes_on_where_it_was(tmp_path: Path) -> None:
    """Music on hold is no question, and no answer to it is ever heard."""
    port = free_port()
    call = ScriptedCall(remote_port=port)
    bench = Bench(call, engines("Goodbye."), recordings=tmp_path)
    caller = CallerPhone(port, call.media.local_port)
    bench.start()
    caller.hear_out()
    call.change(direction=Direction.RECVONLY)
    caller.say()
    caller.wait_until_said()
    call.change(direction=Direction.SENDRECV)
    caller.say()
    bench.join()
    caller.close()

    assert bench.end is CallEnd.AGENT_HUNG_UP
    reports = bench.reported()
    assert [report.text for report in reports if isinstance(report, Heard)] == ["Goodbye."]
    ended = reports[-1]
    assert isinstance(ended, CallEnded)
    assert ended.interruptions == 0


class AttentiveCleaner:
    """Changes nothing, and notes when it is told that the line may be another one."""

    is_echo = False

    def __init__(self) -> None:
        self.begun_anew = 0

    def begin_anew(self) -> None:
        self.begun_anew += 1

    def clean(self, caller: Samples, agent: Samples) -> Samples:
        assert caller.shape == agent.shape
        return caller


@pytest.mark.parametrize(
    ("changes", "begun_anew"),
    [
        ([{}], 0),
        ([{"codec": "PCMA", "payload_type": 8}], 1),
        ([{"direction": Direction.RECVONLY}, {"direction": Direction.SENDRECV}], 1),
    ],
    ids=["refreshed", "another codec", "hold"],
)
def test_what_is_known_of_an_echo_is_forgotten_when_the_line_may_be_another_one(
    monkeypatch: pytest.MonkeyPatch, changes: list[dict[str, Any]], begun_anew: int
) -> None:
    cleaner = AttentiveCleaner()
    monkeypatch.setattr("softagent.caller_line.SoundCleaner", lambda settings, *, rate_hz: cleaner)
    port = free_port()
    call = ScriptedCall(remote_port=port)
    bench = Bench(call, engines("Goodbye."), sound=SoundSettings())
    caller = CallerPhone(port, call.media.local_port)
    bench.start()
    caller.hear_out()
    for change in changes:
        call.change(**change)
        caller.say(QUIET)
        caller.wait_until_said()
    caller.close()
    caller = CallerPhone(port, call.media.local_port, codec_name=call.media.codec)
    caller.say()
    bench.join()
    caller.close()
    assert bench.end is CallEnd.AGENT_HUNG_UP
    assert cleaner.begun_anew == begun_anew


def test_a_hold_without_end_ends_the_call() -> None:
    limits = replace(LimitSettings(), hold_seconds=0)
    bench = Bench(ScriptedCall(), engines(), limits=limits)
    bench.start()
    assert bench.call.is_answered.wait(PATIENCE_SECONDS)
    bench.call.change(direction=Direction.INACTIVE)
    bench.join()
    assert bench.end is CallEnd.AGENT_HUNG_UP


def test_a_caller_from_whom_nothing_comes_is_gone() -> None:
    limits = replace(LimitSettings(), rtp_timeout_seconds=1)
    bench = Bench(ScriptedCall(), engines(), limits=limits)
    bench.start()
    bench.join()
    assert bench.end is CallEnd.FAR_END_LOST
    assert bench.call.done == ["answer", "hang up"]


def test_keys_that_come_as_info_are_keys_and_no_part_of_the_usual_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    bench = Bench(ScriptedCall(), engines(), limits=replace(LimitSettings(), rtp_timeout_seconds=1))
    bench.start()
    assert bench.call.is_answered.wait(PATIENCE_SECONDS)
    bench.call.press("5#")
    bench.join()
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [line for line in lines if "digit" in line[1]] == [
        ("INFO", "event=digit"),
        ("DEBUG", "event=digit-pressed digit=5"),
        ("INFO", "event=digit"),
        ("DEBUG", "event=digit-pressed digit=#"),
    ]
