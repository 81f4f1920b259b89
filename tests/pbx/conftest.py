"""What the tests against a real PBX share: Asterisk, the agent, the caller's voice and ears."""

from __future__ import annotations

import contextlib
import secrets
import socket
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import numpy as np
import pytest
import soxr
from agent import START_SECONDS, Agent
from asterisk import SUITES, Asterisk, launcher, launchers, wait_for
from caller import RATE_HZ, Call, Dial, Sound, Speak, Transcribe, audible_from
from certificates import Certificates, make_certificates
from exchange import AGENT, SUPERVISED, password
from extension import Extension
from long_run import LongRun

from softagent.config import SynthesizerSettings
from softagent.models.store import ModelStore
from softagent.speech.piper import PiperSynthesizer

RTP_PORTS = {"sid": range(24000, 24200), "bullseye": range(23800, 24000)}
LONG_RTP_PORTS = range(23400, 23600)
WHISPER_RATE_HZ = 16000

ACCOUNTS = """
[defaults]
registrar = "127.0.0.1"
port = {sip_port}
local_address = "127.0.0.1"
expires_seconds = 30
greeting = "Hello, this is Hill Street Dental. How can I help you today?"
farewell = "Thank you for calling. Goodbye."
persona = "You are the receptionist of Hill Street Dental."
facts = "On Monday the practice opens at ten thirty and closes at six. It is closed on Sunday."

[[account]]
name = "reception"
username = "{agent}"
password = "{agent_password}"
rtp_ports = "24200-24299"

[[account]]
name = "supervised"
username = "{supervised}"
password = "{supervised_password}"
rtp_ports = "24300-24399"
"""


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """What TLS needs on both sides."""
    return make_certificates(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def exchanges(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Asterisk]]:
    """The Asterisk of a Debian suite, started when it is first asked for and running from then on."""
    running: dict[str, Asterisk] = {}
    with contextlib.ExitStack() as cleanup:

        def exchange(suite: str) -> Asterisk:
            if suite not in running:
                running[suite] = cleanup.enter_context(
                    Asterisk(
                        launchers()[suite],
                        tmp_path_factory.mktemp(f"asterisk-{suite}"),
                        sip_port=free_port(),
                        rtp_ports=RTP_PORTS[suite],
                        tls_port=free_port(),
                        certificates=certificates,
                    )
                )
            return running[suite]

        yield exchange


@pytest.fixture(scope="session")
def asterisk(exchanges: Callable[[str], Asterisk]) -> Asterisk:
    """The current Asterisk."""
    return exchanges(next(iter(launchers())))


@pytest.fixture
def pbx(exchanges: Callable[[str], Asterisk], request: pytest.FixtureRequest) -> Asterisk:
    """The current Asterisk, or with `every_pbx` each that there is in turn."""
    return exchanges(getattr(request, "param", next(iter(launchers()))))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which PBXs were there: with one suite missing the tests pass on the other."""
    there = {suite: "there" if launcher(suite).exists() else "MISSING" for suite in SUITES}
    terminalreporter.write_line(
        "Asterisk: " + ", ".join(f"{suite} {state}" for suite, state in there.items())
    )


@pytest.fixture(scope="session")
def accounts(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An accounts.toml with two extensions of that Asterisk."""
    path = tmp_path_factory.mktemp("office") / "accounts.toml"
    path.touch(mode=0o600)
    path.write_text(
        ACCOUNTS.format(
            sip_port=asterisk.sip_port,
            agent=AGENT,
            agent_password=password(AGENT),
            supervised=SUPERVISED,
            supervised_password=password(SUPERVISED),
        ),
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="session")
def worker(asterisk: Asterisk, accounts: Path) -> Iterator[Agent]:
    """`softagent worker reception` with real engines, once the PBX can reach it."""
    with Agent(
        *("worker", "reception", "--accounts", str(accounts)), log=accounts.with_name("worker.log")
    ) as agent:
        agent.wait_for("state=registered", seconds=START_SECONDS)
        wait_for(lambda: asterisk.is_reachable(AGENT), f"{AGENT} being reachable", seconds=10)
        yield agent
        assert agent.stop() == 0


