"""[[account.destination]] and [[account.action]]: what is read, and what is said about mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from softagent.abilities import Action, Destination, MenuKey, Parameter
from softagent.accounts import read_office
from softagent.config import Account
from softagent.errors import ConfigError
from softagent.rules import Secret

ACCOUNT = """
[[account]]
name = "reception"
registrar = "pbx.lan"
username = "100"
password = "hunter2"
"""
SALES = '[[account.destination]]\nname = "sales"\nnumber = "1003"\n'
BOOKING = '[[account.action]]\nname = "booking"\ncommand = ["./book.sh"]\n'


class File:
    """An accounts.toml with one account, whose tables a test writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "accounts.toml"
        self.path.touch(mode=0o600)

    def read(self, tables: str, defaults: str = "") -> Account:
        self.path.write_text(defaults + ACCOUNT + tables)
        [account] = read_office(self.path).accounts
        return account

    def problems(self, tables: str) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            self.read(tables)
        return caught.value.problems


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


def test_name_and_number_make_a_destination(file: File) -> None:
    """Everything else has a default; nobody can be reached unless one is written."""
    assert file.read("").destinations == ()
    assert file.read(SALES).destinations == (Destination("sales", "1003"),)


def test_a_destination_has_all_that_is_written(file: File) -> None:
    account = file.read(
        '[[account.destination]]\nname = "Ms Ito"\nnumber = "sip:ito@pbx.lan"\n'
        'words = ["the boss", "이토 씨"]\ndefault = true\nmode = "blind"\ntimeout_seconds = 40\n'
    )
    assert account.destinations == (
        Destination("Ms Ito", "sip:ito@pbx.lan", ("the boss", "이토 씨"), True, "blind", 40),
    )


def test_an_action_has_its_parameters_in_order(file: File) -> None:
    account = file.read(
        BOOKING
        + 'parameters = [{ name = "day", type = "date", ask = "Which day?" },'
        + ' { name = "room", type = "choice", choices = ["inside", "outside"] },'
        + ' { name = "card", type = "digits", length = 6 }]\n'
    )
    assert account.actions[0].parameters == (
        Parameter("day", "date", "Which day?"),
        Parameter("room", "choice", choices=("inside", "outside")),
        Parameter("card", "digits", length=6),
    )


def test_a_command_with_a_slash_starts_at_the_folder_of_the_file(file: File) -> None:
    """One without is looked for in PATH; its arguments are left as they are."""
    [action] = file.read(BOOKING.replace('"./book.sh"', '"./book.sh", "./x"')).actions
    assert action.command == (str(file.folder / "book.sh"), "./x")
    [action] = file.read(BOOKING.replace("./book.sh", "book")).actions
    assert action.command == ("book",)


