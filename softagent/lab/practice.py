"""The office that scenarios call: an accounts file, read as any other, and what is left in its folder."""

from __future__ import annotations

from pathlib import Path

from softagent.accounts import read_office
from softagent.config import Account
from softagent.lab.colleagues import Colleague
from softagent.lab.office import EXTENSION, FACTS, GREETING, PERSONA
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

[account.messages]
directory = "messages"

[account.llm]
{model}

[[account.destination]]
name = "the reception"
number = "201"
words = ["a person", "a human", "somebody"]
default = true

[[account.destination]]
name = "the dentist"
number = "202"
words = ["doctor harris", "the doctor"]

[[account.destination]]
name = "the billing office"
number = "203"
words = ["billing", "accounts", "the billing department"]

[[account.destination]]
name = "the laboratory"
number = "204"
words = ["the lab"]
mode = "blind"

[[account.menu]]
key = "1"
transfer = "the laboratory"

[[account.menu]]
key = "2"
say = "On Saturday and Sunday we are closed."

[[account.menu]]
key = "3"
ask = "How much does a check-up cost?"

[[account.menu]]
key = "4"
message = true

[[account.menu]]
key = "5"
action = "order"

[[account.action]]
name = "order"
words = ["my order", "an order"]
parameters = [{{ name = "order_number", type = "digits", length = 6 }}]
command = ["./order.sh"]
done = "Your order is ready."
"""
_ORDER_SCRIPT = """\
#!/bin/sh
orders="{folder}/orders"
mkdir -p "$orders"
cat > "$orders/$$.json"
"""


def practice_account(registrar: Address, password: str, *, model: str, directory: Path) -> Account:
    """The office's extension at the lab's PBX; its files go to `directory`, which must be there.

    `model` names another language model than the default.
    """
    host, port = registrar
    path = directory / "accounts.toml"
    path.touch(mode=0o600)
    script = directory / "order.sh"
    script.write_text(_ORDER_SCRIPT.format(folder=directory.resolve()), encoding="utf-8")
    script.chmod(0o700)
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


def kept(directory: Path) -> tuple[str, ...]:
    """What was written down for callers, messages and orders, oldest first, each as the text of its file."""
    files = [*(directory / "messages").rglob("*.json"), *(directory / "orders").glob("*.json")]
    files.sort(key=lambda file: file.stat().st_mtime_ns)
    return tuple(file.read_text(encoding="utf-8") for file in files)
