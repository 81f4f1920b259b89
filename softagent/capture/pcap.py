"""Capture files: pcap written and read, pcapng read (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from softagent.errors import CaptureMissing, CaptureUnreadable

LINK_RAW = 101
"""LINKTYPE_RAW: each record begins with an IPv4 or IPv6 header."""
MICROSECONDS, NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
LONGEST_RECORD_BYTES = 262144
"""As libpcap has it (MAXIMUM_SNAPLEN); more means that the file is damaged."""
LONGEST_BLOCK_BYTES = 1 << 24

_FILE_HEADER = struct.Struct("<IHHiIII")
_RECORD_HEADER = struct.Struct("<IIII")
SECTION, INTERFACE, OLD_PACKET, SIMPLE_PACKET, ENHANCED_PACKET = 0x0A0D0D0A, 1, 2, 3, 6
"""Block types of pcapng."""
_BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_TSRESOL, _TSOFFSET = 9, 14


@dataclass(frozen=True, slots=True)
class Frame:
    """One record of a capture file."""

    at_ns: int
    """Since 1970."""
    link: int
    """LINKTYPE of what it begins with."""
    data: bytes
    is_cut: bool = False
    """Captured shorter than it was."""


def file_header() -> bytes:
    """The beginning of a pcap file of raw IP packets, times in microseconds."""
    return _FILE_HEADER.pack(MICROSECONDS, 2, 4, 0, 0, LONGEST_RECORD_BYTES, LINK_RAW)


def record(packet: bytes, at_seconds: float) -> bytes:
    """One record of such a file."""
    at_us = max(0, round(at_seconds * 1e6))
    return (
        _RECORD_HEADER.pack(
            at_us // 1_000_000 % (1 << 32), at_us % 1_000_000, len(packet), len(packet)
        )
        + packet
    )


class Capture:
    """A capture file that is being read. Iterate over it once; `is_broken_off` is right after that."""

    def __init__(self, path: Path) -> None:
        """Raises CaptureMissing, or CaptureUnreadable when it is no capture at all."""
        self._path = path
        self.is_broken_off = False
        """Whether the file ends, or goes wrong, in the middle of a record; what was before it counts."""
        try:
            self._file: BinaryIO = path.open("rb")
            self._magic = self._file.read(4)
        except OSError as error:
            raise CaptureMissing(f"{path}: can't be read: {error.strerror}") from None
        self._frames = self._chosen()

    def __iter__(self) -> Iterator[Frame]:
        with self._file:
            try:
                yield from self._frames
            except OSError as error:
                raise CaptureUnreadable(f"{self._path}: can't be read: {error.strerror}") from None
            except (EOFError, struct.error):
                self.is_broken_off = True

    def _chosen(self) -> Iterator[Frame]:
        for order in "<>":
            if len(self._magic) < 4:
                break
            (magic,) = struct.unpack(f"{order}I", self._magic)
            if magic in (MICROSECONDS, NANOSECONDS):
                return self._pcap(order, 1000 if magic == MICROSECONDS else 1)
        if self._magic == struct.pack("<I", SECTION):
            return self._pcapng()
        self._file.close()
        if self._magic[:2] == b"\x1f\x8b":
            raise CaptureUnreadable(f"{self._path}: packed with gzip: unpack it first")
        what = "an empty file" if not self._magic else "neither pcap nor pcapng"
        raise CaptureUnreadable(
            f"{self._path}: {what}: give a capture made by softagent --trace, tcpdump or tshark"
        )

    def _exactly(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def _pcap(self, order: str, unit_ns: int) -> Iterator[Frame]:
        link = struct.unpack(f"{order}HHiIII", self._exactly(20))[-1] & 0xFFFF
        head = struct.Struct(f"{order}IIII")
        while raw := self._file.read(head.size):
            seconds, fraction, kept, length = head.unpack(raw)
            if kept > LONGEST_RECORD_BYTES:
                raise EOFError
            at_ns = seconds * 1_000_000_000 + fraction * unit_ns
            yield Frame(at_ns, link, self._exactly(kept), kept < length)

    def _pcapng(self) -> Iterator[Frame]:
        order = "<"
        interfaces: list[_Interface] = []
        raw = self._magic
        while raw:
            if len(raw) < 4:
                raise EOFError
            length_bytes = self._exactly(4)
            rest = b""
            if raw == struct.pack("<I", SECTION):
                rest = self._exactly(4)
                if rest not in _BYTE_ORDERS:
                    raise EOFError
                order, interfaces = _BYTE_ORDERS[rest], []
            (kind,), (length,) = (
                struct.unpack(f"{order}I", raw),
                struct.unpack(f"{order}I", length_bytes),
            )
            if not 12 <= length <= LONGEST_BLOCK_BYTES or length % 4:
                raise EOFError
            body = rest + self._exactly(length - 8 - len(rest))
            if kind == INTERFACE:
                interfaces.append(_Interface.parse(body[:-4], order))
            elif kind in (ENHANCED_PACKET, SIMPLE_PACKET, OLD_PACKET):
                yield _packet(kind, body[:-4], order, interfaces)
            raw = self._file.read(4)


@dataclass(frozen=True, slots=True)
class _Interface:
    """What an interface description block says of the packets that name it."""

    link: int
    longest: int
    units_a_second: int
    offset_ns: int

    @classmethod
    def parse(cls, body: bytes, order: str) -> _Interface:
        link, _, longest = struct.unpack_from(f"{order}HHI", body)
        units, offset_seconds, at = 1_000_000, 0, 8
        while at + 4 <= len(body):
            code, length = struct.unpack_from(f"{order}HH", body, at)
            value = body[at + 4 : at + 4 + length]
            if code == _TSRESOL and length == 1 and len(value) == 1:
                power = value[0] & 0x7F
                units = 2**power if value[0] & 0x80 else 10**power
            elif code == _TSOFFSET and len(value) == 8:
                (offset_seconds,) = struct.unpack(f"{order}q", value)
            elif code == 0:
                break
            at += 4 + length + -length % 4
        return cls(link, longest, units, offset_seconds * 1_000_000_000)


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> Frame:
    """A packet block's content. Raises EOFError when it contradicts itself."""
    number, high, low = 0, 0, 0
    if kind == SIMPLE_PACKET:
        (length,) = struct.unpack_from(f"{order}I", body)
        at = 4
    elif kind == ENHANCED_PACKET:
        number, high, low, kept, length = struct.unpack_from(f"{order}IIIII", body)
        at = 20
    else:
        number, _, high, low, kept, length = struct.unpack_from(f"{order}HHIIII", body)
        at = 20
    if number >= len(interfaces):
        raise EOFError
    interface = interfaces[number]
    if kind == SIMPLE_PACKET:
        kept = min(length, interface.longest or length)
    if at + kept > len(body):
        raise EOFError
    at_ns = ((high << 32) + low) * 1_000_000_000 // interface.units_a_second + interface.offset_ns
    return Frame(at_ns, interface.link, body[at : at + kept], kept < length)
