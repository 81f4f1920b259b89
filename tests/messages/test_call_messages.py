"""A message from the caller's word to its delivery, through every death in between."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from messages_fakes import LEFT, Clock, Way

from softagent.dialogue.deeds import DeedResult
from softagent.message_settings import MessageSettings
from softagent.messages.call_messages import CallMessages
from softagent.messages.message import Line
from softagent.messages.outbox import Outbox
from softagent.messages.postman import Postman
from softagent.messages.ways import ways_of
from softagent.report import CallStarted, Did, Heard, Report, Said

PATIENCE_SECONDS = 30.0


class LiveCall:
    """A call with a place for its messages."""

    def __init__(self, folder: Path, way: Way | None = None) -> None:
        self.clock = Clock()
        self.way = way or Way()
        self.outbox = Outbox(folder)
        self.postman = Postman(
            self.outbox, {"email": self.way}, account="reception", clock=self.clock
        )
        self.passed_on: list[Report] = []
        self.messages = CallMessages(
            self.postman,
            account="reception",
            call="call-1",
            caller="1001",
            clock=self.clock,
            pass_on=self.passed_on.append,
        )

    def hear(self, turn: int, text: str) -> None:
        self.messages.report(Heard("reception", "call-1", turn, text))

    def say(self, turn: int, text: str) -> None:
        self.messages.report(Said("reception", "call-1", turn, text))


def test_done_means_on_the_disk(tmp_path: Path) -> None:
    line = LiveCall(tmp_path)
    outcome = line.messages.keep(LEFT)
    assert outcome.result is DeedResult.DONE
    [kept] = Outbox(tmp_path).entries()
    message = kept.message
    assert (message.name, message.number, message.reason) == (
        "Ann Miller",
        "030 1234",
        "a lost key",
    )
    assert (message.account, message.call, message.caller) == ("reception", "call-1", "1001")
    assert message.taken_at == line.clock.now
    assert message.id == outcome.detail


def test_the_transcript_goes_on_to_the_end_of_the_call(tmp_path: Path) -> None:
    """What was heard of a turn is replaced when the turn goes on; answers grow by the clause."""
    line = LiveCall(tmp_path)
    line.messages.report(CallStarted("reception", "call-1", "1001"))
    line.say(0, "Hello.")
    line.hear(1, "I have lost")
    line.hear(1, "I have lost my key.")
    line.messages.keep(LEFT)
    line.messages.report(Did("reception", "call-1", "message", "done"))
    line.say(1, "Thank you,")
    line.say(1, "I've taken your message.")
    line.messages.close()
    [kept] = line.outbox.entries()
    assert kept.is_complete
    assert kept.message.transcript == (
        Line("agent", "Hello."),
        Line("caller", "I have lost my key."),
        Line("agent", "Thank you, I've taken your message."),
    )
    assert len(line.passed_on) == 7


def test_it_is_delivered_after_the_call_with_the_recording(tmp_path: Path) -> None:
    line = LiveCall(tmp_path / "kept")
    recording = tmp_path / "call.wav"
    recording.write_bytes(b"RIFF, so far")
    line.messages.record(recording)
    line.messages.keep(LEFT)
    line.postman.deliver_due()
    recording.write_bytes(b"RIFF, all of it")
    line.messages.close()
    line.postman.deliver_due()
    [message] = line.way.delivered
    assert Path(message.recording).read_bytes() == b"RIFF, all of it"


def test_one_that_is_left_when_the_call_is_already_closed_is_delivered_too(tmp_path: Path) -> None:
    """The caller hangs up during "is that right?": the deed may come after the end."""
    line = LiveCall(tmp_path)
    line.messages.close()
    assert line.messages.keep(LEFT).result is DeedResult.DONE
    line.postman.deliver_due()
    assert len(line.way.delivered) == 1


def test_several_of_one_call(tmp_path: Path) -> None:
    line = LiveCall(tmp_path)
    for _ in range(3):
        line.messages.keep(LEFT)
    line.messages.close()
    line.postman.deliver_due()
    assert len({message.id for message in line.way.delivered}) == 3


def test_a_folder_that_takes_nothing_is_a_failure_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = LiveCall(tmp_path / "file" / "kept").messages.keep(LEFT)
    assert outcome.result is DeedResult.FAILED
    assert "can't be written" in outcome.detail
    assert "Ann" not in outcome.detail


def test_the_thread_delivers_when_the_call_is_over_and_stops(tmp_path: Path) -> None:
    delivered = threading.Event()
    line = LiveCall(tmp_path, Way(during=delivered.set))
    line.postman.start()
    line.messages.keep(LEFT)
    line.messages.close()
    assert delivered.wait(PATIENCE_SECONDS)
    line.postman.stop(PATIENCE_SECONDS)
    assert not [known for known in threading.enumerate() if known.name == "messages reception"]
    assert not line.outbox.entries()[0].waits


# Deaths ----------------------------------------------------------------------


def die_after_keeping(folder: Path, told: Any) -> None:
    line = LiveCall(folder)
    line.postman.start()
    line.hear(1, "I have lost my key.")
    told.put(line.messages.keep(LEFT).result)
    threading.Event().wait()


def die_while_delivering(folder: Path, told: Any) -> None:
    def hang() -> None:
        told.put("delivering")
        threading.Event().wait()

    line = LiveCall(folder, Way(during=hang))
    line.messages.keep(LEFT)
    line.messages.close()
    line.postman.start()
    threading.Event().wait()


def die_after_delivering(folder: Path, told: Any) -> None:
    line = LiveCall(folder)
    line.messages.keep(LEFT)
    line.messages.close()
    line.postman.deliver_due()
    told.put(len(line.way.delivered))
    threading.Event().wait()


@pytest.mark.parametrize(
    ("life", "told", "deliveries"),
    [
        (die_after_keeping, DeedResult.DONE, 1),
        (die_while_delivering, "delivering", 1),
        (die_after_delivering, 1, 0),
    ],
    ids=["kept", "delivering", "delivered"],
)
def test_a_process_that_is_killed_loses_nothing(
    tmp_path: Path, life: Any, told: object, deliveries: int
) -> None:
    """SIGKILL in the call, in the middle of a delivery, and after one: the next process does the rest."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=life, args=(tmp_path, queue))
    process.start()
    assert queue.get(timeout=PATIENCE_SECONDS) == told
    process.kill()
    process.join()
    line = LiveCall(tmp_path)
    with line.outbox.lock() as is_ours:
        assert is_ours
        line.postman.deliver_due()
    assert len(line.way.delivered) == deliveries
    [kept] = line.outbox.entries()
    assert kept.is_complete
    assert not kept.waits
    assert kept.message.reason == "a lost key"


