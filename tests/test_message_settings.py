"""[account.messages]: what may stand there, and what is said about the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from softagent.accounts import read_office
from softagent.errors import ConfigError
from softagent.message_settings import MessageSettings

MINIMAL = '[[account]]\nname = "a"\nregistrar = "pbx"\nusername = "100"\npassword = "x"\n'


def read(folder: Path, text: str, *, defaults: str = "") -> MessageSettings:
    file = folder / "accounts.toml"
    file.write_text(f"{defaults}\n{MINIMAL}[account.messages]\n{text}\n")
    file.chmod(0o600)
    return read_office(file).accounts[0].messages


def problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        read(folder, text)
    return raised.value.problems


def test_no_messages_are_taken_unless_it_is_said_where_they_go(tmp_path: Path) -> None:
    assert not MessageSettings().are_taken
    assert not read(tmp_path, "").are_taken
    assert read(tmp_path, 'directory = "kept"').are_taken
    assert read(tmp_path, 'folder = "out"').are_taken
    assert not read(tmp_path, 'folder = "out"\nenabled = false').are_taken


def test_paths_start_at_the_file_s_folder(tmp_path: Path) -> None:
    settings = read(tmp_path, 'directory = "kept"\nfolder = "out"\ncommand = ["./a.sh", "b"]')
    assert settings.directory == tmp_path / "kept"
    assert settings.folder == tmp_path / "out"
    assert settings.command == (str(tmp_path / "a.sh"), "b")


def test_an_account_adds_to_the_defaults(tmp_path: Path) -> None:
    """The mail server for all of them, the receiver for one."""
    mail = '[defaults.messages]\nsmtp_host = "mail.lan"\nemail_from = "agent@office.lan"'
    settings = read(tmp_path, 'email_to = ["ann@office.lan"]', defaults=mail)
    assert settings.are_taken
    assert settings.smtp_place == ("mail.lan", 587)


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_usual_port_depends_on_the_encryption(tmp_path: Path, security: str, port: int) -> None:
    assert read(tmp_path, f'smtp_security = "{security}"').smtp_place[1] == port
    assert read(tmp_path, f'smtp_security = "{security}"\nsmtp_port = 2525').smtp_place[1] == 2525


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('email_to = ["nobody"]', 'messages.email_to (a list): expected mail addresses, e.g. ["'),
        ('email_to = ["a@b\\r\\nBcc: c@d"]', "messages.email_to (a list): expected mail addresses"),
        ('email_to = ["a@b"]\nemail_from = "c@d"', "messages.email_to: expected smtp_host as well"),
        ('email_to = ["a@b"]\nsmtp_host = "m"', "messages.email_to: expected email_from as well"),
        ('smtp_user = "u"', "messages.smtp_user: expected with smtp_password"),
        ('smtp_security = "ssl"', 'messages.smtp_security "ssl": expected "starttls" or "tls"'),
        ('webhook = "ftp://x"', 'messages.webhook "ftp://x": expected an address'),
        ('webhook_token = "t"', "messages.webhook_token: has an effect with webhook only"),
        ('smpt_host = "m"', 'unknown option "messages.smpt_host": did you mean "smtp_host"?'),
        ('smtp_password_env = "NO_SUCH"', "smtp_password_env: the environment variable is not set"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, problem: str) -> None:
    [found] = problems(tmp_path, text)
    assert problem in found
    assert found.startswith('account "a": ')


def test_a_password_that_everybody_can_read_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = tmp_path / "mail.secret"
    secret.write_text("hunter2\n")
    secret.chmod(0o644)
    settings = read(tmp_path, 'smtp_user = "u"\nsmtp_password_file = "mail.secret"')
    assert settings.smtp_password.value == "hunter2"
    assert str(secret) in caplog.text
    assert "hunter2" not in caplog.text
