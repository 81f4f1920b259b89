"""What `softagent check` finds."""

from __future__ import annotations

import dataclasses
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from softagent.abilities import Action, MenuKey
from softagent.config import (
    Account,
    LlmSettings,
    PortRange,
    RecognizerSettings,
    RecordingSettings,
    Secret,
    SynthesizerSettings,
    TlsSettings,
    TraceSettings,
    TurnSettings,
    VadSettings,
)
from softagent.errors import (
    ConfigError,
    CredentialsRefused,
    ModelMissing,
    PortInUse,
    RegistrarUnreachable,
)
from softagent.message_settings import MessageSettings
from softagent.models.store import ModelStore
from softagent.preflight import Finding, check_account, check_mail_server, check_registration
from softagent.sip.phone import IncomingCall, Registration, RegistrationState
from softagent.sound import SoundSettings

REGISTERING = Registration(RegistrationState.REGISTERING)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """A store with nothing in it."""
    return ModelStore(tmp_path / "models")


@pytest.fixture
def account(tmp_path: Path) -> Account:
    """An account whose models are files of its own, and for which all is well."""
    model = tmp_path / "model.bin"
    model.touch()
    return Account(
        "reception",
        "127.0.0.1",
        "100",
        password=Secret("hunter2"),
        local_address="127.0.0.1",
        local_port=5300,
        rtp_ports=PortRange(5310, 5313),
        vad=VadSettings(model=str(model)),
        recognizer=RecognizerSettings(model=str(model)),
        llm=LlmSettings(model=str(model)),
        synthesizer=SynthesizerSettings(model=str(model)),
    )


def problems(account: Account, store: ModelStore, **changes: Any) -> list[Finding]:
    findings = check_account(dataclasses.replace(account, **changes), store)
    return [finding for finding in findings if finding.error is not None]


def test_all_is_well(account: Account, store: ModelStore, tmp_path: Path) -> None:
    """Each thing that was looked at is named, with what was found."""
    recorded = dataclasses.replace(
        account,
        recording=RecordingSettings(tmp_path / "a" / "b"),
        trace=TraceSettings(tmp_path),
    )
    findings = {finding.subject: finding.detail for finding in check_account(recorded, store)}
    assert findings == {
        "vad.model": str(tmp_path / "model.bin"),
        "recognizer.model": str(tmp_path / "model.bin"),
        "llm.model": str(tmp_path / "model.bin"),
        "synthesizer.model": str(tmp_path / "model.bin"),
        "facts": findings["facts"],
        "local_port": "5300 is free",
        "rtp_ports": "5310-5313: 2 free pairs",
        "recording.directory": f"{tmp_path / 'a' / 'b'}, made when it is needed",
        "trace.directory": str(tmp_path),
    }
    assert not (tmp_path / "a").exists()


def test_a_program_that_can_not_be_run_is_a_problem(
    account: Account, store: ModelStore, tmp_path: Path
) -> None:
    """One that isn't there, and one that isn't executable; a webhook is not asked."""
    script = tmp_path / "book.sh"
    there = dataclasses.replace(
        account,
        actions=(Action("book", command=("sh",)), Action("ask", webhook="http://127.0.0.1:9/")),
    )
    assert not problems(there, store)
    broken = (Action("book", command=(str(script),)),)
    assert [
        (known.subject, known.detail) for known in problems(account, store, actions=broken)
    ] == [("action.book", f"{script}: there is no such program")]
    script.touch(mode=0o600)
    [finding] = problems(account, store, actions=broken)
    assert finding.detail == f"{script}: can't be run by this user: chmod +x"


def test_a_missing_model_is_a_problem(account: Account, store: ModelStore) -> None:
    [finding] = problems(account, store, llm=LlmSettings())
    assert finding.subject == "llm.model"
    assert isinstance(finding.error, ModelMissing)
    assert "softagent models pull qwen2.5-coder-1.5b" in finding.detail


def test_a_missing_extra_for_noise_and_gain_is_a_problem(
    account: Account, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "livekit", None)
    [finding] = problems(account, store, sound=SoundSettings(noise_suppression=True))
    assert finding.subject == "sound"
    assert "pip install 'softagent[webrtc]'" in finding.detail


