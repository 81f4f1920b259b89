"""The offices that scenarios call: accounts files, read as any other."""

from __future__ import annotations

from pathlib import Path

from softagent.accounts import read_office
from softagent.config import Account
from softagent.lab.colleagues import Colleague
from softagent.lab.office import EXTENSION, FACTS, GREETING, PERSONA
from softagent.lab.scenario import OfficeName
from softagent.lab.sipwire import Address

COLLEAGUES = {
    "201": Colleague.ANSWERS,
    "202": Colleague.BUSY,
    "203": Colleague.REFUSES,
    "204": Colleague.ANSWERS,
}
"""The telephones of the accounts below, at the lab's PBX."""
SILENCE_SECONDS = 6
"""Before "are you there?": half as long as by default, since scenarios take their time in full."""

_ACCOUNT = """\
[[account]]
name = "lab"
registrar = "{host}"
port = {port}
username = "{extension}"
password = "{password}"
local_address = "{host}"
greeting = "{greeting}"
persona = "{persona}"
facts = '''
{facts}'''

[account.limits]
silence_seconds = {silence}

[account.llm]
{model}

[[account.destination]]
name = "the reception"
number = "201"
words = ["a person", "a human", "somebody"]
default = true

[[account.destination]]
name = "Doctor Harris"
number = "202"
words = ["doctor harris", "harris"]

[[account.destination]]
name = "the billing office"
number = "203"
words = ["billing", "accounts", "the billing department"]

[[account.destination]]
name = "the laboratory"
number = "204"
words = ["the lab"]
mode = "blind"
"""


def practice_account(
    registrar: Address, password: str, *, office: OfficeName, model: str, directory: Path
) -> Account:
    """The office's extension at the lab's PBX; its files go to `directory`, which must be there.

    `model` names another language model than the default.
    """
    host, port = registrar
    path = directory / f"{office}.toml"
    path.touch(mode=0o600)
    text = _ACCOUNT.format(
        host=host,
        port=port,
        extension=EXTENSION,
        password=password,
        greeting=GREETING,
        persona=PERSONA,
        facts=FACTS,
        silence=SILENCE_SECONDS,
        model=f'model = "{model}"' if model else "",
    )
    path.write_text(text, encoding="utf-8")
    return read_office(path).accounts[0]


def kept_messages(directory: Path) -> tuple[str, ...]:
    """The messages that callers have left, oldest first, each as the text of its file."""
    folder = directory / "messages"
    files = sorted(folder.rglob("*.json")) if folder.is_dir() else []
    return tuple(file.read_text(encoding="utf-8") for file in files)
