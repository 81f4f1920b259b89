"""A message as an e-mail: RFC 5322 by way of `email`, RFC 6409 submission by way of `smtplib`."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from softagent.message_settings import MessageSettings
from softagent.messages.message import CallerMessage
from softagent.messages.postman import DeliveryFailed
from softagent.messages.wording import as_line, as_text, title

SMTP_SECONDS = 60.0
"""For each answer of the mail server."""
MEGABYTE = 1_000_000


def send_mail(receiver: str, message: CallerMessage, settings: MessageSettings) -> None:
    """Hand the message to the mail server, for one receiver; raises DeliveryFailed.

    Each receiver is a way of its own: one whom the server refuses has the others get nothing
    twice. All of them are named in it, and the Message-ID is always the message's own.
    """
    mail = as_mail(message, settings)
    with _explained(settings), _submission(settings) as server:
        server.send_message(mail, settings.email_from, [receiver])


def try_mail_server(settings: MessageSettings) -> str:
    """Connect and log in, and say what was found; raises DeliveryFailed."""
    with _explained(settings), _submission(settings) as server:
        server.noop()
    who = f" for {settings.smtp_user}" if settings.smtp_user else ""
    host, port = settings.smtp_place
    return f"{host} answers at port {port}{who}, {_SECURITY[settings.smtp_security]}"


_SECURITY = {
    "starttls": "encrypted by STARTTLS",
    "tls": "encrypted by TLS",
    "none": "not encrypted",
}


def as_mail(message: CallerMessage, settings: MessageSettings) -> EmailMessage:
    """The e-mail; a recording above the limit is only named."""
    recording = Path(message.recording) if message.recording else None
    sound = None if recording is None else _sound(recording, settings.email_attachment_mb)
    where = "attached" if sound is not None else message.recording
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = title(message).replace("=?", "= ?")  # no encoded words of the caller's own
    mail["From"] = settings.email_from
    mail["To"] = ", ".join(settings.email_to)
    mail["Date"] = format_datetime(message.taken)
    mail["Message-ID"] = f"<{message.id}.{message.account}@softagent.invalid>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answers, please
    mail.set_content(as_text(message, recording=where), cte="quoted-printable")
    if sound is not None:
        mail.add_attachment(sound, maintype="audio", subtype="wav", filename=f"{message.id}.wav")
    return mail


def _sound(recording: Path, most_mb: int) -> bytes | None:
    """The WAV, if it is there and not too large."""
    try:
        if recording.stat().st_size > most_mb * MEGABYTE:
            return None
        return recording.read_bytes()
    except OSError:
        return None


@contextlib.contextmanager
def _submission(settings: MessageSettings) -> Iterator[smtplib.SMTP]:
    """A connection to the mail server, encrypted and logged in as the settings want it."""
    host, port = settings.smtp_place
    if settings.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port, timeout=SMTP_SECONDS, context=_tls(settings)
        )
    else:
        server = smtplib.SMTP(host, port, timeout=SMTP_SECONDS)
    with server:
        if settings.smtp_security == "starttls":
            server.starttls(context=_tls(settings))
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password.value)
        yield server


def _tls(settings: MessageSettings) -> ssl.SSLContext:
    file = settings.smtp_ca_file
    return ssl.create_default_context(cafile=None if file is None else str(file))


@contextlib.contextmanager
def _explained(settings: MessageSettings) -> Iterator[None]:
    """Whatever goes wrong, in words that say what to do."""
    place = "{}:{}".format(*settings.smtp_place)
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryFailed(
            f"{place} refuses smtp_user and smtp_password: {_answer(*error.args)}"
        ) from None
    except smtplib.SMTPNotSupportedError as error:
        raise DeliveryFailed(f"{place}: {error} Is smtp_security right?") from None
    except smtplib.SMTPRecipientsRefused as error:
        answers = [f"{who}: {_answer(*answer)}" for who, answer in error.recipients.items()]
        raise DeliveryFailed(f"{place} refuses {', '.join(answers)}") from None
    except smtplib.SMTPResponseException as error:
        raise DeliveryFailed(
            f"{place} answers {_answer(error.smtp_code, error.smtp_error)}"
        ) from None
    except ssl.SSLError as error:
        raise DeliveryFailed(
            f"{place}: no encryption comes about ({error.reason or error}): smtp_security or"
            " smtp_ca_file may be wrong"
        ) from None
    except UnicodeError:  # its text may hold what can't be encoded: never repeat it
        raise DeliveryFailed("smtp_user and smtp_password: expected ASCII letters only") from None
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryFailed(f"{place} can't be reached: {as_line(str(error))}") from None


def _answer(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {as_line(words)}"