def test_a_model_for_another_engine_is_a_problem(account: Account, store: ModelStore) -> None:
    settings = RecognizerSettings(engine="vosk", model="whisper-base")
    [finding] = problems(account, store, recognizer=settings)
    assert finding.detail == '"whisper-base" is a model for whisper, not for vosk'


def test_an_end_model_is_looked_for_only_when_one_is_set(
    account: Account, store: ModelStore
) -> None:
    assert "turn.end_model" not in {finding.subject for finding in check_account(account, store)}
    wrong = dataclasses.replace(account, turn=TurnSettings(end_model="whisper-tiny.en"))
    problems = {f.subject: f.detail for f in check_account(wrong, store) if f.error}
    assert "is a model for whisper, not for smart-turn" in problems["turn.end_model"]


def test_a_language_is_enough_for_vosk_alone(account: Account, store: ModelStore) -> None:
    """Vosk downloads the model for a language by itself; whisper does no such thing."""
    vosk = RecognizerSettings(engine="vosk", model="en-us")
    assert problems(account, store, recognizer=vosk) == []
    whisper = RecognizerSettings(engine="whisper", model="en-us")
    assert len(problems(account, store, recognizer=whisper)) == 1


def test_a_persona_that_leaves_no_room_to_talk_is_a_problem(
    account: Account, store: ModelStore
) -> None:
    [finding] = problems(account, store, persona="You are a very kind receptionist. " * 250)
    assert finding.subject == "facts"
    assert isinstance(finding.error, ConfigError)
    assert finding.detail.endswith("is 2048: shorten the persona, or set it to 4096")


def test_facts_that_leave_no_room_to_talk_are_looked_up(
    account: Account, store: ModelStore
) -> None:
    long = dataclasses.replace(account, facts="The office is open at nine. " * 250)
    details = {found.subject: found.detail for found in check_account(long, store)}
    assert details["facts"].startswith("too long for every question: looked up in 15 passages")


