"""Which datagram goes into which file."""

from __future__ import annotations

import logging
import os
import resource
import stat
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from softagent.capture import files
from softagent.capture.files import Observed, TraceFiles
from softagent.capture.pcap import Capture

US, PBX = ("192.168.1.20", 5060), ("192.168.1.10", 5060)
MORNING = datetime(2026, 11, 23, 10, 15).timestamp()
CALL_FILE = "reception-20261123T101500-call-1.pcap"
DAY_FILE = "reception-20261123-signalling.pcap"
KEY = b"WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"


def message(
    method: str, call_id: str = "call-1", *, body: bytes = b"", name: str = "Call-ID"
) -> bytes:
    """A request as far as a trace looks at it."""
    head = f"{method} sip:100@192.168.1.20 SIP/2.0\r\n{name}: {call_id}\r\nCSeq: 1 {method}\r\n\r\n"
    return head.encode() + body


def seen(datagram: bytes, at_seconds: float = MORNING, *, call_id: str | None = None) -> Observed:
    return Observed(at_seconds, datagram, PBX, US, call_id)


@pytest.fixture
def traces(tmp_path: Path) -> Iterator[TraceFiles]:
    made = TraceFiles("reception", tmp_path / "traces", show_keys=False)
    yield made
    made.close()


def payloads(path: Path) -> list[bytes]:
    """What the datagrams in a file carried (IPv4)."""
    return [frame.data[28:] for frame in Capture(path)]


def written(traces: TraceFiles, tmp_path: Path) -> dict[str, list[bytes]]:
    traces.flush(MORNING)
    return {path.name: payloads(path) for path in sorted((tmp_path / "traces").iterdir())}


def test_a_call_has_a_file_of_its_own(traces: TraceFiles, tmp_path: Path) -> None:
    """Its SIP in any spelling, and its RTP; the registration is elsewhere."""
    invite, bye = message("INVITE"), message("BYE", name="i")
    ringing = b"SIP/2.0 180 Ringing\r\ncall-id:call-1\r\nCSeq: 1 INVITE\r\n\r\n"
    register, rtp = message("REGISTER", "registration"), b"\x80\0" + bytes(170)
    for datagram in (invite, register, ringing, bye):
        traces.add(seen(datagram))
    traces.add(seen(rtp, call_id="call-1"))
    assert written(traces, tmp_path) == {
        CALL_FILE: [invite, ringing, bye, rtp],
        DAY_FILE: [register],
    }


def test_what_belongs_to_no_call_is_together(traces: TraceFiles, tmp_path: Path) -> None:
    """OPTIONS, keep-alives, rubbish, and a BYE of a call that never was."""
    datagrams = [message("OPTIONS", "q"), b"\r\n\r\n", bytes(40), message("BYE", "unknown")]
    for datagram in datagrams:
        traces.add(seen(datagram))
    assert written(traces, tmp_path) == {DAY_FILE: datagrams}


def test_a_day_has_a_file(traces: TraceFiles, tmp_path: Path) -> None:
    """After midnight another one begins."""
    traces.add(seen(b"one"))
    traces.add(seen(b"two", MORNING + 86400))
    assert written(traces, tmp_path) == {
        DAY_FILE: [b"one"],
        "reception-20261124-signalling.pcap": [b"two"],
    }


def test_a_file_goes_on_after_a_pause(traces: TraceFiles, tmp_path: Path) -> None:
    """Closed when idle, and appended to, without a second header, when more comes."""
    traces.add(seen(message("INVITE")))
    traces.flush(MORNING)
    traces.flush(MORNING + files.IDLE_SECONDS + 1)
    open_files = [
        os.readlink(f"/proc/self/fd/{fd}")
        for fd in os.listdir("/proc/self/fd")
        if os.path.exists(f"/proc/self/fd/{fd}")
    ]
    assert not any(name.endswith(CALL_FILE) for name in open_files)
    traces.add(seen(message("BYE"), MORNING + 600))
    assert written(traces, tmp_path) == {CALL_FILE: [message("INVITE"), message("BYE")]}


def test_a_new_process_adds_to_the_days_file(tmp_path: Path) -> None:
    """After a restart on the same day."""
    for datagram in (b"before", b"after"):
        traces = TraceFiles("reception", tmp_path, show_keys=False)
        traces.add(seen(datagram))
        traces.flush(MORNING)
        traces.close()
    assert payloads(tmp_path / DAY_FILE) == [b"before", b"after"]


