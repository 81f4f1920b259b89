"""The settings of an account: the dataclasses are the schema, their defaults are the documentation.

`softagent.accounts` reads them from accounts.toml by the fields' types and the rules in
their annotations (see `softagent.rules`); there is no other list of options. Units are in
the names; times of a call are given in milliseconds and turned into ticks where they are
used. A text may be empty where its default is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from softagent.abilities import Action, Destination, MenuKey
from softagent.errors import UnknownAccount
from softagent.hours import HoursSettings
from softagent.message_settings import MessageSettings
from softagent.rules import (
    AddressOrNetwork,
    Between,
    Matching,
    ModelRef,
    Name,
    OneEach,
    Text,
    Threads,
)
from softagent.rules import Secret as Secret  # part of an account, wherever one is made
from softagent.sound import SoundSettings
from softagent.tones import ToneSettings

Codec = Literal["G722", "PCMU", "PCMA"]
PortOrAny = Annotated[int, Between(0, 65535)]
User = Annotated[str, Matching(r'[^\s@:;<>"]+', "a SIP user name, without @ and spaces")]
AuthUser = Annotated[str, Matching(r'[^\s"]+', "a user name without spaces and quotes")]
_NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
_PORT = r"(6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})"
_IPV6 = r"(?=[^:]*:[^:]*:)[0-9A-Fa-f:.]+"
Host = Annotated[
    str,
    Matching(
        f"{_NAME}|{_IPV6}",
        'a host name or an IP address alone, e.g. "192.168.1.10" or "2001:db8::10"',
    ),
]
Server = Annotated[
    str,
    Matching(
        rf"({_NAME}|\[{_IPV6}\])(:{_PORT})?|{_IPV6}",
        'a host with or without a port, e.g. "192.168.1.11:5060" or "[2001:db8::10]:5060"',
    ),
]
LocalAddress = Annotated[
    str,
    Matching(
        rf"(?!0\.0\.0\.0$)[0-9]{{1,3}}(\.[0-9]{{1,3}}){{3}}|(?!::$){_IPV6}",
        'an IP address of this machine, e.g. "192.168.1.20"; leave it out to have it chosen',
    ),
]
Network = Annotated[str, AddressOrNetwork()]
NumberPattern = Annotated[
    str, Matching(r"[^\s@:;<>\"]+", 'numbers or patterns, e.g. "1003", "+4930*" or "10??"')
]
Greeting = Annotated[
    str,
    Matching(r"([^{}]|\{daypart\})*", 'words, with no other "{" or "}" than those of "{daypart}"'),
]
Language = Annotated[str, Matching(r"[a-z]{2,3}(-[A-Za-z]{2,4})?", 'a language, e.g. "en"')]


@dataclass(frozen=True, slots=True)
class PortRange:
    """RTP ports, both ends included, written "first-last"."""

    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> PortRange:
        """The range written as `text`; raises ValueError saying what was expected."""
        match = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", text)
        if match is None:
            raise ValueError('expected "first-last", e.g. "20000-20099"')
        first, last = int(match[1]), int(match[2])
        if not 1024 <= first < last <= 65535:
            raise ValueError("expected first < last, both from 1024 to 65535")
        if first + first % 2 == last:
            raise ValueError("expected at least an even port and the one after it")
        return cls(first, last)

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """[account.tls]: certificates, with `transport = "tls"`."""

    verify: bool = True
    """Whether the PBX's certificate must be in order and carry the PBX's name."""
    ca_file: Path | None = None
    """PEM file of the authorities to trust; those of this machine unless set."""
    certificate_file: Path | None = None
    """PEM file of our own certificate, its chain after it; with it others may also connect to us."""
    key_file: Path | None = None
    """PEM file of its key, where that isn't in `certificate_file`."""

    def contradictions(self) -> Iterator[str]:
        """What can't be true together, one sentence each."""
        if self.key_file is not None and self.certificate_file is None:
            yield "key_file: expected certificate_file as well"
        if self.ca_file is not None and not self.verify:
            yield "ca_file: has no effect with verify = false: take one of them out"


@dataclass(frozen=True, slots=True)
class VadSettings:
    """[account.vad]: Silero, when it says "speech"."""

    engine: Literal["silero"] = "silero"
    model: ModelRef = "silero-vad"
    threshold: Annotated[float, Between(0.05, 0.99)] = 0.6
    """Probability above which a 32 ms window counts as speech."""


