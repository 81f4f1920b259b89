"""What an account's agent can do besides talking: [[account.destination]], [[account.action]], [[account.menu]]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from softagent.rules import Between, Matching, Name, ProgramFirst, Secret

SpokenName = Annotated[
    str,
    Matching(r"\w[\w .&'’-]{0,59}", 'a short name that can be spoken, e.g. "sales" or "Ms Ito"'),
]
Words = Annotated[str, Matching(r"\s*\w[^\r\n]{0,79}", 'words that callers use, e.g. "the shop"')]
Number = Annotated[
    str,
    Matching(
        r"\+?[0-9*#][0-9*# ()./-]*|(sips?:)?[^\s<>\"]+",
        'an extension, a number or a SIP address, e.g. "1003" or "sip:anna@example.org"',
    ),
]
VariableName = Annotated[
    str, Matching(r"[a-z][a-z0-9_]{0,39}", 'small letters, digits and _, e.g. "order_number"')
]
Choice = Annotated[str, Matching(r"\w[^\r\n]{0,59}", "words")]
Argument = Annotated[str, Matching(r"[^\0]*", "a text without NUL")]
Url = Annotated[
    str,
    Matching(r"https?://[^\s/?#@]+([/?][^\s#]*)?", 'an address, e.g. "https://10.0.0.5/book"'),
]
Key = Annotated[str, Matching(r"[0-9*#]", "one key: 0 to 9, * or #")]
Seconds = Annotated[int, Between(1, 120)]
NO_TOKEN = Secret("")


@dataclass(frozen=True, slots=True)
class Destination:
    """[[account.destination]]: somebody whom callers may be put through to."""

    name: SpokenName
    """As the agent says it."""
    number: Number
    words: tuple[Words, ...] = ()
    """What else callers call it."""
    default: bool = False
    """Whether this is who answers to "a person", and to the key 0."""
    mode: Literal["attended", "blind"] = "attended"
    """Attended: the caller is let go of only once the destination has answered."""
    timeout_seconds: Annotated[int, Between(5, 180)] = 25
    """How long it may ring, where attended."""
    announce: str = ""
    """What is said there before the caller is put through, where attended; "{caller}" is who calls."""

    def contradictions(self) -> Iterator[str]:
        """What can't be true together, one sentence each."""
        if self.announce and self.mode == "blind":
            yield 'announce: has an effect with mode = "attended" only'


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of `parameters` of an action: what the agent asks the caller for."""

    name: VariableName
    type: Literal[
        "text", "name", "number", "digits", "phone", "date", "time", "yes-no", "choice"
    ] = "text"
    ask: str = ""
    """The question; one made of the name unless set."""
    choices: tuple[Choice, ...] = ()
    length: Annotated[int, Between(0, 40)] = 0
    """How many digits; any number unless set."""
    secret: bool = False
    """Whether it is neither read back nor remembered: a PIN."""

    def contradictions(self) -> Iterator[str]:
        """What can't be true together, one sentence each."""
        if (self.type == "choice") != bool(self.choices):
            yield f'choices: expected with type = "choice", and only there; type is "{self.type}"'
        if self.length and self.type != "digits":
            yield f'length: has an effect with type = "digits" only, and type is "{self.type}"'
        yield from _same("choices", self.choices)


@dataclass(frozen=True, slots=True)
class Action:
    """[[account.action]]: a command or a webhook that the agent runs for a caller."""

    name: Name
    words: tuple[Words, ...] = ()
    """What callers say who want it."""
    description: str = ""
    """What it is for, for the language model."""
    parameters: tuple[Parameter, ...] = ()
    confirm: bool = True
    """Whether what the caller gave is read back before it is done."""
    command: Annotated[tuple[Argument, ...], ProgramFirst()] = ()
    """A program with its arguments; nothing in it is looked at by a shell."""
    webhook: Url = ""
    """Where the values are posted to, as JSON."""
    token: Secret = NO_TOKEN
    """Sent to the webhook as "Authorization: Bearer ..."."""
    timeout_seconds: Seconds = 10
    done: str = ""
    """What is said when it is done and says nothing itself; our own words unless set."""
    failed: str = ""
    """The same for when it isn't."""

    def contradictions(self) -> Iterator[str]:
        """What can't be true together, one sentence each."""
        if bool(self.command) == bool(self.webhook):
            yield "expected either command or webhook, just one of them"
        elif self.token.value and not self.webhook:
            yield "token: has an effect with webhook only"
        yield from _same("parameters", [parameter.name for parameter in self.parameters])


@dataclass(frozen=True, slots=True)
class MenuKey:
    """[[account.menu]]: what a key does that the caller presses. Just one of the others is set."""

    key: Key
    transfer: str = ""
    """Puts the caller through to the destination of this name."""
    action: str = ""
    """Begins the action of this name."""
    say: str = ""
    """Says this."""
    ask: str = ""
    """Answers as if the caller had said this."""
    message: bool = False
    """Takes a message."""

    def contradictions(self) -> Iterator[str]:
        """What can't be true together, one sentence each."""
        chosen = [self.transfer, self.action, self.say, self.ask, self.message]
        if sum(map(bool, chosen)) != 1:
            yield "expected one of transfer, action, say, ask, message, and no other of them"


def contradictions(
    destinations: Sequence[Destination], actions: Sequence[Action], menu: Sequence[MenuKey]
) -> Iterator[str]:
    """What can't be true together in the abilities of one account, one sentence each."""
    defaults = [f'"{known.name}"' for known in destinations if known.default]
    if len(defaults) > 1:
        yield f"destination: default is true for {' and '.join(defaults)}: expected one at most"
    first: dict[str, str] = {}
    for kind, abilities in (("destination", destinations), ("action", actions)):
        for ability in abilities:
            label = f'{kind} "{ability.name}"'
            for words in dict.fromkeys(map(_plain, (ability.name, *ability.words))):
                if words in first:
                    yield f'{label}: "{words}" means {first[words]} already; each needs its own'
                first.setdefault(words, label)
    yield from _same("menu: key", [entry.key for entry in menu])
    for entry in menu:
        for kind, name, known in (
            ("transfer", entry.transfer, destinations),
            ("action", entry.action, actions),
        ):
            if name and name not in [ability.name for ability in known]:
                names = " or ".join(f'"{ability.name}"' for ability in known) or "one first"
                yield f'menu "{entry.key}": {kind} "{name}": there is none: expected {names}'


def _plain(words: str) -> str:
    """As callers say it: without case and odd spaces."""
    return " ".join(words.casefold().split())


def _same(option: str, names: Sequence[str]) -> Iterator[str]:
    if len({_plain(name) for name in names}) != len(names):
        yield f"{option}: expected each only once"