def test_a_taken_port_is_a_problem(account: Account, store: ModelStore) -> None:
    """One taken RTP port is not: the next pair does as well."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 5300))
        [finding] = problems(account, store)
        assert finding.subject == "local_port"
        assert isinstance(finding.error, PortInUse)
        assert problems(account, store, local_port=0, rtp_ports=PortRange(5300, 5303)) == []
        [finding] = problems(account, store, local_port=0, rtp_ports=PortRange(5300, 5301))
        assert finding.detail == "all of 5300-5301 are in use: choose another range"
        assert isinstance(finding.error, PortInUse)


def test_a_taken_tcp_port_is_a_problem(account: Account, store: ModelStore) -> None:
    """With TCP as the transport: with UDP it only means that nobody can come in by TCP."""
    with socket.create_server(("127.0.0.1", 5300)):
        [finding] = problems(account, store, transport="tcp")
        assert finding.detail.startswith("TCP port 5300 is in use")
        assert problems(account, store, transport="udp") == []


def test_certificates_that_can_not_be_read_are_a_problem(
    account: Account, store: ModelStore, tmp_path: Path
) -> None:
    """Only where TLS is spoken; that any certificate is taken is said, too."""
    settings = TlsSettings(ca_file=tmp_path / "none.pem")
    [finding] = problems(account, store, transport="tls", tls=settings)
    assert finding.subject == "tls"
    assert finding.detail.endswith("none.pem\": can't be read: No such file or directory")
    assert problems(account, store, transport="tls", tls=TlsSettings(verify=False)) == []


def test_an_address_of_another_machine_is_a_problem(account: Account, store: ModelStore) -> None:
    first, second = problems(account, store, local_address="192.0.2.1")
    assert (first.subject, second.subject) == ("local_port", "rtp_ports")
    assert first.detail.startswith("192.0.2.1 is not an address of this machine")


@pytest.mark.parametrize(
    ("table", "settings"), [("recording", RecordingSettings), ("trace", TraceSettings)]
)
def test_recordings_and_traces_need_a_folder_to_go_to(
    account: Account,
    store: ModelStore,
    tmp_path: Path,
    table: str,
    settings: Callable[[Path], object],
) -> None:
    directory = tmp_path / "model.bin" / "calls"
    [finding] = problems(account, store, **{table: settings(directory)})
    assert finding.subject == f"{table}.directory"
    assert finding.detail == f"{tmp_path / 'model.bin'} is not a folder"


# Registration ----------------------------------------------------------------


class FakePhone:
    """Reports a script of registrations when it is started; notes when it is stopped."""

    def __init__(self, *script: Registration) -> None:
        self._script = script
        self.registration = REGISTERING
        self.is_stopped = False

    def start(
        self,
        *,
        on_call: Callable[[IncomingCall], None],
        on_registration: Callable[[Registration], None],
    ) -> None:
        for registration in self._script:
            self.registration = registration
            on_registration(registration)

    def stop(self, *, timeout_seconds: float = 4.0) -> None:
        self.is_stopped = True


def register(phone: FakePhone) -> Finding:
    return check_registration(phone, "pbx:5060", timeout_seconds=0)


def test_an_accepted_registration_is_removed_again() -> None:
    phone = FakePhone(REGISTERING, Registration(RegistrationState.REGISTERED, expires_seconds=60))
    assert register(phone).detail == "accepted by pbx:5060 for 60 s, and removed again"
    assert phone.is_stopped


def test_refused_credentials_are_told_from_no_answer() -> None:
    """The first asks for another password, the second for a look at the network."""
    refused = register(
        FakePhone(Registration(RegistrationState.FAILED, "403 Forbidden", is_refused=True))
    )
    assert isinstance(refused.error, CredentialsRefused)
    assert "403 Forbidden" in refused.detail
    silent = register(FakePhone(Registration(RegistrationState.FAILED, "no answer")))
    assert isinstance(silent.error, RegistrarUnreachable)
    assert "no answer" in silent.detail


def test_silence_of_the_phone_itself_is_a_problem() -> None:
    assert isinstance(register(FakePhone(REGISTERING)).error, RegistrarUnreachable)


def test_a_phone_that_can_not_start_is_stopped_all_the_same() -> None:
    class Blocked(FakePhone):
        def start(self, **_: object) -> None:  # type: ignore[override]
            raise PortInUse("UDP port 5300 is in use")

    phone = Blocked()
    assert isinstance(register(phone).error, PortInUse)


# Messages --------------------------------------------------------------------


def test_where_messages_go_is_looked_at(
    account: Account, store: ModelStore, tmp_path: Path
) -> None:
    settings = MessageSettings(folder=tmp_path / "gone", command=(str(tmp_path / "ticket"),))
    found = problems(account, store, messages=settings)
    assert [(known.subject, known.detail.rpartition(": ")[0]) for known in found] == [
        ("messages.folder", f"{tmp_path / 'gone'}: there is no such folder"),
        ("messages.command", str(tmp_path / "ticket")),
    ]
    good = MessageSettings(folder=tmp_path, directory=tmp_path / "kept", command=("true",))
    assert not problems(account, store, messages=good)
    assert not (tmp_path / "kept").exists()


def test_a_mail_server_that_is_not_there_is_a_problem() -> None:
    with socket.socket() as endpoint:
        endpoint.bind(("127.0.0.1", 0))  # bound, and nobody listens
        port = endpoint.getsockname()[1]
        finding = check_mail_server(
            MessageSettings(smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
        )
    assert isinstance(finding.error, ConfigError)
    assert finding.subject == "messages.smtp_host"
    assert f"127.0.0.1:{port} can't be reached" in finding.detail


def test_a_key_for_messages_needs_a_place_for_them(
    account: Account, store: ModelStore, tmp_path: Path
) -> None:
    menu = (MenuKey("1", message=True),)
    [finding] = problems(account, store, menu=menu)
    assert finding.subject == "menu"
    assert "set messages.directory" in finding.detail
    assert not problems(account, store, menu=menu, messages=MessageSettings(directory=tmp_path))