@pytest.fixture(scope="module")
def office(asterisk: Asterisk, accounts: Path) -> Iterator[Agent]:
    """`softagent run` with one account, which a test may kill; its state is beside the accounts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTAGENT_STATE", str(accounts.with_name("state")))
        with Agent(
            *("run", "--only", "supervised", "--accounts", str(accounts)),
            log=accounts.with_name("run.log"),
        ) as agent:
            yield agent


@pytest.fixture
def dial(asterisk: Asterisk, tmp_path: Path) -> Dial:
    """Calls an extension of the current Asterisk: `with dial("100", codecs="PCMA") as call`."""
    return dialler(asterisk, tmp_path)


@pytest.fixture
def dial_pbx(pbx: Asterisk, tmp_path: Path) -> Dial:
    """Like `dial`, on the Asterisk that `pbx` is."""
    return dialler(pbx, tmp_path)


@pytest.fixture(scope="session")
def long_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LongRun]:
    """A long call that the first test to ask for it begins, on an Asterisk of its own."""
    folder = tmp_path_factory.mktemp("long")
    launch = next(iter(launchers().values()))
    with (
        Asterisk(
            launch, folder / "asterisk", sip_port=free_port(), rtp_ports=LONG_RTP_PORTS
        ) as pbx,
        LongRun(pbx, folder) as run,
    ):
        yield run


@pytest.fixture
def station(pbx: Asterisk) -> Callable[..., Extension]:
    """Plugs our telephone into `pbx`: `with station(PLAIN, codecs=("PCMA",)) as extension`."""

    def plug_in(number: str, **options: object) -> Extension:
        settings: dict[str, object] = {"port": pbx.sip_port, **options}
        return Registered(number, password(number), **settings)  # type: ignore[arg-type]

    return plug_in


class Registered(Extension):
    """An extension that is registered before anything is done with it."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.wait_registered()
        return self


def dialler(exchange: Asterisk, folder: Path) -> Dial:
    """What calls extensions of `exchange`, or with "" waits for calls from there."""

    def call(extension: str, **options: object) -> Call:
        recording = folder / f"heard-{secrets.token_hex(4)}.wav"
        settings: dict[str, object] = {
            "pbx": f"127.0.0.1:{exchange.sip_port}",
            "recording": recording,
            **options,
        }
        return Call(extension, **settings)  # type: ignore[arg-type]

    return call


@pytest.fixture(scope="session")
def speak(tmp_path_factory: pytest.TempPathFactory) -> Speak:
    """Says something with a voice that isn't the agent's: text -> WAV at the telephone's rate."""
    folder = tmp_path_factory.mktemp("spoken")
    settings = SynthesizerSettings(engine="piper", model="piper-joe")
    voice = PiperSynthesizer(ModelStore().path(settings.model), settings)

    def say(text: str) -> Path:
        pieces = voice.synthesize(text, rate_hz=RATE_HZ, cancelled=lambda: False)
        sound = audible_from(np.concatenate(list(pieces)))
        path = folder / f"{abs(hash(text))}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
            file.writeframes(sound.tobytes())
        return path

    return say


@pytest.fixture(scope="session")
def transcribe() -> Transcribe:
    """Writes down what was heard, with a recognizer that the agent doesn't use: sound -> words."""
    from faster_whisper import WhisperModel

    whisper = WhisperModel(
        str(ModelStore().path("whisper-base")), device="cpu", compute_type="int8", cpu_threads=2
    )

    def words(sound: Sound) -> str:
        wide = soxr.resample(sound.astype(np.float32) / 32768, RATE_HZ, WHISPER_RATE_HZ)
        segments, _ = whisper.transcribe(wide, language="en")
        return " ".join(segment.text.strip() for segment in segments)

    return words


def free_port() -> int:
    """A port of loopback that nobody has at the moment, neither for UDP nor for TCP."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
        ):
            datagrams.bind(("127.0.0.1", 0))
            port = int(datagrams.getsockname()[1])
            with contextlib.suppress(OSError):
                stream.bind(("127.0.0.1", port))
                return port
