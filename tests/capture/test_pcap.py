"""Capture files: ours, others', and broken ones."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from softagent.capture.pcap import LINK_RAW, Capture, Frame, file_header, record
from softagent.errors import CaptureMissing, CaptureUnreadable

PACKET = bytes(range(60))
AT_SECONDS = 1_700_000_000.25
AT_NS = 1_700_000_000_250_000_000


def frames(path: Path, data: bytes) -> tuple[list[Frame], bool]:
    """What a file with this content holds, and whether it broke off."""
    path.write_bytes(data)
    capture = Capture(path)
    return list(capture), capture.is_broken_off


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.pcap"


def test_what_is_written_can_be_read(file: Path) -> None:
    """Time to the microsecond, link type, and every byte."""
    data = file_header() + record(PACKET, AT_SECONDS) + record(b"", AT_SECONDS + 1)
    expected = [Frame(AT_NS, LINK_RAW, PACKET), Frame(AT_NS + 10**9, LINK_RAW, b"")]
    assert frames(file, data) == (expected, False)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "fraction"), [(0xA1B2C3D4, 250_000), (0xA1B23C4D, 250_000_000)])
def test_pcap_of_any_byte_order_and_precision(
    file: Path, order: str, magic: int, fraction: int
) -> None:
    """Micro- and nanoseconds, little and big endian; what was cut while capturing says so."""
    head = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
    body = struct.pack(f"{order}IIII", 1_700_000_000, fraction, 60, 1400) + PACKET
    assert frames(file, head + body) == ([Frame(AT_NS, 1, PACKET, is_cut=True)], False)


def block(order: str, kind: int, body: bytes) -> bytes:
    """A block of pcapng around a body."""
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(f"{order}I", 12 + len(body))
    return struct.pack(f"{order}I", kind) + length + body + length


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str, *, link: int, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(f"{order}HHI", link, 0, 262144) + options)


def enhanced(order: str, number: int, stamp: int, data: bytes) -> bytes:
    head = struct.pack(
        f"{order}IIIII", number, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data)
    )
    return block(order, 6, head + data)


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_of_either_byte_order(file: Path, order: str) -> None:
    """Two interfaces of different link and clock: micro- and nanoseconds; other blocks are passed over."""
    nanoseconds = struct.pack(f"{order}HHB3x", 9, 1, 9) + struct.pack(f"{order}HH", 0, 0)
    data = (
        section(order)
        + interface(order, link=1)
        + interface(order, link=113, options=nanoseconds)
        + block(order, 5, b"statistics")
        + enhanced(order, 0, AT_NS // 1000, PACKET)
        + enhanced(order, 1, AT_NS + 7, PACKET[:7])
    )
    expected = [Frame(AT_NS, 1, PACKET), Frame(AT_NS + 7, 113, PACKET[:7])]
    assert frames(file, data) == (expected, False)


def test_pcapng_with_simple_and_old_packet_blocks(file: Path) -> None:
    """The first has no time, the second is obsolete but around."""
    simple = block("<", 3, struct.pack("<I", 60) + PACKET)
    stamp = AT_NS // 1000
    old_head = struct.pack("<HHIIII", 0, 0, stamp >> 32, stamp & 0xFFFFFFFF, 60, 90)
    data = section("<") + interface("<", link=1) + simple + block("<", 2, old_head + PACKET)
    expected = [Frame(0, 1, PACKET), Frame(AT_NS, 1, PACKET, is_cut=True)]
    assert frames(file, data) == (expected, False)


def test_a_second_section_begins_anew(file: Path) -> None:
    """Files put one behind the other: interfaces are numbered per section."""
    one = section("<") + interface("<", link=1) + enhanced("<", 0, 1, PACKET)
    two = section(">") + interface(">", link=101) + enhanced(">", 0, 2, PACKET)
    expected = [Frame(1000, 1, PACKET), Frame(2000, 101, PACKET)]
    assert frames(file, one + two) == (expected, False)


@pytest.mark.parametrize("kept", [1, 15, 16, 40, 75])
def test_a_file_that_breaks_off_is_read_up_to_there(file: Path, kept: int) -> None:
    """Whoever captured was killed: all whole records count."""
    whole = file_header() + record(PACKET, AT_SECONDS)
    found, is_broken_off = frames(file, whole + record(PACKET, AT_SECONDS)[:kept])
    assert (len(found), is_broken_off) == (1, True)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty file"),
        (b"ab", "neither pcap nor pcapng"),
        (b"RIFF\0\0\0\0WAVE", "neither pcap nor pcapng"),
        (b"\x1f\x8b\x08\0", "packed with gzip: unpack it first"),
    ],
)
def test_what_is_no_capture_is_refused(file: Path, content: bytes, reason: str) -> None:
    """One line that names the file and the reason."""
    with pytest.raises(CaptureUnreadable, match=f"some.pcap: {reason}"):
        frames(file, content)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    """Neither can be opened."""
    for path in (tmp_path / "none.pcap", tmp_path):
        with pytest.raises(CaptureMissing, match="can't be read"):
            Capture(path)


@given(st.binary(max_size=200), st.sampled_from(["pcap", "pcapng", "raw"]))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_content_ends_quietly(file: Path, content: bytes, kind: str) -> None:
    """Any bytes behind a right beginning: frames, or an end, and no exception of another kind."""
    head = {
        "pcap": file_header(),
        "pcapng": section("<") + interface("<", link=1),
        "raw": b"",
    }[kind]
    file.write_bytes(head + content)
    try:
        for frame in Capture(file):
            assert len(frame.data) <= len(content)
    except CaptureUnreadable:
        assert kind == "raw"


@given(st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_pcapng_ends_quietly(file: Path, data: st.DataObject) -> None:
    """A few bytes changed anywhere in a good file."""
    good = bytearray(section("<") + interface("<", link=1) + enhanced("<", 0, 1, PACKET) * 2)
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(4, len(good) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(bytes(good))
    assert len(list(Capture(file))) <= 2
