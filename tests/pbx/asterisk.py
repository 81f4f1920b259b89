"""A real Asterisk on this machine, with the extensions that the tests need and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import exchange
import pytest
from certificates import Certificates

BOOT_SECONDS = 20.0
SUITES = ("sid", "bullseye")
"""Debian's suites that an Asterisk may come from, the current one first."""


def wait_for(condition: Callable[[], bool], what: str, *, seconds: float) -> None:
    """Ask `condition` until it holds; fail, saying that `what` never came, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)


class Asterisk:
    """One instance: its configuration and state in `folder`, its process from `start` to `stop`."""

    def __init__(
        self,
        launcher: Path,
        folder: Path,
        *,
        sip_port: int,
        rtp_ports: range,
        host: str = "127.0.0.1",
        tls_port: int = 0,
        certificates: Certificates | None = None,
        namespace: str = "",
    ) -> None:
        """In the network `namespace` if one is named. TLS and IPv6, on loopback, come with `certificates`."""
        self.host = host
        self.sip_port = sip_port
        self.tls_port = tls_port
        self.rtp_ports = rtp_ports
        self.certificates = certificates
        self.log = folder / "log" / "full"
        self.music = folder / "moh" / "music.wav"
        self._inside = ("ip", "netns", "exec", namespace) if namespace else ()
        self._command = (launcher, "-C", folder / "etc" / "asterisk.conf")
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        pjsip = exchange.transports(host, sip_port, tls_port, certificates) + exchange.telephones()
        self._configure(
            exchange.files(folder, launcher.parent / "root", pjsip=pjsip, rtp_ports=rtp_ports)
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and wait until calls can be made."""
        self._process = subprocess.Popen(
            # Should the tests be killed, the kernel takes their Asterisk along.
            [*self._inside, "setpriv", "--pdeathsig", "KILL", *self._command, "-f"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(self._is_booted, f"Asterisk's boot (see {self.log})", seconds=BOOT_SECONDS)
        self.console("pjsip set logger on")

    def stop(self) -> None:
        """Stop at once, as a PBX does whose plug is pulled: nobody is told, nothing is kept."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        (self._folder / "var" / "astdb.sqlite3").unlink(missing_ok=True)  # the registrations

    def restart(self) -> None:
        """Stop and start: every registration is forgotten."""
        self.stop()
        self.start()

    def console(self, command: str) -> str:
        """Run a command on Asterisk's console and return what it prints."""
        return subprocess.run(
            [*self._command, "-rx", command],
            capture_output=True,
            text=True,
            check=False,
            timeout=BOOT_SECONDS,
        ).stdout

    def is_registered(self, extension: str) -> bool:
        """Whether a telephone is registered there."""
        return self._has_contact(rf"{extension}/")

    def is_reachable(self, extension: str) -> bool:
        """Whether a telephone is registered there and answers OPTIONS."""
        return self._has_contact(rf"{extension}/.*\bAvail\b")

    def channel_codecs(self, endpoint: str) -> list[str]:
        """The codec of each channel of `endpoint` that carries sound."""
        statistics = self.console("pjsip show channelstats")
        return re.findall(rf"^.*\b{endpoint}-\w+\s+\S+\s+(\w+)", statistics, re.MULTILINE)

    def channels(self) -> int:
        """How many channels exist; a call through the PBX has two."""
        found = re.search(
            r"^(\d+) active channel", self.console("core show channels"), re.MULTILINE
        )
        assert found, "the console gives no count of channels"
        return int(found[1])

    def is_bridged(self) -> bool:
        """Whether two channels are connected with each other: a REFER before that gets a 400."""
        lines = self.console("core show channels concise").splitlines()
        bridges = [fields[-2] for line in lines if len(fields := line.split("!")) > 2]
        return any(bridge and bridges.count(bridge) > 1 for bridge in bridges)

    def wait_until_idle(self, *, seconds: float = 5.0) -> None:
        """Wait until no call is left."""
        wait_for(lambda: self.channels() == 0, "the channels' end", seconds=seconds)

    def mark(self) -> int:
        """A position in the log: now."""
        return self.log.stat().st_size

    def find(self, pattern: str, *, since: int = 0) -> list[str]:
        """What `pattern`, or its first group, matches in the log with its SIP messages; "^" is a line's start."""
        with self.log.open(errors="replace", newline="") as file:
            file.seek(since)
            text = file.read().replace("\r\n", "\n")
        return [
            match[min(1, match.re.groups)] for match in re.finditer(pattern, text, re.MULTILINE)
        ]

    def wait_for(self, pattern: str, *, since: int, seconds: float = 10.0) -> str:
        """The first thing that `find` finds, once there is one."""
        wait_for(
            lambda: bool(self.find(pattern, since=since)),
            f"{pattern!r} in {self.log}",
            seconds=seconds,
        )
        return self.find(pattern, since=since)[0]

    def _has_contact(self, pattern: str) -> bool:
        contacts = self.console("pjsip show contacts")
        return re.search(rf"Contact:\s+{pattern}", contacts) is not None

    def _is_booted(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Asterisk has ended: see {self.log}"
        return "fully booted" in self.console("core waitfullybooted")

    def _configure(self, files: dict[str, str]) -> None:
        for name in ("etc", "var/keys", "run", "spool", "log", "moh"):
            (self._folder / name).mkdir(parents=True)
        for name, text in files.items():
            (self._folder / "etc" / name).write_text(text, encoding="utf-8")
        exchange.write_music(self.music)


def launcher(suite: str) -> Path:
    """The Asterisk of a Debian suite that scripts/asterisk has unpacked; it need not exist."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "softagent" / "asterisk" / suite / "asterisk"


def launchers() -> dict[str, Path]:
    """Every Asterisk that there is, by its suite, the current one first. At least one."""
    found = {suite: path for suite in SUITES if (path := launcher(suite)).exists()}
    if not found:
        raise FileNotFoundError(f"no {launcher('sid')} and no other: run scripts/asterisk")
    return found


every_pbx = pytest.mark.parametrize(
    "pbx", [suite for suite in SUITES if launcher(suite).exists()] or SUITES[:1], indirect=True
)
"""For the essential behaviours: with every Asterisk that is to be had, not the current one alone."""