@dataclass(frozen=True, slots=True)
class RecognizerSettings:
    """[account.recognizer]: speech to text."""

    engine: Literal["whisper", "vosk"] = "whisper"
    model: ModelRef = "whisper-tiny.en"
    """A model id, a path, or for Vosk a language name such as "en-us"."""
    partial_interval_ms: Annotated[int, Between(100, 5000)] = 400
    threads: Threads = 2


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """[account.llm]: the language model."""

    engine: Literal["llama"] = "llama"
    model: ModelRef = "qwen2.5-coder-1.5b"
    """A model id or the path of a GGUF file."""
    context_tokens: Annotated[int, Between(512, 131072)] = 2048
    max_tokens: Annotated[int, Between(8, 2048)] = 96
    """Longest answer."""
    temperature: Annotated[float, Between(0, 2)] = 0.0
    threads: Threads = 2

    def contradictions(self) -> Iterator[str]:
        """What can't be true together, one sentence each."""
        if self.max_tokens >= self.context_tokens:
            yield (
                f"max_tokens {self.max_tokens}: expected less than context_tokens"
                f" ({self.context_tokens}), which hold the facts and the talk as well"
            )


@dataclass(frozen=True, slots=True)
class SynthesizerSettings:
    """[account.synthesizer]: text to speech."""

    engine: Literal["hibari", "coqui", "piper"] = "hibari"
    model: ModelRef = "hibari-heart"
    """A model id or a path (hibari: .onnx; coqui: folder with model.pth and config.json; piper: .onnx)."""
    speed: Annotated[float, Between(0.5, 2)] = 1.0
    threads: Threads = 1


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """[account.turn]: when the agent speaks and when it stops."""

    start_ms: Annotated[int, Between(20, 2000)] = 96
    """Voiced sound before it counts as the caller speaking."""
    prepare_ms: Annotated[int, Between(20, 5000)] = 100
    """Pause after which the likely answer is prepared, unheard."""
    pause_ms: Annotated[int, Between(100, 5000)] = 550
    """Pause that ends the caller's turn after a short sentence, and where the words don't tell."""
    shortest_pause_ms: Annotated[int, Between(100, 5000)] = 250
    """The same after a short answer ("yes"); after a question or a long sentence, a quarter of the way up to `pause_ms`."""
    longest_pause_ms: Annotated[int, Between(100, 10000)] = 1400
    """The same in the middle of a sentence or of a number."""
    end_model: ModelRef = ""
    """A model that judges a pause by its sound as well, "smart-turn"; the words alone unless set."""
    barge_in: Literal["off", "words", "instant"] = "instant"
    """Whether the caller may interrupt the agent: never, with words, or with any speech (which words must then confirm)."""
    barge_in_ms: Annotated[int, Between(20, 2000)] = 128
    """Voiced sound over the agent that makes it pause."""
    confirm_ms: Annotated[int, Between(20, 5000)] = 640
    """Voiced sound over the agent that proves the interruption meant, whatever its words."""
    filler_ms: Annotated[int, Between(0, 30000)] = 1500
    """Time after the turn's end without an answer, after which the caller hears "One moment."; 0 for never."""

    def contradictions(self) -> Iterator[str]:
        """What can't be true together, one sentence each."""
        if self.prepare_ms > self.pause_ms:
            yield (
                f"prepare_ms {self.prepare_ms}: expected at most pause_ms ({self.pause_ms}):"
                " the answer is prepared before the turn ends"
            )
        if not self.shortest_pause_ms <= self.pause_ms <= self.longest_pause_ms:
            yield (
                f"pause_ms {self.pause_ms}: expected from shortest_pause_ms"
                f" ({self.shortest_pause_ms}) to longest_pause_ms ({self.longest_pause_ms})"
            )


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """[account.limits]: what no call may exceed."""

    call_seconds: Annotated[int, Between(10, 86400)] = 1800
    """Longest call; then a goodbye and the end."""
    warning_seconds: Annotated[int, Between(0, 600)] = 60
    """How long before it the caller is told; 0 for not at all, and not where a call is less than twice as long."""
    hold_seconds: Annotated[int, Between(10, 86400)] = 900
    """Longest time on hold; then the agent hangs up."""
    rtp_timeout_seconds: Annotated[int, Between(5, 3600)] = 30
    """Time without a single packet of sound after which the caller counts as gone."""
    silence_seconds: Annotated[int, Between(2, 600)] = 12
    """Silence after which the agent asks whether the caller is there; after twice as long again it says goodbye."""


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """[account.access]: who may call."""

    allow_from: tuple[Network, ...] = ()
    """Who may send us requests besides the PBX at `registrar`: IP addresses and networks."""
    allow_callers: tuple[NumberPattern, ...] = ()
    """Which numbers may call, "*" standing for any digits and "?" for one; all unless set."""
    requests_per_second: Annotated[int, Between(1, 1000)] = 50
    """From one address, those of calls that are up not counted; more are dropped."""


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """[account.recording]: stereo WAV of each call, caller left, agent right."""

    directory: Path | None = None
    """Where to write; nothing is recorded unless it is set."""


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """[account.trace]: a pcap file of each call's SIP and RTP, and one a day of all other SIP."""

    directory: Path | None = None
    """Where to write; nothing is captured unless it is set."""
    keys: bool = False
    """Whether SRTP keys stay in the SDP, so that the sound can be decrypted later."""


