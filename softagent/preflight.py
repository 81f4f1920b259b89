"""What would keep an account from working: a list of findings, before the first call finds out.

Nothing is changed, and without `check_registration` nothing is sent.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from softagent.config import Account, TlsSettings
from softagent.dialogue.phrases import is_spoken
from softagent.errors import (
    ConfigError,
    CredentialsRefused,
    ModelMissing,
    PortInUse,
    RegistrarUnreachable,
    SoftagentError,
)
from softagent.media.clean import load_webrtc
from softagent.message_settings import MessageSettings
from softagent.messages.mail import try_mail_server
from softagent.messages.outbox import usual_directory
from softagent.messages.postman import DeliveryFailed
from softagent.models.store import ModelStore
from softagent.sip.phone import IncomingCall, Phone, Registration, RegistrationState
from softagent.sip.ports import RtpPorts
from softagent.sip.tls import TlsPolicy
from softagent.talk import TALK_TOKENS, handbook_of, needed_tokens, opening_of, tokens_of


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    """What, in the words of the accounts file."""
    detail: str
    """What was found; for a problem, what is wrong and what to do."""
    error: SoftagentError | None = None
    """What the worker would end with; None when all is well."""


def check_account(account: Account, store: ModelStore) -> Iterator[Finding]:
    """Look at everything that can be seen from this machine alone."""
    for subject, engine, model in (
        ("vad", account.vad.engine, account.vad.model),
        ("recognizer", account.recognizer.engine, account.recognizer.model),
        ("llm", account.llm.engine, account.llm.model),
        ("synthesizer", account.synthesizer.engine, account.synthesizer.model),
    ):
        yield _finding(f"{subject}.model", partial(_model, engine, model, store))
    if account.sound.needs_webrtc:
        yield _finding("sound", _webrtc)
    if end_model := account.turn.end_model:
        yield _finding("turn.end_model", partial(_model, "smart-turn", end_model, store))
    if not account.language.lower().startswith("en"):
        yield _finding("language", partial(_language, account))
    yield _finding("facts", partial(_facts, account))
    yield _finding("local_port", partial(_sip_port, account))
    if account.transport in ("tls", "auto"):
        yield _finding("tls", partial(_certificates, account.tls))
    yield _finding("rtp_ports", partial(_rtp_ports, account))
    directory = account.recording.directory
    if directory is not None:
        yield _finding("recording.directory", partial(_folder, directory))
    if account.trace.directory is not None:
        yield _finding("trace.directory", partial(_folder, account.trace.directory))
    if any(entry.message for entry in account.menu):
        yield _finding("menu", partial(_message_key, account.messages))
    yield from _messages(account.messages)
    for action in account.actions:
        if action.command:
            yield _finding(f"action.{action.name}", partial(_program, action.command[0]))


def check_mail_server(settings: MessageSettings) -> Finding:
    """Connect to the mail server that messages go to, and log in; nothing is sent."""
    return _finding("messages.smtp_host", partial(_mail_server, settings))


def check_registration(phone: Phone, registrar: str, *, timeout_seconds: float = 10.0) -> Finding:
    """Register `phone` with the PBX, and take the registration away again."""
    return _finding("registration", partial(_registration, phone, registrar, timeout_seconds))


def _messages(settings: MessageSettings) -> Iterator[Finding]:
    """Where callers' messages go, if any are taken."""
    if settings.are_taken:
        directory = settings.directory or usual_directory()
        yield _finding("messages.directory", partial(_folder, directory))
    if settings.folder is not None:
        yield _finding("messages.folder", partial(_existing_folder, settings.folder))
    if settings.command:
        yield _finding("messages.command", partial(_program, settings.command[0]))


def _message_key(settings: MessageSettings) -> str:
    if not settings.are_taken:
        raise ConfigError(
            [
                "a key takes a message, but none are taken: set messages.directory, or a way to deliver them"
            ]
        )
    return "a key takes a message"


def _mail_server(settings: MessageSettings) -> str:
    try:
        return try_mail_server(settings)
    except DeliveryFailed as error:
        raise ConfigError([str(error)]) from None


def _finding(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, look())
    except SoftagentError as error:
        return Finding(subject, str(error), error)


def _model(engine: str, model: str, store: ModelStore) -> str:
    known = store.catalogue.find(model)
    if known is not None and known.engine != engine:
        raise ConfigError([f'"{model}" is a model for {known.engine}, not for {engine}'])
    try:
        return str(store.resolve(model))
    except ModelMissing:
        if engine == "vosk" and re.fullmatch(r"[a-z]{2}(-[a-z]+)?", model):
            return f'vosk fetches its model for "{model}" itself'
        raise


def _webrtc() -> str:
    load_webrtc()
    return "WebRTC's audio processing is here"


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        is_there = "/" in name and os.path.exists(name)
        what = "can't be run by this user: chmod +x" if is_there else "there is no such program"
        raise ConfigError([f"{name}: {what}"])
    return found


