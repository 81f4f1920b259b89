"""Which datagram goes into which file: one file a call, one a day for what belongs to no call.

Observed -> add() -> flush() -> reception-20261123T101500-3f9a0c.pcap
                                reception-20261123-signalling.pcap
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from softagent.capture.names import call_file_name
from softagent.capture.observe import Address
from softagent.capture.packet import ip_packet, parse_host
from softagent.capture.pcap import file_header, record
from softagent.capture.secrets import masked

IDLE_SECONDS = 60.0
"""A file that gets nothing for so long is closed; what comes later is appended to it."""
REMEMBERED_CALLS = 256
"""Those of which nothing was heard for longest are forgotten first."""
NEW_FILES_A_MINUTE = 60
"""INVITEs beyond that are a flood: they go into the day's file, unless sound follows."""
LARGEST_CALL_BYTES = 1 << 30
"""Thirteen hours of a call; a flood of packets to its port is there sooner."""
MOST_HOSTS = 1024
"""To whom the way is remembered: senders' addresses may be made up, each another one."""
LARGEST_DAY_BYTES = 256 << 20
"""The day's file grows no further: what belongs to no call is not worth a full disk."""

_CALL_ID = re.compile(rb"^(?:Call-ID|i)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.I | re.M)
_INVITE = re.compile(rb"^(?:INVITE |CSeq[ \t]*:[ \t]*\d+[ \t]+INVITE\b)", re.M)

log = logging.getLogger("softagent.trace")


@dataclass(frozen=True, slots=True)
class Observed:
    """A datagram on its way."""

    at_seconds: float
    datagram: bytes
    source: Address
    destination: Address
    call_id: str | None = None
    """Of the call whose media it is; None for signalling, which says it itself."""


@dataclass(slots=True)
class _File:
    """One capture file that is being written."""

    path: Path
    waiting: list[bytes] = field(default_factory=list)
    descriptor: int | None = None
    size: int = 0
    used_at: float = 0.0
    is_given_up: bool = False


class TraceFiles:
    """The files of one account. One thread."""

    def __init__(self, account: str, directory: Path, *, show_keys: bool) -> None:
        self.lost = 0
        """Datagrams that could not be written."""
        self._account = account
        self._directory = directory
        self._show_keys = show_keys
        self._calls: OrderedDict[str, _File] = OrderedDict()
        self._day: _File | None = None
        self._minute = (0, 0)
        """Which minute it is, and the calls that have begun in it."""
        self._hosts: dict[str, str] = {}

    def add(self, seen: Observed) -> None:
        """Take a datagram; `flush` writes it."""
        data = seen.datagram
        if seen.call_id is None and not self._show_keys:
            data = masked(data)
        file = self._file_for(seen)
        file.used_at = seen.at_seconds
        largest = LARGEST_DAY_BYTES if file is self._day else LARGEST_CALL_BYTES
        if file.is_given_up or file.size > largest:
            self.lost += 1
            return
        source = self._own(seen.source, seen.destination)
        destination = self._own(seen.destination, seen.source)
        file.waiting.append(record(ip_packet(data, source, destination), seen.at_seconds))

    def flush(self, now_seconds: float) -> None:
        """Write what waits, and close what has been idle for long."""
        for file in self._open_files():
            if file.waiting:
                self._write(file)
            elif now_seconds - file.used_at > IDLE_SECONDS:
                _close(file)

    def close(self) -> None:
        """Close all files; what waits is dropped."""
        for file in self._open_files():
            _close(file)

    def _open_files(self) -> list[_File]:
        return [*self._calls.values(), *([self._day] if self._day else [])]

    def _file_for(self, seen: Observed) -> _File:
        call_id = seen.call_id
        is_call = call_id is not None
        if call_id is None:
            call_id = call_id_of(seen.datagram)
            is_call = bool(call_id) and _INVITE.search(seen.datagram) is not None
        known = self._calls.get(call_id)
        if known is not None:
            self._calls.move_to_end(call_id)
            return known
        if is_call and (seen.call_id is not None or self._may_begin(seen.at_seconds)):
            return self._begin(call_id, seen.at_seconds)
        return self._days_file(seen.at_seconds)

    def _may_begin(self, at_seconds: float) -> bool:
        minute = int(at_seconds // 60)
        begun = self._minute[1] if self._minute[0] == minute else 0
        self._minute = (minute, begun + 1)
        return begun < NEW_FILES_A_MINUTE

    def _begin(self, call_id: str, at_seconds: float) -> _File:
        while len(self._calls) >= REMEMBERED_CALLS:
            _, oldest = self._calls.popitem(last=False)
            self._write(oldest)
            _close(oldest)
        moment = datetime.fromtimestamp(at_seconds)
        path = self._directory / call_file_name(self._account, call_id, moment, ".pcap")
        log.info("account=%s call=%s event=tracing file=%s", self._account, call_id, path)
        file = self._calls[call_id] = _File(path)
        return file

    def _days_file(self, at_seconds: float) -> _File:
        day = f"{datetime.fromtimestamp(at_seconds):%Y%m%d}"
        path = self._directory / f"{self._account}-{day}-signalling.pcap"
        if self._day is None or self._day.path != path:
            if self._day is not None:
                self._write(self._day)
                _close(self._day)
            self._day = _File(path)
            self._hosts.clear()
        return self._day

    def _write(self, file: _File) -> None:
        """Append what waits. A file that can't be written is given up, and said so once."""
        count, data = len(file.waiting), b"".join(file.waiting)
        file.waiting.clear()
        if not data or file.is_given_up:
            return
        try:
            if file.descriptor is None:
                _open(file)
            _write_all(file, data)
        except OSError as error:
            file.is_given_up = True
            self.lost += count
            _close(file)
            log.error(
                "account=%s event=trace-stopped file=%s reason=%r",
                self._account,
                file.path,
                error.strerror or str(error),
            )

    def _own(self, address: Address, towards: Address) -> Address:
        """The address, with the one of our own that leads there where the socket has any."""
        host, port = address[:2]
        if host not in ("", "0.0.0.0", "::"):
            return address
        if towards[0] not in self._hosts:
            if len(self._hosts) >= MOST_HOSTS:
                self._hosts.clear()
            self._hosts[towards[0]] = _own_host(towards[0])
        return self._hosts[towards[0]], port


def call_id_of(message: bytes) -> str:
    """The Call-ID of a SIP message, however damaged; empty where there is none to be found."""
    match = _CALL_ID.search(message)
    return match[1].decode("utf-8", "replace") if match else ""


def _own_host(towards: str) -> str:
    """Our address on the way to a host; connecting a UDP socket sends nothing."""
    family = socket.AF_INET6 if parse_host(towards).version == 6 else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((towards, 9))
        host: str = probe.getsockname()[0]
        return host
    return ""


def _open(file: _File) -> None:
    """Readable by its owner only: it holds what was said."""
    file.path.parent.mkdir(parents=True, exist_ok=True)
    file.descriptor = os.open(file.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    file.size = os.fstat(file.descriptor).st_size
    if file.size == 0:
        _write_all(file, file_header())


def _write_all(file: _File, data: bytes) -> None:
    """Append all of `data` or nothing, so that the file stays readable. Raises OSError."""
    assert file.descriptor is not None
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(file.descriptor, rest) :]
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(file.descriptor, file.size)
        raise
    file.size += len(data)


def _close(file: _File) -> None:
    if file.descriptor is not None:
        with contextlib.suppress(OSError):
            os.close(file.descriptor)
        file.descriptor = None