@dataclass(frozen=True, slots=True)
class Account:
    """[[account]]: one extension, answered by one process."""

    name: Name
    registrar: Host
    username: User
    password: Secret
    enabled: bool = True
    port: PortOrAny = 0
    """The registrar's SIP port; 0 asks the DNS (RFC 3263), and takes the transport's usual one where that says nothing."""
    transport: Literal["udp", "tcp", "tls", "auto"] = "udp"
    """What to speak SIP over; "auto" leaves it to the DNS, and takes UDP where that says nothing."""
    backup_registrars: tuple[Server, ...] = ()
    """Registrars to turn to while the first doesn't answer."""
    outbound_proxy: Server = ""
    """Where everything is sent first; straight to the registrar unless set."""
    domain: Host = ""
    """Realm-side domain of the address of record; the registrar's host unless set."""
    auth_user: AuthUser = ""
    """User name for digest authentication; `username` unless set."""
    local_address: LocalAddress = ""
    """Address to bind and to announce; chosen from the route to the registrar unless set."""
    local_port: PortOrAny = 0
    """Local SIP port; 0 takes a free one."""
    rtp_ports: PortRange = PortRange(20000, 20099)
    expires_seconds: Annotated[int, Between(30, 86400)] = 120
    """Registration time to ask for; what the PBX grants counts."""
    registration_check_seconds: Annotated[int, Between(2, 3600)] = 8
    """Longest time between two REGISTERs: a PBX that restarted and forgot us knows us again within it."""
    retry: Literal["prompt", "patient"] = "prompt"
    """After failures: "prompt" tries every 8 s at the latest, "patient" waits as RFC 5626 proposes, up to half an hour."""
    keep_alive_seconds: Annotated[int, Between(0, 3600)] = 0
    """How often to send an empty line, which keeps a NAT's mapping open; 0 for never."""
    follow_nat: bool = True
    """Whether to announce the address that the registrar sees us at, where a NAT has changed it."""
    large_requests: Literal["udp", "tcp"] = "udp"
    """What carries requests above 1300 bytes with transport = "udp"; "tcp" falls back to UDP while there is no connection."""
    tls: TlsSettings = TlsSettings()
    codecs: tuple[Codec, ...] = ("G722", "PCMU", "PCMA")
    """In order of preference: wideband where the other side offers it."""
    srtp: Literal["off", "preferred", "required"] = "off"
    """Encrypted sound, its keys in the session description (RFC 4568): worth little without TLS for those."""
    session_seconds: Annotated[int, Between(90, 86400)] = 1800
    """Time in which one side has to show that it is still in the call (RFC 4028)."""
    language: Language = "en"
    notice: str = ""
    """Said before the greeting, and not to be interrupted: "This call is recorded."."""
    greeting: Greeting = "Hello, how can I help you?"
    """{daypart} in it becomes "Good morning", "Good afternoon" or "Good evening"."""
    greeting_closed: Greeting = ""
    """The same while the office is closed; `greeting` unless set."""
    greeting_holiday: Greeting = ""
    """The same while it is closed on a holiday; `greeting_closed` unless set."""
    farewell: str = "Thank you for calling. Goodbye."
    persona: Text = "You are the friendly receptionist of a small office."
    facts: Text = ""
    """What the agent knows, in plain sentences; persona and facts may come from `persona_file`, `facts_file`."""
    vad: VadSettings = VadSettings()
    recognizer: RecognizerSettings = RecognizerSettings()
    llm: LlmSettings = LlmSettings()
    synthesizer: SynthesizerSettings = SynthesizerSettings()
    sound: SoundSettings = SoundSettings()
    turn: TurnSettings = TurnSettings()
    limits: LimitSettings = LimitSettings()
    tones: ToneSettings = ToneSettings()
    hours: HoursSettings = HoursSettings()
    recording: RecordingSettings = RecordingSettings()
    access: AccessSettings = AccessSettings()
    trace: TraceSettings = TraceSettings()
    destinations: Annotated[tuple[Destination, ...], OneEach("destination")] = ()
    actions: Annotated[tuple[Action, ...], OneEach("action")] = ()
    messages: MessageSettings = MessageSettings()
    menu: Annotated[tuple[MenuKey, ...], OneEach("menu")] = ()


@dataclass(frozen=True, slots=True)
class Office:
    """A whole accounts.toml: every account, in the file's order."""

    path: Path
    accounts: tuple[Account, ...]

    def account(self, name: str) -> Account:
        """The account called `name`, enabled or not; raises UnknownAccount."""
        names = [account.name for account in self.accounts]
        if name in names:
            return self.accounts[names.index(name)]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(names)}"
        raise UnknownAccount(f'{self.path}: no account "{name}": {hint}')

    def chosen(self, only: Collection[str] = ()) -> tuple[Account, ...]:
        """The accounts to run: those named in `only`, or else all enabled ones; raises UnknownAccount."""
        if only:
            return tuple(self.account(name) for name in dict.fromkeys(only))
        return tuple(account for account in self.accounts if account.enabled)
