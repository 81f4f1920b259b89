"""What the tests against a real PBX share: Asterisk, the agent, the caller's voice and ears."""

from __future__ import annotations

import socket
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr
from agent import START_SECONDS, Agent
from asterisk import AGENT, SUPERVISED, Asterisk, launcher, password, wait_for
from caller import RATE_HZ, Call, Dial, Sound, Speak, Transcribe, audible_from

from softagent.config import SynthesizerSettings
from softagent.models.store import ModelStore
from softagent.speech.piper import PiperSynthesizer

PBX_RTP_PORTS = range(24000, 24200)
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
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    """An Asterisk that runs for all tests."""
    folder = tmp_path_factory.mktemp("asterisk")
    with Asterisk(launcher(), folder, sip_port=free_port(), rtp_ports=PBX_RTP_PORTS) as pbx:
        yield pbx


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
    """`softagent run` with one account, which a test may kill."""
    with Agent(
        *("run", "--only", "supervised", "--accounts", str(accounts)),
        log=accounts.with_name("run.log"),
    ) as agent:
        yield agent


@pytest.fixture
def dial(asterisk: Asterisk, tmp_path: Path) -> Dial:
    """Calls an extension: `with dial("100", codec="PCMA") as call`."""

    def call(extension: str, *, codec: str = "PCMU") -> Call:
        return Call(
            extension, sip_port=asterisk.sip_port, codec=codec, recording=tmp_path / "heard.wav"
        )

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
    """A UDP port of loopback that nobody has at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
