"""A real Asterisk on loopback, with the extensions that the tests need and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

AGENT = "1000"
"""The extension that `softagent worker` answers."""
SUPERVISED = "1002"
"""The extension that a worker under `softagent run` answers."""
AGENT_PCMA = "1000a"
"""The same telephone, as the PBX calls it with PCMA only."""
CALLER = "1001"
"""The scripted caller's."""

AGENT_WITH_PCMU = "100"
AGENT_WITH_PCMA = "101"
SUPERVISED_AGENT = "102"
ECHO = "600"
"""What a caller can dial."""

BOOT_SECONDS = 20.0

MODULES = """
    res_sorcery_config res_sorcery_memory res_sorcery_astdb res_timing_timerfd
    res_rtp_asterisk codec_ulaw codec_alaw bridge_simple bridge_native_rtp
    res_pjproject res_pjsip res_pjsip_session res_pjsip_sdp_rtp res_pjsip_nat
    res_pjsip_authenticator_digest res_pjsip_endpoint_identifier_user res_pjsip_registrar
    res_pjsip_caller_id res_pjsip_rfc3326 res_pjsip_pubsub chan_pjsip
    pbx_config app_dial app_echo
"""

TRANSPORT = """
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{sip_port}
"""

ENDPOINT = """
[{name}]
type=endpoint
context=office
callerid="Extension {name}" <{name}>
disallow=all
allow={codecs}
direct_media=no
rtp_symmetric=yes
rewrite_contact=yes
auth={extension}
aors={extension}
"""

EXTENSION = """
[{extension}]
type=auth
auth_type=userpass
username={extension}
password={password}

[{extension}]
type=aor
max_contacts=1
remove_existing=yes
minimum_expiration=5
qualify_frequency=1
"""

DIALPLAN = f"""
[office]
exten => {AGENT_WITH_PCMU},1,Dial(PJSIP/{AGENT},20)
exten => {AGENT_WITH_PCMA},1,Dial(PJSIP/{AGENT_PCMA},20)
exten => {SUPERVISED_AGENT},1,Dial(PJSIP/{SUPERVISED},20)
exten => {ECHO},1,Answer()
 same => n,Echo()
"""


def password(extension: str) -> str:
    """The password that an extension registers and calls with."""
    return f"secret{extension}"


def wait_for(condition: Callable[[], bool], what: str, *, seconds: float) -> None:
    """Ask `condition` until it holds; fail, saying that `what` never came, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)


class Asterisk:
    """One instance: its configuration and state in `folder`, its process from `start` to `stop`."""

    def __init__(self, launcher: Path, folder: Path, *, sip_port: int, rtp_ports: range) -> None:
        self.sip_port = sip_port
        self.log = folder / "log" / "full"
        self._command = (launcher, "-C", folder / "etc" / "asterisk.conf")
        self._root = launcher.parent / "root"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._configure(rtp_ports)

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
            ["setpriv", "--pdeathsig", "KILL", *self._command, "-f"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(self._is_booted, f"Asterisk's boot (see {self.log})", seconds=BOOT_SECONDS)

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

    def _has_contact(self, pattern: str) -> bool:
        contacts = self.console("pjsip show contacts")
        return re.search(rf"Contact:\s+{pattern}", contacts) is not None

    def _is_booted(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Asterisk has ended: see {self.log}"
        return "fully booted" in self.console("core waitfullybooted")

    def _configure(self, rtp_ports: range) -> None:
        for name in ("etc", "var/keys", "run", "spool", "log"):
            (self._folder / name).mkdir(parents=True)
        modules = next(self._root.glob("usr/lib/**/asterisk/modules"))
        files = {
            "asterisk.conf": f"""
[directories]
astetcdir => {self._folder}/etc
astmoddir => {modules}
astdatadir => {self._root}/usr/share/asterisk
astvarlibdir => {self._folder}/var
astdbdir => {self._folder}/var
astkeydir => {self._folder}/var
astspooldir => {self._folder}/spool
astrundir => {self._folder}/run
astlogdir => {self._folder}/log
[options]
verbose = 3
documentation_language = en_US
""",
            "modules.conf": "\n".join(
                ["[modules]", "autoload=no", *(f"require = {name}.so" for name in MODULES.split())]
            ),
            "logger.conf": "[logfiles]\nfull => notice,warning,error,verbose,dtmf\n",
            "rtp.conf": f"[general]\nrtpstart={rtp_ports.start}\nrtpend={rtp_ports.stop - 1}\n",
            "pjsip.conf": _telephones(self.sip_port),
            "extensions.conf": DIALPLAN,
        }
        for name, text in files.items():
            (self._folder / "etc" / name).write_text(text, encoding="utf-8")


def _telephones(sip_port: int) -> str:
    sections = [TRANSPORT.format(sip_port=sip_port)]
    for extension in (AGENT, SUPERVISED, CALLER):
        sections += [
            ENDPOINT.format(name=extension, extension=extension, codecs="ulaw,alaw"),
            EXTENSION.format(extension=extension, password=password(extension)),
        ]
    sections.append(ENDPOINT.format(name=AGENT_PCMA, extension=AGENT, codecs="alaw"))
    return "".join(sections)


def launcher() -> Path:
    """The Asterisk that scripts/asterisk has unpacked."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for suite in ("sid", "bullseye"):
        path = cache / "softagent" / "asterisk" / suite / "asterisk"
        if path.exists():
            return path
    raise FileNotFoundError(f"no Asterisk under {cache}/softagent/asterisk: run scripts/asterisk")