def test_only_the_owner_may_read(traces: TraceFiles, tmp_path: Path) -> None:
    """It holds what was said."""
    traces.add(seen(message("INVITE")))
    traces.flush(MORNING)
    mode = (tmp_path / "traces" / CALL_FILE).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_flood_to_a_calls_port_does_not_fill_the_disk(
    traces: TraceFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What strangers send is in the trace, too, though it isn't heard."""
    monkeypatch.setattr(files, "LARGEST_CALL_BYTES", 10_000, raising=False)
    for _ in range(100):
        traces.add(seen(bytes(1000), call_id="call-1"))
        traces.flush(MORNING)
    assert (tmp_path / "traces" / CALL_FILE).stat().st_size < 12_000
    assert traces.lost > 80


def test_a_flood_from_made_up_addresses_takes_no_memory(traces: TraceFiles) -> None:
    for number in range(2000):
        stranger = f"127.1.{number // 256}.{number % 256}"
        traces.add(Observed(MORNING, b"x", (stranger, 5060), ("0.0.0.0", 5060)))
        traces.flush(MORNING)
    assert len(traces._hosts) <= 1024


@pytest.mark.parametrize(("show_keys", "kept"), [(False, b"*" * len(KEY)), (True, KEY)])
def test_keys_are_kept_only_when_asked_for(tmp_path: Path, show_keys: bool, kept: bytes) -> None:
    """In the SDP; RTP is never touched."""
    traces = TraceFiles("reception", tmp_path, show_keys=show_keys)
    line = b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s\r\n"
    traces.add(seen(message("INVITE", body=line % KEY)))
    traces.add(seen(line % KEY, call_id="call-1"))
    traces.flush(MORNING)
    traces.close()
    assert payloads(tmp_path / CALL_FILE) == [message("INVITE", body=line % kept), line % KEY]


def test_a_flood_of_calls_makes_no_flood_of_files(traces: TraceFiles, tmp_path: Path) -> None:
    """Beyond the limit of a minute INVITEs go into the day's file, but a call that is answered gets its own."""
    for number in range(files.NEW_FILES_A_MINUTE + 5):
        traces.add(seen(message("INVITE", f"scan{number}")))
    traces.add(seen(b"rtp", call_id="scan62"))
    traces.add(seen(message("BYE", "scan62")))
    traces.add(seen(message("INVITE", "later"), MORNING + 60))
    found = written(traces, tmp_path)
    assert len(found) == files.NEW_FILES_A_MINUTE + 3
    assert found[CALL_FILE.replace("call-1", "scan62")] == [b"rtp", message("BYE", "scan62")]
    assert len(found[DAY_FILE]) == 5


def test_a_call_keeps_its_file_however_many_others_are_refused_meanwhile(
    traces: TraceFiles, tmp_path: Path
) -> None:
    """Hours of calls that come while one is up."""
    traces.add(seen(message("INVITE")))
    for number in range(files.REMEMBERED_CALLS + 1):
        at_seconds = MORNING + 60 * number
        traces.add(seen(message("INVITE", f"busy{number}"), at_seconds))
        traces.add(seen(b"rtp", at_seconds, call_id="call-1"))
    found = written(traces, tmp_path)
    assert len(found[CALL_FILE]) == 1 + files.REMEMBERED_CALLS + 1
    assert len([name for name in found if "call-1" in name]) == 1


def test_our_address_is_looked_up_where_the_socket_has_none(
    traces: TraceFiles, tmp_path: Path
) -> None:
    """Bound to any address: the one on the way to the other side is written."""
    traces.add(Observed(MORNING, b"x", ("0.0.0.0", 5060), ("127.0.0.1", 5061)))
    traces.flush(MORNING)
    (frame,) = Capture(tmp_path / "traces" / DAY_FILE)
    assert frame.data[12:20] == bytes([127, 0, 0, 1] * 2)


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], None]]:
    """Lets no file grow beyond so many bytes; 0 lifts that again."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size or before[0], before[1]))

    yield limit
    limit(0)


def test_a_full_disk_costs_the_file_and_one_line(
    traces: TraceFiles,
    tmp_path: Path,
    small_disk: Callable[[int], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is in it stays readable, half a record is taken back; the next call is tried anew."""
    traces.add(seen(message("INVITE")))
    traces.flush(MORNING)
    small_disk((tmp_path / "traces" / CALL_FILE).stat().st_size + 30)
    for _ in range(3):
        traces.add(seen(message("INFO")))
        traces.flush(MORNING)
    small_disk(0)
    traces.add(seen(message("INVITE", "next")))
    traces.flush(MORNING)
    assert payloads(tmp_path / "traces" / CALL_FILE) == [message("INVITE")]
    assert payloads(tmp_path / "traces" / CALL_FILE.replace("call-1", "next"))
    errors = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "File too large" in errors[0]
    assert traces.lost == 3


def test_a_folder_that_cannot_be_made_costs_one_line_a_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Signalling and media never hear of it."""
    (tmp_path / "file").write_text("")
    traces = TraceFiles("reception", tmp_path / "file" / "traces", show_keys=False)
    for _ in range(3):
        traces.add(seen(message("INVITE")))
        traces.flush(MORNING)
    assert len([one for one in caplog.records if one.levelno >= logging.ERROR]) == 1
    assert traces.lost == 3