def _language(account: Account) -> str:
    """What doesn't speak the account's language: no problem to start with, but callers will notice."""
    shortfalls = []
    if not is_spoken(account.language):
        shortfalls.append("what the agent says by itself, and requests it acts on, are in English")
    if account.synthesizer.engine == "hibari":
        shortfalls.append("hibari speaks English only: set synthesizer.engine and model")
    if account.recognizer.model.endswith(".en"):
        shortfalls.append(f"{account.recognizer.model} hears English only: set recognizer.model")
    return "; ".join((f'"{account.language}"', *shortfalls))


def _facts(account: Account) -> str:
    begun = opening_of(account)
    tokens, needed = tokens_of(begun), needed_tokens(account, begun)
    window = account.llm.context_tokens
    if needed > window:
        raise ConfigError(
            [
                f"with the persona they take about {tokens} tokens, an answer {account.llm.max_tokens}"
                f" and the talk at least {TALK_TOKENS}, but llm.context_tokens is {window}:"
                f" shorten the persona, or set it to {-(-needed // 1024) * 1024}"
            ]
        )
    handbook = handbook_of(account)
    if handbook is not None:
        count = len(handbook.passages)
        return f"too long for every question: looked up in {count} passages, about {tokens} of {window} tokens besides"
    return f"about {tokens} of {window} tokens, with the persona"


def _sip_port(account: Account) -> str:
    kinds = [socket.SOCK_DGRAM]
    if account.transport == "tcp" and account.local_port:
        kinds.append(socket.SOCK_STREAM)
    for kind in kinds:
        with socket.socket(_family(account.local_address), kind) as probe:
            _bind(probe, account.local_address, account.local_port)
    return f"{account.local_port} is free" if account.local_port else "any free one"


def _rtp_ports(account: Account) -> str:
    with socket.socket(_family(account.local_address), socket.SOCK_DGRAM) as probe:
        _bind(probe, account.local_address, 0)
    ports, pairs = RtpPorts(account.rtp_ports), 0
    while ports.reserve(account.local_address) is not None:
        pairs += 1
    if not pairs:
        raise PortInUse(f"all of {account.rtp_ports} are in use: choose another range")
    return f"{account.rtp_ports}: {pairs} free {'pair' if pairs == 1 else 'pairs'}"


def _certificates(settings: TlsSettings) -> str:
    TlsPolicy(settings, ()).load()
    if not settings.verify:
        return "any certificate is taken: whoever is in between can listen"
    trusted = settings.ca_file or "the authorities that this machine knows"
    return f"the PBX's certificate must be signed by {trusted}"


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _bind(probe: socket.socket, address: str, port: int) -> None:
    kind = "TCP" if probe.type is socket.SOCK_STREAM else "UDP"
    if kind == "TCP":  # connections of the last run may still wait out their time
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((address, port))
    except OSError as error:
        match error.errno:
            case errno.EADDRINUSE:
                raise PortInUse(
                    f"{kind} port {port} is in use: choose another one, or stop what uses it"
                    " (another softagent?)"
                ) from None
            case errno.EACCES:
                raise PortInUse(
                    f"{kind} port {port} is kept for root: choose one above 1023"
                ) from None
            case errno.EADDRNOTAVAIL:
                raise PortInUse(
                    f"{address} is not an address of this machine now: bring its network up,"
                    " or leave local_address out to have it chosen"
                ) from None
            case _:
                raise ConfigError([f"{address} can't be used: {error.strerror}"]) from None


def _folder(directory: Path) -> str:
    existing = directory
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir():
        raise ConfigError([f"{existing} is not a folder"])
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ConfigError([f"{existing} can't be written to by this user"])
    return str(directory) if existing == directory else f"{directory}, made when it is needed"


def _existing_folder(directory: Path) -> str:
    if not directory.exists():
        raise ConfigError([f"{directory}: there is no such folder: make it, or mount its disk"])
    return _folder(directory)


def _registration(phone: Phone, registrar: str, timeout_seconds: float) -> str:
    changes: queue.SimpleQueue[Registration] = queue.SimpleQueue()
    phone.start(on_call=_refuse, on_registration=changes.put)
    try:
        registration = _outcome(changes, timeout_seconds)
    finally:
        phone.stop()
    if registration.is_refused:
        raise CredentialsRefused(
            f"{registrar} refuses it ({registration.reason}): check username, auth_user and password"
        )
    if registration.state is not RegistrationState.REGISTERED:
        raise RegistrarUnreachable(
            f"{registrar}: {registration.reason or 'no answer'}: check registrar, port and"
            " username, and that the PBX runs"
        )
    return f"accepted by {registrar} for {registration.expires_seconds} s, and removed again"


def _outcome(changes: queue.SimpleQueue[Registration], timeout_seconds: float) -> Registration:
    """How the first attempt to register ended, or the last state within the time."""
    deadline = time.monotonic() + timeout_seconds
    latest = Registration(RegistrationState.UNREGISTERED)
    with contextlib.suppress(queue.Empty):
        while latest.state in (RegistrationState.UNREGISTERED, RegistrationState.REGISTERING):
            latest = changes.get(timeout=max(0.0, deadline - time.monotonic()))
    return latest


def _refuse(call: IncomingCall) -> None:
    """A call that comes while the agent is only being checked goes elsewhere."""
    call.reject(480)
