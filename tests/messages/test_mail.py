"""E-mails with messages, through a real mail server on loopback."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from mail_server import HOST, PASSWORD, USER, Mailbox, ca_file, free_port, mail_server
from messages_fakes import message

from softagent.message_settings import MessageSettings
from softagent.messages.mail import as_mail, send_mail, try_mail_server
from softagent.messages.message import Line
from softagent.messages.postman import DeliveryFailed
from softagent.rules import Secret

ANN, BEN = "ann@office.example", "ben@office.example"
SETTINGS = MessageSettings(
    email_to=(ANN, BEN),
    email_from="agent@office.example",
    smtp_host=HOST,
    smtp_security="none",
)
MEGABYTE = 1_000_000


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def plain(mailbox: Mailbox) -> Iterator[MessageSettings]:
    with mail_server(mailbox) as port:
        yield replace(SETTINGS, smtp_port=port)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def wav(path: Path, *, size: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\1\2" * (size // 2))
    return path


def test_who_number_reason_time_and_transcript_in_plain_text(
    plain: MessageSettings, mailbox: Mailbox
) -> None:
    send_mail(ANN, message(), plain)
    [mail] = mailbox.mails
    assert mail["Subject"] == "Message from Ann Miller"
    assert (mail["From"], mail["To"]) == ("agent@office.example", f"{ANN}, {BEN}")
    assert mail["Message-ID"] == "<m-1.reception@softagent.invalid>"
    assert mail.get_content_type() == "text/plain"
    lines = mail.get_content().splitlines()
    assert lines == [
        "Message from Ann Miller",
        "",
        "Name:        Ann Miller",
        "Number:      030 1234",
        "Reason:      a lost key",
        f"Taken:       {message().taken:%Y-%m-%d %H:%M:%S %z}",
        "Called from: 1001",
        "Account:     reception",
        "Message id:  m-1",
        "",
        "The call in words, as far as it was understood:",
        "",
        "Agent: Hello.",
        "Caller: I have lost my key.",
    ]
    assert mailbox.receivers == [[ANN]]
    assert mailbox.senders == ["agent@office.example"]


def test_the_recording_is_attached_whole(
    plain: MessageSettings, mailbox: Mailbox, tmp_path: Path
) -> None:
    recording = wav(tmp_path / "m-1.wav", size=100_000)
    send_mail(ANN, message(recording=str(recording)), plain)
    [sound] = mailbox.mails[0].iter_attachments()
    assert (sound.get_content_type(), sound.get_filename()) == ("audio/wav", "m-1.wav")
    assert sound.get_content() == recording.read_bytes()
    assert "Recording:   attached" in mailbox.mails[0].get_body().get_content()  # type: ignore[union-attr]


@pytest.mark.parametrize(("size", "is_attached"), [(MEGABYTE - 100, True), (MEGABYTE + 100, False)])
def test_a_recording_above_the_limit_is_only_named(
    tmp_path: Path, size: int, is_attached: bool
) -> None:
    recording = wav(tmp_path / "m-1.wav", size=size)
    mail = as_mail(message(recording=str(recording)), replace(SETTINGS, email_attachment_mb=1))
    assert bool(list(mail.iter_attachments())) is is_attached
    body = mail.get_body()
    assert body is not None
    assert ("Recording:   attached" in body.get_content()) is is_attached
    assert (f"Recording:   {recording}" in body.get_content()) is not is_attached


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encrypted_and_logged_in(
    mailbox: Mailbox, ca: trustme.CA, tmp_path: Path, security: str
) -> None:
    with mail_server(mailbox, security=security, ca=ca, login=True) as port:
        settings = replace(
            SETTINGS,
            smtp_port=port,
            smtp_security=security,  # type: ignore[arg-type]
            smtp_ca_file=ca_file(ca, tmp_path),
            smtp_user=USER,
            smtp_password=Secret(PASSWORD),
        )
        found = try_mail_server(settings)
        send_mail(ANN, message(), settings)
    assert found.startswith(f"{HOST} answers at port {port} for agent, encrypted by ")
    assert (mailbox.logins, mailbox.was_encrypted) == ([True], [True])


def test_a_certificate_of_nobody_we_know_gets_nothing(mailbox: Mailbox, ca: trustme.CA) -> None:
    with mail_server(mailbox, security="starttls", ca=ca) as port:
        settings = replace(SETTINGS, smtp_port=port, smtp_security="starttls")
        with pytest.raises(DeliveryFailed, match="no encryption comes about"):
            send_mail(ANN, message(), settings)
    assert not mailbox.mails


def test_a_server_without_starttls_gets_nothing(mailbox: Mailbox) -> None:
    """Whoever is in between could have taken it away: no password in the clear."""
    with mail_server(mailbox, login=True) as port:
        settings = replace(
            SETTINGS, smtp_port=port, smtp_security="starttls",
            smtp_user=USER, smtp_password=Secret(PASSWORD),
        )  # fmt: skip
        with pytest.raises(DeliveryFailed, match="Is smtp_security right"):
            send_mail(ANN, message(), settings)
    assert not mailbox.mails


@pytest.mark.parametrize("password", ["wrong", "schön-geheim"])
def test_a_refused_password_is_said_and_not_shown(mailbox: Mailbox, password: str) -> None:
    with mail_server(mailbox, login=True) as port:
        settings = replace(SETTINGS, smtp_port=port, smtp_user=USER, smtp_password=Secret(password))
        for act in (lambda: try_mail_server(settings), lambda: send_mail(ANN, message(), settings)):
            with pytest.raises(DeliveryFailed, match="smtp_user and smtp_password") as failed:
                act()
            assert password not in str(failed.value)
    assert not mailbox.mails


def test_what_the_server_says_is_told(plain: MessageSettings, mailbox: Mailbox) -> None:
    mailbox.answer = "452 the disk is full"
    with pytest.raises(DeliveryFailed, match="answers 452 the disk is full"):
        send_mail(ANN, message(), plain)
    mailbox.answer = "250 OK"
    mailbox.refused = {ANN}
    with pytest.raises(DeliveryFailed, match=f"refuses {ANN}: 550 no such user here"):
        send_mail(ANN, message(), plain)
    send_mail(BEN, message(), plain)
    assert mailbox.receivers == [[BEN]]


def test_no_server_is_no_mail() -> None:
    with pytest.raises(DeliveryFailed, match="can't be reached"):
        send_mail(ANN, message(), replace(SETTINGS, smtp_port=free_port()))


ATTACKS = [
    "Ann\r\nBcc: spy@example.org",
    "Ann\nTo: spy@example.org\n\nBuy now",
    "Ann\r\n.\r\nMAIL FROM:<x@y>",
    "Ann\u2028Bcc: spy@example.org",
    "=?utf-8?q?x=0D=0ABcc=3A_spy=40example=2Eorg?=",
    "\ud800\x00\x1b[2J",
    "A" * 5000,
]


@pytest.mark.parametrize("said", ATTACKS)
def test_what_callers_say_stays_where_it_belongs(
    plain: MessageSettings, mailbox: Mailbox, said: str
) -> None:
    """Over the wire: no other header, no other receiver, one mail."""
    bad = replace(
        message(), name=said, number=said, reason=said, caller=said,
        transcript=(Line("caller", said),),
    )  # fmt: skip
    send_mail(ANN, bad, plain)
    [mail] = mailbox.mails
    assert mailbox.receivers == [[ANN]]
    assert {name.lower() for name in mail.keys()} <= {  # noqa: SIM118
        "subject", "from", "to", "date", "message-id", "auto-submitted", "mime-version",
        "content-type", "content-transfer-encoding", "x-peer", "x-mailfrom", "x-rcptto",
    }  # fmt: skip
    assert mail["To"] == f"{ANN}, {BEN}"
    assert max(map(len, mailbox.contents[0].split(b"\r\n"))) <= 998


@given(st.text(), st.text(max_size=50))
def test_any_text_is_a_mail(name: str, reason: str) -> None:
    mail = as_mail(replace(message(), name=name, reason=reason), SETTINGS)
    assert mail.as_bytes()
    assert mail.get_all("Bcc") is None
    assert len(mail.get_all("Subject") or []) == 1