def test_a_small_disk_that_fills_up(tmp_path: Path) -> None:
    """A real one where we are root: what was said to be kept is there, and what wasn't is told."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() or os.system(f"mount -t tmpfs -o size=64k tmpfs {folder} 2>/dev/null"):
        folder = tmp_path / "file" / "no"  # no mounting here: another disk that takes nothing
        (tmp_path / "file").touch()
    try:
        line = LiveCall(folder)
        outcomes = [line.messages.keep(LEFT) for _ in range(40)]
        results = [outcome.result for outcome in outcomes]
        kept = Outbox(folder).entries()
        assert DeedResult.FAILED in results
        assert len(kept) == results.count(DeedResult.DONE)
        line.messages.close()
        line.postman.deliver_due()
        assert len(line.way.delivered) == len(kept)
    finally:
        os.system(f"umount {tmp_path / 'disk'} 2>/dev/null")


def test_to_a_real_folder_with_the_real_clock(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    outbox = Outbox(tmp_path / "kept")
    ways = ways_of(MessageSettings(folder=shared))
    postman = Postman(outbox, ways, account="reception", clock=time.time)
    messages = CallMessages(
        postman,
        account="reception",
        call="call-1",
        caller="1001",
        clock=time.time,
        pass_on=lambda _: None,
    )
    messages.keep(LEFT)
    messages.close()
    postman.deliver_due()
    [file] = shared.glob("*.json")
    assert json.loads(file.read_text())["reason"] == "a lost key"
