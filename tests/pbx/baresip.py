"""baresip as the telephone at the other end: headless, plays a WAV, records what it hears."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from exchange import password
from extension import PATIENCE_SECONDS, wait_until

MODULES = Path("/usr/lib/baresip/modules")
HOLD, RESUME = b"x", b"X"
"""baresip 1.0 knows hold and resume as keys only."""

CONFIG = """
poll_method epoll
sip_listen {host}:{sip_port}
call_local_timeout 120
call_max_calls 4
audio_player aubridge,nil
audio_source aufile,{microphone}
audio_alert aubridge,nil
ausrc_srate {rate_hz}
auplay_srate {rate_hz}
ausrc_channels 1
auplay_channels 1
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_buffer 20-160
audio_level no
rtp_ports {rtp_ports}
rtcp_mux no
jitter_buffer_delay 1-5
rtp_stats yes
module_path {modules}
module g722.so
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module srtp.so
module uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
module cons.so
ctrl_tcp_listen 127.0.0.1:{control_port}
cons_listen 127.0.0.1:{keys_port}
snd_path {folder}/heard
statmode_default off
menu_bell no
ringback_disabled yes
"""

ACCOUNT = "<sip:{user}@{pbx};transport={transport}>;auth_user={user};auth_pass={password};regint=60;audio_codecs={codecs};dtmfmode=rtpevent{options}\n"


class Baresip:
    """One telephone on one extension, from `with` to its end."""

    def __init__(
        self,
        folder: Path,
        user: str,
        *,
        pbx: str,
        ports: range,
        microphone: Path,
        host: str = "127.0.0.1",
        codecs: str = "PCMU/8000/1",
        rate_hz: int = 8000,
        transport: str = "udp",
        options: str = "",
    ) -> None:
        """`ports`: four for signalling and control, the rest for RTP. `options`: ";mediaenc=srtp-mand"."""
        self._folder = folder
        self._pbx = pbx
        self._control_port, self._keys_port = ports[2], ports[3]
        (folder / "heard").mkdir(parents=True)
        config = CONFIG.format(
            host=host,
            sip_port=ports[0],  # and the one after it
            control_port=self._control_port,
            keys_port=self._keys_port,
            rtp_ports=f"{ports[4]}-{ports[-1]}",
            microphone=microphone,
            rate_hz=rate_hz,
            modules=MODULES,
            folder=folder,
        )
        account = ACCOUNT.format(
            user=user,
            password=password(user),
            pbx=pbx,
            transport=transport,
            codecs=codecs,
            options=options,
        )
        for name, text in {"config": config, "accounts": account, "contacts": ""}.items():
            (folder / name).write_text(text, encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._unread = b""
        self.events: list[dict[str, object]] = []

    def __enter__(self) -> Self:
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "baresip", "-f", str(self._folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until(self._connect, f"baresip's control port (see {self._folder}/log)")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(PATIENCE_SECONDS)
            finally:
                self._process.kill()

    def dial(self, number: str) -> None:
        self._command("dial", f"sip:{number}@{self._pbx}")

    def hang_up(self) -> None:
        self._command("hangup")

    def hold(self) -> None:
        self._press(HOLD)

    def resume(self) -> None:
        self._press(RESUME)

    def wait(self, kind: str, *, seconds: float = PATIENCE_SECONDS) -> dict[str, object]:
        """The next event of that type."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            for event in self._receive(left):
                self.events.append(event)
                if event.get("type") == kind:
                    return event
        raise AssertionError(f"no {kind} within {seconds:g} s: {self.events}")

    def packets_received(self) -> int:
        """How many packets of sound the one call had, once it is over."""
        (count,) = re.findall(r"^packets:\s+\d+\s+(\d+)", self.log(), re.MULTILINE)
        return int(count)

    def log(self) -> str:
        """What it has written."""
        return (self._folder / "log").read_text(errors="replace")

    def heard(self) -> Path:
        """The recording of what it has heard, of the one call there was.

        baresip 1.0.0 stops decoding at its first hold: what comes after a resume is only counted.
        """
        (recording,) = (self._folder / "heard").glob("*-dec.wav")
        return recording

    def _press(self, key: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as keys:
            keys.sendto(key, ("127.0.0.1", self._keys_port))

    def _connect(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"baresip has ended: see {self._folder}/log"
        try:
            self._control = socket.create_connection(("127.0.0.1", self._control_port), 1.0)
        except OSError:
            return False
        return True

    def _command(self, command: str, parameters: str = "") -> None:
        assert self._control is not None
        text = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))

    def _receive(self, seconds: float) -> list[dict[str, object]]:
        """The next events, as netstrings of JSON; none when nothing comes in `seconds`."""
        assert self._control is not None
        self._control.settimeout(seconds)
        try:
            self._unread += self._control.recv(65536)
        except TimeoutError:
            return []
        events = []
        while b":" in self._unread:
            size, _, rest = self._unread.partition(b":")
            if len(rest) <= int(size):
                break
            events.append(json.loads(rest[: int(size)]))
            self._unread = rest[int(size) + 1 :]
        return events