def test_a_token_comes_from_the_environment_or_a_file_and_is_never_shown(
    file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOOKING_TOKEN", "opensesame")
    (file.folder / "secret").write_text("opensesame\n")
    webhook = BOOKING.replace('command = ["./book.sh"]', 'webhook = "https://10.0.0.5/book"')
    for token in ('token_env = "BOOKING_TOKEN"', 'token_file = "secret"', 'token = "opensesame"'):
        account = file.read(webhook + token)
        assert account.actions == (
            Action("booking", webhook="https://10.0.0.5/book", token=Secret("opensesame")),
        )
        assert "opensesame" not in f"{account!r}"


def test_a_token_that_everybody_can_read_is_warned_about(
    file: File, caplog: pytest.LogCaptureFixture
) -> None:
    secret = file.folder / "secret"
    secret.write_text("opensesame")
    secret.chmod(0o644)
    file.read(
        BOOKING.replace('command = ["./book.sh"]', 'webhook = "http://a/b"\ntoken_file = "secret"')
    )
    assert caplog.messages == [
        f"{secret} holds a password, and everybody on this machine can read it: chmod 600 {secret}"
    ]


def test_abilities_of_the_defaults_are_every_account_s_until_it_has_its_own(file: File) -> None:
    defaults = SALES.replace("account", "defaults")
    assert file.read("", defaults).destinations == (Destination("sales", "1003"),)
    own = SALES.replace("1003", "1004")
    assert file.read(own, defaults).destinations == (Destination("sales", "1004"),)


def test_keys_do_what_is_written(file: File) -> None:
    account = file.read(
        SALES
        + BOOKING
        + '[account.messages]\ndirectory = "kept"\n'
        + '[[account.menu]]\nkey = "1"\ntransfer = "sales"\n'
        + '[[account.menu]]\nkey = "2"\naction = "booking"\n'
        + '[[account.menu]]\nkey = "#"\nmessage = true\n'
    )
    assert account.menu == (
        MenuKey("1", transfer="sales"),
        MenuKey("2", action="booking"),
        MenuKey("#", message=True),
    )


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ("destination = 3", "destination 3: expected tables, [[account.destination]]"),
        ("[account.destination]\nname = 'x'", "destination (a table): expected tables, [[account.destination]]"),
        ("number = '1003'", 'unknown option "number": it belongs in [[account.destination]]'),
        ("[[account.destination]]\nname = 'sales'", 'destination "sales": missing option: number'),
        ("[[account.destination]]\nnumber = '1'", "destination 1: missing option: name"),
        (SALES + "number_ = '1'", 'destination "sales": unknown option "number_": did you mean "number"?'),
        (SALES + "mode = 'warm'", 'destination "sales": mode "warm": expected "attended" or "blind"'),
        (SALES + "timeout_seconds = 1", 'destination "sales": timeout_seconds 1: expected 5 to 180'),
        (SALES + "mode = 'blind'\nannounce = 'Hello.'", 'destination "sales": announce: has an effect with mode = "attended" only'),
        (SALES + "default = 'yes'", 'destination "sales": default "yes": expected true or false'),
        (SALES + "words = ['']", 'destination "sales": words (a list): expected words that callers use, e.g. "the shop"'),
        (SALES.replace("1003", "<sip:x>"), 'destination "sales": number "<sip:x>": expected an extension, a number or a SIP address, e.g. "1003" or "sip:anna@example.org"'),
        (SALES + SALES, 'destination "sales": "sales" means destination "sales" already; each needs its own'),
        (SALES + BOOKING + "words = ['Sales ']", 'action "booking": "sales" means destination "sales" already; each needs its own'),
        (SALES + "default = true\n" + SALES.replace("sales", "Ms Ito") + "default = true", 'destination: default is true for "sales" and "Ms Ito": expected one at most'),
        ("[[account.action]]\nname = 'x'", 'action "x": expected either command or webhook, just one of them'),
        (BOOKING + "webhook = 'http://a/b'", 'action "booking": expected either command or webhook, just one of them'),
        (BOOKING + "token = 'x'", 'action "booking": token: has an effect with webhook only'),
        (BOOKING + "token_env = 'NOT_THERE'", 'action "booking": token_env: the environment variable is not set'),
        (BOOKING.replace("booking", "book a table"), 'action "book a table": name "book a table": expected letters, digits, - and _ only'),
        ("[[account.action]]\nname = 'x'\nwebhook = 'ftp://a/b'", 'action "x": webhook "ftp://a/b": expected an address, e.g. "https://10.0.0.5/book"'),
        (BOOKING + "parameters = 1", 'action "booking": parameters 1: expected a list of tables'),
        (BOOKING + "parameters = [{ name = 'Day' }]", 'action "booking": parameter "Day": name "Day": expected small letters, digits and _, e.g. "order_number"'),
        (BOOKING + "parameters = [{ name = 'day', type = 'dat' }]", 'action "booking": parameter "day": type "dat": expected "text" or "name" or "number" or "digits" or "phone" or "date" or "time" or "yes-no" or "choice"'),
        (BOOKING + "parameters = [{ name = 'room', type = 'choice' }]", 'action "booking": parameter "room": choices: expected with type = "choice", and only there; type is "choice"'),
        (BOOKING + "parameters = [{ name = 'room', choices = ['a'] }]", 'action "booking": parameter "room": choices: expected with type = "choice", and only there; type is "text"'),
        (BOOKING + "parameters = [{ name = 'room', type = 'choice', choices = ['a', 'A'] }]", 'action "booking": parameter "room": choices: expected each only once'),
        (BOOKING + "parameters = [{ name = 'day', length = 3 }]", 'action "booking": parameter "day": length: has an effect with type = "digits" only, and type is "text"'),
        (BOOKING + "parameters = [{ name = 'a' }, { name = 'a' }]", 'action "booking": parameters: expected each only once'),
        ("[[account.menu]]\nkey = '12'\nsay = 'x'", 'menu "12": key "12": expected one key: 0 to 9, * or #'),
        ("[[account.menu]]\nsay = 'x'", 'menu 1: missing option: key'),
        ("[[account.menu]]\nkey = '1'", 'menu "1": expected one of transfer, action, say, ask, message, and no other of them'),
        (SALES + "[[account.menu]]\nkey = '1'\ntransfer = 'sale'", 'menu "1": transfer "sale": there is none: expected "sales"'),
        ("[[account.menu]]\nkey = '1'\naction = 'x'", 'menu "1": action "x": there is none: expected one first'),
        ("[[account.menu]]\nkey = '1'\nmessage = true", 'menu: message: none are taken: expected [account.messages] to say where they go'),
        ("[[account.menu]]\nkey = '1'\nsay = 'x'\n[[account.menu]]\nkey = '1'\nsay = 'y'", 'menu: key: expected each only once'),
    ],
)  # fmt: skip
def test_a_mistake_names_table_option_and_expectation(
    file: File, tables: str, problem: str
) -> None:
    assert file.problems(tables) == (f'account "reception": {problem}',)
