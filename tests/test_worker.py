"""A worker between a scripted phone and the supervisor's pipe; it runs in this, the main thread."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import UnionType

import pytest
from aiortp import RtpPacket
from scripted_call import HOST, LoudIsSpeech, ScriptedCall, account, engines

from softagent.capture.pcap import Capture
from softagent.capture.tracer import Tracer
from softagent.config import Account
from softagent.dialogue.conversation import Conversation
from softagent.dialogue.deeds import LeaveMessage
from softagent.dialogue.events import CallerHungUp, Command, Do, Event
from softagent.engines import Engines
from softagent.errors import CredentialsRefused, PortInUse, RegistrationLost
from softagent.heartbeat import Beat, Ready
from softagent.media.courier import Courier, Delivery
from softagent.media.frame import Samples
from softagent.message_settings import MessageSettings
from softagent.messages.outbox import outbox_of
from softagent.messages.postman import Postman
from softagent.messages.ways import ways_of
from softagent.report import (
    CallEnded,
    CallStarted,
    Did,
    MessagesWaiting,
    RegistrationChanged,
    Said,
)
from softagent.sip.phone import CallEnd, IncomingCall, Registration, RegistrationState
from softagent.worker import Worker

PATIENCE_SECONDS = 10.0
REGISTERED = Registration(RegistrationState.REGISTERED, "200 OK", expires_seconds=120)
REFUSED = Registration(RegistrationState.FAILED, "403 Forbidden", is_refused=True)


class ScriptedPhone:
    """A phone without a network: the test says what comes in."""

    def __init__(self) -> None:
        self.registration = Registration(RegistrationState.UNREGISTERED)
        self.is_started = threading.Event()
        self.is_alive = True
        self.calls_at_stop: list[list[str]] = []
        """What had been done to each call when the phone was stopped."""
        self.is_stopped = False
        self.has_stopped = threading.Event()
        self._calls: list[ScriptedCall] = []

    def start(
        self,
        *,
        on_call: Callable[[IncomingCall], None],
        on_registration: Callable[[Registration], None],
    ) -> None:
        self._on_call = on_call
        self.register = on_registration
        self.is_started.set()

    def ring(self, call: ScriptedCall) -> ScriptedCall:
        self._calls.append(call)
        self._on_call(call)
        return call

    def stop(self, *, timeout_seconds: float = 4.0) -> None:
        self.is_stopped = True
        self.calls_at_stop = [list(call.done) for call in self._calls]
        self.has_stopped.set()


class Bench:
    """A worker and both ends of its pipe."""

    def __init__(
        self,
        made: Engines | None = None,
        *,
        report_words: bool = False,
        tracer: Tracer | None = None,
        courier: Courier | None = None,
        office: Account | None = None,
    ) -> None:
        self.phone = ScriptedPhone()
        self.supervisor, parent = Pipe()
        self._parent: Connection = parent
        self._worker = Worker(
            office or account(),
            made or engines(),
            self.phone,
            parent=parent,
            report_words=report_words,
            beat_seconds=0.01,
            tracer=tracer,
            courier=courier,
        )

    def run(self, script: Callable[[], None]) -> int:
        """Run the worker, and `script` beside it; when that is over, the supervisor is gone."""

        def drive() -> None:
            try:
                assert self.phone.is_started.wait(PATIENCE_SECONDS)
                script()
            finally:
                self.supervisor.close()

        with ThreadPoolExecutor(1) as pool:
            driving = pool.submit(drive)
            try:
                return self._worker.run()
            finally:
                driving.result(PATIENCE_SECONDS)
                self._parent.close()

    def next_message(self, kind: type | UnionType) -> object:
        """The next message of `kind` from the worker; others before it are dropped."""
        while True:
            assert self.supervisor.poll(PATIENCE_SECONDS)
            if isinstance(message := self.supervisor.recv(), kind):
                return message


def test_a_worker_is_ready_once_registered_and_then_beats() -> None:
    bench = Bench()
    messages: list[object] = []

    def script() -> None:
        for _ in range(2):
            bench.phone.register(REGISTERED)
        messages.append(bench.next_message(Ready))
        messages.extend(bench.next_message(Ready | Beat) for _ in range(3))

    assert bench.run(script) == 0
    assert messages == [Ready(), Beat(), Beat(), Beat()]
    assert bench.phone.is_stopped


def test_a_worker_tells_how_its_registration_stands() -> None:
    """Each change, for `softagent status`."""
    bench = Bench()
    changes: list[object] = []

    def script() -> None:
        for registration in (REGISTERED, REFUSED):
            bench.phone.register(registration)
            changes.append(bench.next_message(RegistrationChanged))

    assert bench.run(script) == 0
    assert [(change.state, change.reason) for change in changes] == [  # type: ignore[attr-defined]
        (registration.state.value, registration.reason) for registration in (REGISTERED, REFUSED)
    ]


def test_refused_credentials_end_the_worker_and_name_what_to_check() -> None:
    bench = Bench()
    with pytest.raises(CredentialsRefused, match=r'refuses user "100" .*403 Forbidden') as refused:
        bench.run(lambda: bench.phone.register(REFUSED))
    assert refused.value.exit_code == 77
    assert bench.phone.is_stopped


def test_a_refusal_after_a_registration_is_waited_out() -> None:
    """A PBX that is being reconfigured must not cost a working extension its process."""
    bench = Bench()

    def script() -> None:
        bench.phone.register(REGISTERED)
        bench.phone.register(REFUSED)
        bench.next_message(Beat)

    assert bench.run(script) == 0


def test_a_phone_that_cannot_start_ends_the_worker() -> None:
    bench = Bench()

    def start(**callbacks: object) -> None:
        bench.phone.is_started.set()
        raise PortInUse("local_port 5060 is taken")

    bench.phone.start = start  # type: ignore[method-assign]
    with pytest.raises(PortInUse):
        bench.run(lambda: None)


def test_a_worker_whose_phone_has_died_ends() -> None:
    """Else it would beat on, and no call would ever come."""
    bench = Bench()

    def script() -> None:
        bench.phone.is_alive = False
        assert bench.phone.has_stopped.wait(PATIENCE_SECONDS)

    with pytest.raises(RegistrationLost):
        bench.run(script)


def test_the_end_of_the_supervisor_ends_the_call_before_the_registration() -> None:
    bench = Bench()
    call = ScriptedCall()

    def script() -> None:
        bench.phone.ring(call)
        assert call.is_answered.wait(PATIENCE_SECONDS)

    assert bench.run(script) == 0
    assert bench.phone.calls_at_stop == [["answer", "hang up"]]


def test_sigterm_ends_the_call_before_the_registration() -> None:
    bench = Bench()
    call = ScriptedCall()

    def script() -> None:
        bench.phone.ring(call)
        assert call.is_answered.wait(PATIENCE_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        assert call.is_over.wait(PATIENCE_SECONDS)

    before = signal.getsignal(signal.SIGTERM)
    assert bench.run(script) == 0
    assert bench.phone.calls_at_stop == [["answer", "hang up"]]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_call_that_fails_is_one_call_lost() -> None:
    class Broken(LoudIsSpeech):
        def probability(self, window: Samples) -> float:
            raise RuntimeError("model gone")

    detectors = iter([Broken(), LoudIsSpeech()])
    bench = Bench(engines(voice_activity=lambda rate_hz: next(detectors)))

    def script() -> None:
        first = bench.phone.ring(ScriptedCall())
        assert first.is_over.wait(PATIENCE_SECONDS)
        second = bench.phone.ring(ScriptedCall(call_id="call-2"))
        assert second.is_answered.wait(PATIENCE_SECONDS)
        bench.next_message(Beat)

    assert bench.run(script) == 0


def test_a_call_whose_engines_cannot_be_had_is_refused() -> None:
    def gone(rate_hz: int) -> LoudIsSpeech:
        raise RuntimeError("model gone")

    bench = Bench(engines(voice_activity=gone))

    def script() -> None:
        assert bench.phone.ring(ScriptedCall()).is_over.wait(PATIENCE_SECONDS)

    assert bench.run(script) == 0
    assert bench.phone.calls_at_stop == [["hang up"]]


def test_a_call_that_came_while_the_last_one_was_cleaned_up_is_ended_too() -> None:
    class Slow(ScriptedCall):
        """Takes its time to hang up."""

        may_end = threading.Event()

        def hang_up(self) -> None:
            assert self.may_end.wait(PATIENCE_SECONDS)
            super().hang_up()

    bench = Bench()
    second = ScriptedCall(call_id="call-2")

    def script() -> None:
        first = Slow()
        bench.phone.ring(first)
        assert first.is_answered.wait(PATIENCE_SECONDS)
        first.end(CallEnd.CALLER_HUNG_UP)
        bench.phone.ring(second)
        assert second.is_answered.wait(PATIENCE_SECONDS)
        first.may_end.set()
        bench.next_message(CallEnded)
        bench.next_message(Beat)

    assert bench.run(script) == 0
    assert bench.phone.calls_at_stop == [["answer", "hang up"]] * 2


def test_a_call_that_comes_while_the_worker_stops_is_refused() -> None:
    bench = Bench()
    late = ScriptedCall(call_id="call-2")

    class Last(ScriptedCall):
        """A queue sends the next caller as soon as this one is gone."""

        def hang_up(self) -> None:
            super().hang_up()
            bench.phone.ring(late)

    def script() -> None:
        assert bench.phone.ring(Last()).is_answered.wait(PATIENCE_SECONDS)

    assert bench.run(script) == 0
    assert bench.phone.calls_at_stop == [["answer", "hang up"], ["reject 480"]]


def test_a_call_that_is_still_being_prepared_when_the_worker_stops_is_not_left_behind() -> None:
    is_loading, may_load = threading.Event(), threading.Event()

    def slow(rate_hz: int) -> LoudIsSpeech:
        is_loading.set()
        assert may_load.wait(PATIENCE_SECONDS)
        return LoudIsSpeech()

    bench = Bench(engines(voice_activity=slow))

    def script() -> None:
        bench.phone.ring(ScriptedCall())
        assert is_loading.wait(PATIENCE_SECONDS)
        bench.supervisor.close()
        may_load.set()

    assert bench.run(script) == 0
    [done] = bench.phone.calls_at_stop
    assert done[-1] == "hang up"


@pytest.mark.parametrize("report_words", [True, False])
def test_words_are_reported_only_when_asked_for(report_words: bool) -> None:
    bench = Bench(report_words=report_words)
    reports: list[object] = []

    def script() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far_end:
            far_end.bind((HOST, 0))
            far_end.settimeout(PATIENCE_SECONDS)
            call = bench.phone.ring(ScriptedCall(remote_port=far_end.getsockname()[1]))
            silence = b"\xff" * 160
            while far_end.recv(2048)[-160:] == silence:
                pass
            if report_words:
                reports.append(bench.next_message(Said))
            call.end(CallEnd.CALLER_HUNG_UP)
            while not isinstance(message := bench.supervisor.recv(), CallEnded):
                reports.append(message)

    assert bench.run(script) == 0
    assert any(isinstance(report, Said) for report in reports) == report_words
    assert any(isinstance(report, CallStarted) for report in reports) != report_words


def test_a_traced_call_is_in_its_file_when_the_worker_has_ended(tmp_path: Path) -> None:
    """Its sound from the first packet on: the trace begins before the phone and ends after it."""
    bench = Bench(report_words=True, tracer=Tracer("reception", tmp_path))
    call = ScriptedCall()

    def script() -> None:
        bench.phone.ring(call)
        assert call.is_answered.wait(PATIENCE_SECONDS)
        bench.next_message(Said)

    assert bench.run(script) == 0
    (path,) = tmp_path.iterdir()
    packets = [RtpPacket.parse(frame.data[28:]) for frame in Capture(path) if len(frame.data) > 190]
    assert packets[0].marker
    first = packets[0].sequence_number
    numbers = [(packet.sequence_number - first) % 65536 for packet in packets]
    assert numbers == list(range(len(packets)))


class CountingCourier(Courier):
    """A real one that keeps what a call's packets were handed to."""

    def __init__(self) -> None:
        super().__init__()
        self.streams = 0
        self.is_up = False

    def start(self) -> None:
        super().start()
        self.is_up = True

    def stop(self) -> None:
        super().stop()
        self.is_up = False

    def open(self, endpoint: socket.socket) -> Delivery | None:
        self.streams += 1
        return super().open(endpoint)


