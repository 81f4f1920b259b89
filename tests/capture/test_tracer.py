"""The trace from the queue to the disk, and the places where it is told of datagrams."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import pytest

from softagent.capture import tracer as tracer_module
from softagent.capture.files import TraceFiles
from softagent.capture.pcap import Capture
from softagent.capture.tracer import Tracer, account_tracer
from softagent.config import Account, Secret, TraceSettings

US, PBX = ("127.0.0.1", 5060), ("127.0.0.2", 5060)
NOW = 1_800_000_000.0
PATIENCE_SECONDS = 10.0


def all_payloads(folder: Path) -> list[bytes]:
    return [frame.data[28:] for path in sorted(folder.iterdir()) for frame in Capture(path)]


def test_what_is_observed_is_on_the_disk_when_it_stops(tmp_path: Path) -> None:
    """From several threads at once, nothing is lost and nothing invented."""
    tracer = Tracer("reception", tmp_path, clock=lambda: NOW)
    tracer.start()

    def observe(thread: int) -> None:
        for number in range(50):
            tracer.signalling(b"%d-%d" % (thread, number), US, PBX)

    threads = [threading.Thread(target=observe, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tracer.stop()
    expected = sorted(b"%d-%d" % (thread, number) for thread in range(4) for number in range(50))
    assert sorted(all_payloads(tmp_path)) == expected


def test_media_goes_to_its_call_with_the_kernels_time(tmp_path: Path) -> None:
    """The time given counts, not the time it is written."""
    tracer = Tracer("reception", tmp_path, clock=lambda: NOW)
    tracer.media("call-1")(b"rtp", US, PBX, at_seconds=NOW - 5)
    tracer.start()
    tracer.stop()
    (path,) = tmp_path.iterdir()
    assert path.name.endswith("-call-1.pcap")
    (frame,) = Capture(path)
    assert frame.at_ns == (NOW - 5) * 1_000_000_000


def test_the_file_is_in_order_of_time(tmp_path: Path) -> None:
    """Also where a packet of ours is told of before it leaves, and what came first later."""
    tracer = Tracer("reception", tmp_path, clock=lambda: NOW)
    tracer.start()
    for milliseconds in (0, 20, 5, 40, 25, 60):
        tracer.media("call-1")(b"%d" % milliseconds, US, PBX, at_seconds=NOW + milliseconds / 1000)
    tracer.stop()
    assert all_payloads(tmp_path) == [b"0", b"5", b"20", b"25", b"40", b"60"]


def test_what_was_kept_for_its_turn_is_written_without_more_coming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last packets of a call don't wait for the next call."""
    times = itertools.chain([NOW, NOW], itertools.repeat(NOW + 1))
    has_written = threading.Event()

    class WatchedFiles(TraceFiles):
        def flush(self, now_seconds: float) -> None:
            super().flush(now_seconds)
            if any(tmp_path.iterdir()):
                has_written.set()

    monkeypatch.setattr(tracer_module, "TraceFiles", WatchedFiles)
    tracer = Tracer("reception", tmp_path, clock=lambda: next(times))
    tracer.signalling(b"last words", US, PBX, at_seconds=NOW)
    tracer.start()
    assert has_written.wait(PATIENCE_SECONDS)
    tracer.stop()
    assert all_payloads(tmp_path) == [b"last words"]


def test_a_full_queue_drops_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for the disk; the end of the trace says what is missing."""
    monkeypatch.setattr(tracer_module, "MOST_WAITING", 3)
    tracer = Tracer("reception", tmp_path)
    for _ in range(5):
        tracer.signalling(b"x", US, PBX)
    assert tracer.dropped == 2
    tracer.start()
    tracer.stop()
    assert len(all_payloads(tmp_path)) == 3
    assert "event=trace-incomplete missing=2" in caplog.text


def test_an_account_is_traced_only_when_it_says_so(tmp_path: Path) -> None:
    """[account.trace] directory."""
    account = Account("reception", "10.0.0.1", "100", Secret("x"))
    assert account_tracer(account) is None
    traced = Account(
        "reception", "10.0.0.1", "100", Secret("x"), trace=TraceSettings(directory=tmp_path)
    )
    assert account_tracer(traced) is not None
