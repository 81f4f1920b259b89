"""Which message is tried when, in which way, whatever happens in between. Time is the test's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from messages_fakes import TAKEN_AT, Clock, Way, entry

from softagent.messages.outbox import Outbox
from softagent.messages.postman import Postman
from softagent.report import MessagesWaiting

MINUTE, HOUR = 60.0, 3600.0
PATIENCE_SECONDS = 30.0


def postman(
    outbox: Outbox,
    clock: Clock,
    report: Callable[[MessagesWaiting], None] = lambda _: None,
    **ways: Way,
) -> Postman:
    return Postman(outbox, ways, account="reception", clock=clock, report=report)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "reception")


def tried_at(outbox: Outbox, clock: Clock, way: Way, *, hours: int, restarts: bool) -> list[float]:
    """Minutes after the call at which `way` was tried, looking every ten seconds."""
    begun, times = clock.now, []
    man = postman(outbox, clock, email=way)
    while clock.now < begun + hours * HOUR:
        before = len(way.tried)
        man.deliver_due()
        if len(way.tried) > before:
            times.append((clock.now - begun) / MINUTE)
            if restarts:
                man = postman(outbox, clock, email=way)
        clock.now += 10
    return times


@pytest.mark.parametrize("restarts", [False, True])
def test_at_once_then_after_one_five_and_thirty_minutes_then_hourly_for_ever(
    outbox: Outbox, restarts: bool
) -> None:
    """A new process after each attempt changes nothing: the times are kept with the message."""
    outbox.store(entry("m-1", "email"))
    times = tried_at(outbox, Clock(), Way(failures=10**6), hours=5, restarts=restarts)
    assert times == [0, 1, 6, 36, 96, 156, 216, 276]


def test_a_way_that_works_is_not_repeated_for_one_that_does_not(outbox: Outbox) -> None:
    clock, folder, email = Clock(), Way(), Way(failures=2)
    outbox.store(entry("m-1", "folder", "email"))
    man = postman(outbox, clock, folder=folder, email=email)
    for _ in range(10):
        man.deliver_due()
        clock.now += HOUR
    assert (len(folder.tried), len(email.tried)) == (1, 3)
    known = outbox.load("m-1").deliveries
    assert (known["folder"].attempts, known["email"].attempts) == (1, 3)
    assert not outbox.load("m-1").waits


def test_one_message_that_fails_keeps_no_other_back(outbox: Outbox) -> None:
    outbox.store(entry("m-1", "email"))
    outbox.store(entry("m-2", "email"))
    way = Way(failures=1)
    postman(outbox, Clock(), email=way).deliver_due()
    assert [message.id for message in way.delivered] == ["m-2"]


def test_a_way_that_breaks_in_any_manner_is_tried_again(outbox: Outbox) -> None:
    def burst() -> None:
        raise RuntimeError("a defect")

    clock, way = Clock(), Way(during=burst)
    outbox.store(entry("m-1", "email"))
    man = postman(outbox, clock, email=way)
    man.deliver_due()
    assert "a defect" in outbox.load("m-1").deliveries["email"].error
    way.during = lambda: None
    clock.now += MINUTE
    man.deliver_due()
    assert not outbox.load("m-1").waits


def test_nothing_goes_out_before_the_call_is_over(outbox: Outbox) -> None:
    clock, way = Clock(), Way()
    man = postman(outbox, clock, email=way)
    man.deliver_due()
    man.begin("m-1")
    outbox.store(entry("m-1", "email", is_complete=False))
    man.deliver_due()
    assert not way.tried
    outbox.store(entry("m-1", "email"))
    man.release("m-1", is_complete=True)
    man.deliver_due()
    assert [message.id for message in way.delivered] == ["m-1"]


def test_a_call_whose_process_was_killed_is_over(outbox: Outbox) -> None:
    """The next process delivers with what there is: here with what had been recorded by then."""
    recorded = outbox.folder.parent / "call.wav"
    recorded.write_bytes(b"RIFF half of it")
    outbox.store(entry("m-1", "email", is_complete=False, recording=str(recorded)))
    way = Way()
    postman(outbox, Clock(), email=way).deliver_due()
    [message] = way.delivered
    assert message.recording == str(outbox.folder / "m-1.wav")
    assert Path(message.recording).read_bytes() == b"RIFF half of it"
    assert outbox.load("m-1").is_complete


def test_a_call_in_another_process_is_not_over(outbox: Outbox) -> None:
    """It begins while this one delivers, and says itself when it is."""
    way = Way()
    man = postman(outbox, Clock(), email=way)
    man.deliver_due()
    outbox.store(entry("m-1", "email", is_complete=False))
    man.deliver_due()
    assert not way.tried
    outbox.store(entry("m-1", "email"))
    man.deliver_due()
    assert len(way.delivered) == 1


def test_a_recording_that_is_gone_holds_nothing_up(outbox: Outbox, tmp_path: Path) -> None:
    outbox.store(entry("m-1", "email", recording=str(tmp_path / "gone.wav")))
    way = Way()
    postman(outbox, Clock(), email=way).deliver_due()
    assert [message.recording for message in way.delivered] == [""]


def test_the_recording_is_kept_where_calls_recordings_are_cleared_away(
    outbox: Outbox, tmp_path: Path
) -> None:
    recording = tmp_path / "call.wav"
    recording.write_bytes(b"RIFF")
    outbox.store(entry("m-1", recording=str(recording)))
    postman(outbox, Clock()).deliver_due()
    recording.unlink()
    assert Path(outbox.load("m-1").message.recording).read_bytes() == b"RIFF"


class FullDisk(Outbox):
    """Takes nothing while it is full."""

    is_full = False

    def store(self, entry) -> None:  # type: ignore[no-untyped-def]
        if self.is_full:
            raise OSError(28, "No space left on device")
        super().store(entry)


def test_a_full_disk_does_not_deliver_twice(tmp_path: Path) -> None:
    """That it was delivered is noted as soon as there is room."""
    outbox, clock, way = FullDisk(tmp_path), Clock(), Way()
    outbox.store(entry("m-1", "email"))
    man = postman(outbox, clock, email=way)
    outbox.is_full = True
    for _ in range(5):
        man.deliver_due()
        clock.now += HOUR
    assert len(way.delivered) == 1
    assert outbox.load("m-1").waits
    outbox.is_full = False
    man.deliver_due()
    assert not outbox.load("m-1").waits


def test_a_call_s_end_that_the_disk_did_not_take_is_one(tmp_path: Path) -> None:
    outbox, way = Outbox(tmp_path), Way()
    man = postman(outbox, Clock(), email=way)
    man.deliver_due()
    man.begin("m-1")
    outbox.store(entry("m-1", "email", is_complete=False))
    man.release("m-1", is_complete=False)
    man.deliver_due()
    assert len(way.delivered) == 1


def test_asked_for_means_now(outbox: Outbox) -> None:
    outbox.store(entry("m-1", "email"))
    outbox.store(entry("m-2", "email"))
    way = Way(failures=2)
    man = postman(outbox, Clock(), email=way)
    man.deliver_due()
    man.deliver_due(ask_for=frozenset({"m-2"}))
    assert [message.id for message in way.delivered] == ["m-2"]


def test_a_clock_that_was_set_back_holds_nothing_up(outbox: Outbox) -> None:
    clock, way = Clock(TAKEN_AT), Way(failures=1)
    outbox.store(entry("m-1", "email"))
    man = postman(outbox, clock, email=way)
    man.deliver_due()
    clock.now -= 365 * 24 * HOUR
    man.deliver_due()
    assert len(way.delivered) == 1


def test_what_waits_is_told_when_it_changes(outbox: Outbox) -> None:
    told: list[MessagesWaiting] = []
    clock, way = Clock(), Way(failures=1)
    man = postman(outbox, clock, told.append, email=way)
    man.deliver_due()
    outbox.store(entry("m-1", "email"))
    man.deliver_due()
    man.deliver_due()
    clock.now += MINUTE
    man.deliver_due()
    assert told == [
        MessagesWaiting("reception", 0),
        MessagesWaiting("reception", 1, "email: nobody is there"),
        MessagesWaiting("reception", 0),
    ]


def test_a_message_whose_only_way_was_taken_out_is_seen_to_wait(outbox: Outbox) -> None:
    told: list[MessagesWaiting] = []
    outbox.store(entry("m-1", "email"))
    postman(outbox, Clock(), told.append).deliver_due()
    assert told == [MessagesWaiting("reception", 1)]


def test_the_log_says_each_failure_and_nothing_that_the_caller_said(
    outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    outbox.store(entry("m-1", "email"))
    clock, way = Clock(), Way(failures=1)
    man = postman(outbox, clock, email=way)
    man.deliver_due()
    clock.now += MINUTE
    man.deliver_due()
    first, last = [line for line in caplog.messages if "m-1" in line]
    assert "event=message-not-delivered id=m-1 way=email attempts=1 next_seconds=60" in first
    assert "event=message-delivered id=m-1 way=email attempts=2" in last
    assert not {"Ann", "Miller", "key", "1234"} & set(caplog.text.replace("'", " ").split())


def test_the_thread_hears_what_another_process_asks_for(outbox: Outbox) -> None:
    tries = threading.Semaphore(0)
    way = Way(failures=1, during=tries.release)
    outbox.store(entry("m-1", "email"))
    man = postman(outbox, Clock(), email=way)
    man.start()
    assert tries.acquire(timeout=PATIENCE_SECONDS)
    outbox.ask_again("m-1")
    assert tries.acquire(timeout=PATIENCE_SECONDS)
    man.stop(PATIENCE_SECONDS)
    assert not outbox.load("m-1").waits
