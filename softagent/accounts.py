"""Reading accounts.toml: all of its mistakes at once, each with its account and option."""

from __future__ import annotations

import logging
import re
import stat
import tomllib
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Any

from softagent import abilities, tones
from softagent.config import Account, Office, TlsSettings
from softagent.errors import ConfigError, ConfigFileMissing, ConfigSyntaxError
from softagent.options import file_path, shown
from softagent.rules import NAME
from softagent.tables import (
    Place,
    Table,
    Values,
    build_tables,
    given_fields,
    merged,
    read_table,
    report_missing,
)

log = logging.getLogger(__name__)

SECRETS = ("password", "token", "smtp_password", "webhook_token")
"""Options that nobody else should read."""


def read_office(path: Path) -> Office:
    """The office that the TOML file at `path` describes.

    Raises ConfigFileMissing, ConfigSyntaxError (with file and line) or ConfigError (with
    every mistake). Warns when everybody can read a password.
    """
    path = path.absolute()
    document = _parse(path)
    problems: list[str] = []
    accounts = _read_accounts(document, path, problems)
    if problems:
        raise ConfigError(problems)
    _warn_of_open_passwords(document, path)
    return Office(path, tuple(Account(**values) for values in accounts))


def _parse(path: Path) -> Table:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ConfigFileMissing(
            f"{path}: no such file; copy accounts.example.toml there and fill it in,"
            " or name another file with --accounts"
        ) from None
    except OSError as error:
        raise ConfigFileMissing(f"{path}: can't be read: {error.strerror}") from None
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigSyntaxError(f"{path}:{line}: not UTF-8 text") from None
    except RecursionError:
        raise ConfigSyntaxError(f"{path}: nested too deeply") from None
    except ValueError as error:
        raise ConfigSyntaxError(_located(path, str(error), content)) from None


def _located(path: Path, message: str, content: bytes) -> str:
    """tomllib's message, its "(at line 3, column 5)" turned into "file:3:"."""
    what, _, where = message.partition(" (at ")
    line = re.search(r"line ([0-9]+)", where)
    number = line[1] if line else content.count(b"\n") + 1
    return f"{path}:{number}: {what}; not valid TOML"


def _read_accounts(document: Table, path: Path, problems: list[str]) -> list[Values]:
    """The values of each account over the defaults; mistakes go to `problems`."""
    default_table, tables = _layout(document, path, problems)
    folder = path.parent
    defaults = read_table(Account, default_table, Place("defaults", folder, problems, Account))
    given_by_default = given_fields(Account, default_table)
    accounts = []
    for number, table in enumerate(tables, start=1):
        place = Place(_label(table, number), folder, problems, Account)
        report_missing(given_by_default | given_fields(Account, table), place)
        values = merged(defaults, read_table(Account, table, place))
        accounts.append(built := build_tables(Account, values, place))
        problems.extend(f"{place.label}: {sentence}" for sentence in _contradictions(built))
    problems.extend(_clashes(accounts))
    return accounts


def _layout(document: Table, path: Path, problems: list[str]) -> tuple[Table, list[Table]]:
    """The [defaults] table and the [[account]] tables of the file."""
    problems.extend(
        f"{path.name}: {shown(key)} belongs nowhere: write options in [defaults] or [[account]]"
        for key in document
        if key not in ("defaults", "account")
    )
    defaults, accounts = document.get("defaults", {}), document.get("account", [])
    if not isinstance(defaults, dict):
        problems.append(f"{path.name}: defaults: expected a table, [defaults]")
        defaults = {}
    if isinstance(accounts, dict):
        problems.append(f"{path.name}: [account]: write [[account]], once for each extension")
        accounts = []
    elif not isinstance(accounts, list) or not all(isinstance(table, dict) for table in accounts):
        problems.append(f"{path.name}: account: expected tables, [[account]]")
        accounts = []
    elif not accounts:
        problems.append(f"{path.name}: no [[account]]: write one for each extension")
    return defaults, accounts


def _label(table: Table, number: int) -> str:
    name = table.get("name")
    is_sound = isinstance(name, str) and not NAME.expectation(name)
    return f'account "{name}"' if is_sound else f"account {number}"


def _contradictions(values: Values) -> Iterator[str]:
    """What can't be true together in one account, one sentence each."""
    transport = values.get("transport", "udp")
    if transport not in ("tls", "auto") and values["tls"] != TlsSettings():
        yield f'tls: has an effect with transport = "tls" only, and transport is "{transport}"'
    for greeting in ("greeting_closed", "greeting_holiday"):
        if values.get(greeting) and not values["hours"].is_given:
            yield f"{greeting}: has an effect with [account.hours] only, and there are none"
    yield from abilities.contradictions(
        *(values.get(name, ()) for name in ("destinations", "actions", "menu"))
    )
    if any(key.message for key in values.get("menu", ())) and not values["messages"].are_taken:
        yield "menu: message: none are taken: expected [account.messages] to say where they go"
    yield from tones.contradictions(values["tones"], values.get("destinations", ()))


def _clashes(accounts: list[Values]) -> Iterator[str]:
    """Sentences about accounts that can't run side by side. Disabled ones only need their own name.

    RTP ranges may overlap: every call looks for a free pair of ports in its range.
    """
    running = [values for values in accounts if values.get("enabled", True)]
    yield from _repeated(accounts, "name", lambda values: values["name"])
    yield from _repeated(running, "username", _address_of_record)
    yield from _repeated(running, "local_port", _local_socket)


def _repeated(
    accounts: list[Values], option: str, identity: Callable[[Values], Hashable]
) -> Iterator[str]:
    """A sentence for each account whose `identity` an earlier one has; None and the unreadable don't count."""
    first: dict[Hashable, Any] = {}
    for values in accounts:
        try:
            key = identity(values)
        except KeyError:  # an option that was wrong or missing, and is reported as such
            continue
        if key is None:
            continue
        name = values.get("name", "?")
        if key in first:
            yield (
                f'account "{name}": {option} {shown(values[option])}: account "{first[key]}"'
                " has the same; each needs its own"
            )
        first.setdefault(key, name)


def _address_of_record(values: Values) -> Hashable:
    registrar = values["registrar"].lower()
    domain = values.get("domain", "").lower() or registrar
    return (values["username"], registrar, values.get("port", 0), domain)


def _local_socket(values: Values) -> Hashable:
    port = values.get("local_port", 0)
    return (values.get("local_address", ""), port) if port else None


def _warn_of_open_passwords(document: Table, path: Path) -> None:
    tables = [document.get("defaults", {}), *document["account"]]
    tables += [action for table in tables for action in table.get("action", ())]
    tables += [table["messages"] for table in tables if "messages" in table]
    files = [path for table in tables if not table.keys().isdisjoint(SECRETS)][:1]
    files += [
        file_path(table[key], path.parent)
        for table in tables
        for key in (f"{secret}_file" for secret in SECRETS)
        if key in table
    ]
    for file in files:
        if file.stat().st_mode & stat.S_IROTH:
            log.warning(
                "%s holds a password, and everybody on this machine can read it: chmod 600 %s",
                file,
                file,
            )