def test_a_worker_has_its_calls_packets_sent_by_a_courier_from_start_to_end() -> None:
    courier = CountingCourier()
    bench = Bench(courier=courier)
    ups: list[bool] = []

    def script() -> None:
        ups.append(courier.is_up)
        call = bench.phone.ring(ScriptedCall())
        assert call.is_answered.wait(PATIENCE_SECONDS)
        call.end(CallEnd.CALLER_HUNG_UP)
        bench.next_message(CallEnded)

    assert bench.run(script) == 0
    assert (ups, courier.is_up, courier.streams) == ([True], False, 1)


class Leaving(Conversation):
    """Of a caller who leaves a message by hanging up; that may be told twice."""

    has_left = False

    def handle(self, event: Event) -> list[Command]:
        match event:
            case CallerHungUp() if not self.has_left:
                self.has_left = True
                return [Do(1, LeaveMessage("Ann Miller", "030 1234", "a lost key"))]
        return super().handle(event)


def test_a_message_that_a_caller_leaves_gets_to_the_folder_with_recording_and_transcript(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By this worker, or if that is told to stop before, by the next one."""
    monkeypatch.setattr("softagent.talk.Conversation", Leaving)
    shared = tmp_path / "shared"
    shared.mkdir()
    settings = MessageSettings(directory=tmp_path / "kept", folder=shared)
    office = replace(account(recordings=tmp_path / "calls"), messages=settings)
    bench = Bench(office=office, report_words=True)
    told: list[object] = []

    def script() -> None:
        told.append(bench.next_message(MessagesWaiting))
        call = bench.phone.ring(ScriptedCall())
        bench.next_message(Said)
        call.end(CallEnd.CALLER_HUNG_UP)
        told.extend(bench.next_message(Did | CallEnded) for _ in range(2))  # in any order

    assert bench.run(script) == 0
    assert [known for known in told if not isinstance(known, CallEnded)] == [
        MessagesWaiting("reception", 0),
        Did("reception", "call-1", "message", "done"),
    ]
    outbox = outbox_of("reception", settings)
    with outbox.lock() as is_ours:
        assert is_ours
        Postman(outbox, ways_of(settings), account="reception", clock=lambda: 0.0).deliver_due()
    [file] = shared.glob("*.json")
    values = json.loads(file.read_text())
    assert (values["name"], values["number"], values["reason"]) == (
        "Ann Miller",
        "030 1234",
        "a lost key",
    )
    assert (values["call"], values["account"]) == ("call-1", "reception")
    assert values["transcript"] == [{"who": "agent", "text": "Hello."}]
    [recording] = (tmp_path / "calls").glob("*.wav")
    assert (shared / values["recording"]).read_bytes() == recording.read_bytes()


def test_a_worker_without_a_place_for_messages_takes_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("softagent.talk.Conversation", Leaving)
    bench = Bench()
    told: list[object] = []

    def script() -> None:
        call = bench.phone.ring(ScriptedCall())
        assert call.is_answered.wait(PATIENCE_SECONDS)
        call.end(CallEnd.CALLER_HUNG_UP)
        told.append(bench.next_message(Did))

    assert bench.run(script) == 0
    assert told == [Did("reception", "call-1", "message", "failed")]
