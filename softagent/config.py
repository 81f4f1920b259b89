"""The settings of an account: the dataclasses are the schema, their defaults are the documentation.

`softagent.accounts` reads them from accounts.toml. Units are in the names; times of
a call are given in milliseconds and turned into ticks where they are used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Codec = Literal["PCMU", "PCMA"]


@dataclass(frozen=True, slots=True)
class Secret:
    """A password that never shows in a log, a repr or an error message."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "********"


@dataclass(frozen=True, slots=True)
class PortRange:
    """RTP ports, both ends included, written "first-last"."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class VadSettings:
    """[account.vad]: Silero, when it says "speech"."""

    engine: Literal["silero"] = "silero"
    model: str = "silero-vad"
    threshold: float = 0.6
    """Probability above which a 32 ms window counts as speech."""


@dataclass(frozen=True, slots=True)
class RecognizerSettings:
    """[account.recognizer]: speech to text."""

    engine: Literal["whisper", "vosk"] = "whisper"
    model: str = "whisper-tiny.en"
    """A model id, a path, or for Vosk a language name such as "en-us"."""
    partial_interval_ms: int = 400
    threads: int = 1


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """[account.llm]: the language model."""

    engine: Literal["llama"] = "llama"
    model: str = "qwen2.5-coder-1.5b"
    """A model id or the path of a GGUF file."""
    context_tokens: int = 2048
    max_tokens: int = 96
    """Longest answer."""
    temperature: float = 0.0
    threads: int = 2


@dataclass(frozen=True, slots=True)
class SynthesizerSettings:
    """[account.synthesizer]: text to speech."""

    engine: Literal["hibari", "coqui", "piper"] = "hibari"
    model: str = "hibari-heart"
    """A model id or a path (hibari: .onnx; coqui: folder with model.pth and config.json; piper: .onnx)."""
    speed: float = 1.0
    threads: int = 1


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """[account.turn]: when the agent speaks and when it stops."""

    start_ms: int = 96
    """Voiced sound before it counts as the caller speaking."""
    prepare_ms: int = 200
    """Pause after which the likely answer is prepared, unheard."""
    pause_ms: int = 550
    """Pause that ends the caller's turn."""
    barge_in: bool = True
    """Whether the caller may interrupt the agent."""
    barge_in_ms: int = 128
    """Voiced sound that interrupts the agent while it speaks."""


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """[account.limits]: what no call may exceed."""

    call_seconds: int = 1800
    """Longest call; then a goodbye and the end."""
    silence_seconds: int = 12
    """Silence after which the agent asks whether the caller is there; after twice as long again it says goodbye."""


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """[account.recording]: stereo WAV of each call, caller left, agent right."""

    directory: Path | None = None
    """Where to write; nothing is recorded unless it is set."""


@dataclass(frozen=True, slots=True)
class Account:
    """[[account]]: one extension, answered by one process."""

    name: str
    registrar: str
    username: str
    password: Secret
    enabled: bool = True
    port: int = 5060
    """The registrar's SIP port."""
    domain: str = ""
    """Realm-side domain of the address of record; the registrar's host unless set."""
    auth_user: str = ""
    """User name for digest authentication; `username` unless set."""
    local_address: str = ""
    """Address to bind and to announce; chosen from the route to the registrar unless set."""
    local_port: int = 0
    """Local SIP port; 0 takes a free one."""
    rtp_ports: PortRange = PortRange(20000, 20099)
    expires_seconds: int = 120
    """Registration time to ask for; what the PBX grants counts."""
    codecs: tuple[Codec, ...] = ("PCMU", "PCMA")
    """In order of preference."""
    language: str = "en"
    greeting: str = "Hello, how can I help you?"
    farewell: str = "Thank you for calling. Goodbye."
    persona: str = "You are the friendly receptionist of a small office."
    facts: str = ""
    """What the agent knows, in plain sentences; persona and facts may come from `persona_file`, `facts_file`."""
    vad: VadSettings = VadSettings()
    recognizer: RecognizerSettings = RecognizerSettings()
    llm: LlmSettings = LlmSettings()
    synthesizer: SynthesizerSettings = SynthesizerSettings()
    turn: TurnSettings = TurnSettings()
    limits: LimitSettings = LimitSettings()
    recording: RecordingSettings = RecordingSettings()


@dataclass(frozen=True, slots=True)
class Office:
    """A whole accounts.toml: every account, in the file's order."""

    path: Path
    accounts: tuple[Account, ...]
