"""accounts.toml: what is read from it, and what is said about its mistakes."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.abilities import Action, Destination, MenuKey, Parameter
from softagent.accounts import read_office
from softagent.config import Account, LlmSettings, PortRange, Secret, TurnSettings
from softagent.errors import (
    ConfigError,
    ConfigFileMissing,
    ConfigSyntaxError,
    SoftagentError,
    UnknownAccount,
)
from softagent.message_settings import MessageSettings
from softagent.options import keys_of, options_of

EXAMPLE = Path(__file__).parents[1] / "accounts.example.toml"
MINIMAL = """
[[account]]
name = "reception"
registrar = "pbx.lan"
username = "100"
password = "hunter2"
"""


class Folder:
    """A folder with an accounts.toml that nobody else can read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, content: str | bytes) -> Path:
        file = self.path / "accounts.toml"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        file.chmod(0o600)
        return file

    def read(self, content: str) -> tuple[Account, ...]:
        return read_office(self.write(content)).accounts

    def problems(self, content: str) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            self.read(content)
        return caught.value.problems


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


# What is read ----------------------------------------------------------------


def test_four_options_make_an_account(folder: Folder) -> None:
    """Everything else comes from the dataclass's defaults."""
    assert folder.read(MINIMAL) == (
        Account("reception", "pbx.lan", "100", password=Secret("hunter2")),
    )


def test_lists_of_addresses_and_numbers(folder: Folder) -> None:
    """Any number of them, none too."""
    lists = 'allow_from = ["10.0.0.0/8", "2001:db8::1"]\nallow_callers = ["10??", "+49*"]\n'
    [account] = folder.read(f"{MINIMAL}[account.access]\n{lists}")
    assert account.access.allow_from == ("10.0.0.0/8", "2001:db8::1")
    assert account.access.allow_callers == ("10??", "+49*")
    [everyone] = folder.read(f"{MINIMAL}[account.access]\nallow_callers = []\n")
    assert everyone.access.allow_callers == ()


def test_an_account_goes_over_the_defaults_option_by_option(folder: Folder) -> None:
    """A nested table of an account changes only the options that it names."""
    [account] = folder.read(
        "[defaults]\nexpires_seconds = 60\nport = 5080\n[defaults.llm]\nthreads = 4\nmax_tokens = 50\n"
        + MINIMAL
        + "port = 5090\n[account.llm]\nthreads = 8\n"
    )
    assert (account.expires_seconds, account.port) == (60, 5090)
    assert account.llm == LlmSettings(threads=8, max_tokens=50)


def test_values_arrive_in_the_types_of_the_dataclass(folder: Folder) -> None:
    """Ranges, lists, whole numbers for decimal options, paths and models beside the file."""
    [account] = folder.read(
        MINIMAL
        + 'rtp_ports = "30000-30009"\ncodecs = ["PCMA"]\n[account.synthesizer]\nspeed = 1\n'
        + '[account.recording]\ndirectory = "calls"\n[account.llm]\nmodel = "models/a.gguf"\n'
    )
    assert account.rtp_ports == PortRange(30000, 30009)
    assert account.codecs == ("PCMA",)
    assert isinstance(account.synthesizer.speed, float)
    assert account.recording.directory == folder.path / "calls"
    assert account.llm.model == str(folder.path / "models/a.gguf")


def test_texts_and_passwords_come_from_files_beside_the_accounts(folder: Folder) -> None:
    """The newline at a file's end belongs to neither."""
    (folder.path / "facts.txt").write_text("We open at nine.\n")
    (folder.path / "secret").write_text("hunter2\n")
    [account] = folder.read(
        MINIMAL.replace(
            'password = "hunter2"', 'password_file = "secret"\nfacts_file = "facts.txt"'
        )
    )
    assert account.facts == "We open at nine."
    assert account.password.value == "hunter2"


def test_a_password_comes_from_the_environment(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECEPTION_PASSWORD", "hunter2")
    [account] = folder.read(
        MINIMAL.replace('password = "hunter2"', 'password_env = "RECEPTION_PASSWORD"')
    )
    assert account.password.value == "hunter2"


def test_an_account_may_override_the_way_a_default_password_is_given(folder: Folder) -> None:
    """`password` in the account replaces `password_env` of the defaults, instead of clashing with it."""
    [account] = folder.read('[defaults]\npassword = "other"\n' + MINIMAL)
    assert account.password.value == "hunter2"


def test_certificates_may_be_set_where_the_dns_decides(folder: Folder) -> None:
    """With `transport = "auto"` the answer may be TLS."""
    [account] = folder.read(MINIMAL + 'transport = "auto"\ntls.verify = false\n')
    assert not account.tls.verify


def test_an_account_is_found_by_its_name(folder: Folder) -> None:
    """Enabled or not. An unknown name gets a suggestion, or the names that there are."""
    second = MINIMAL.replace("reception", "workshop") + "enabled = false\n"
    office = read_office(folder.write(MINIMAL + second))
    assert office.account("workshop").name == "workshop"
    with pytest.raises(UnknownAccount, match=r'no account "workshp": did you mean "workshop"\?'):
        office.account("workshp")
    with pytest.raises(UnknownAccount, match=r'no account "x": there are: reception, workshop'):
        office.account("x")


def test_accounts_are_chosen_by_name_or_by_being_enabled(folder: Folder) -> None:
    """A disabled account runs only when it is named; naming one twice makes no second worker."""
    second = MINIMAL.replace("reception", "workshop") + "enabled = false\n"
    office = read_office(folder.write(MINIMAL + second))
    assert [account.name for account in office.chosen()] == ["reception"]
    assert [account.name for account in office.chosen(["workshop"] * 2)] == ["workshop"]
    with pytest.raises(UnknownAccount):
        office.chosen(["lobby"])


# What is said about mistakes -------------------------------------------------


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('rtp_ports = "20000"', 'rtp_ports "20000": expected "first-last", e.g. "20000-20099"'),
        ('rtp_ports = "9-5"', 'rtp_ports "9-5": expected first < last, both from 1024 to 65535'),
        ('rtp_ports = "20001-20002"', 'rtp_ports "20001-20002": expected at least an even port and the one after it'),
        ("rtp_ports = 20000", "rtp_ports 20000: expected a text in quotes"),
        ("port = -1", "port -1: expected 0 to 65535"),
        ('transport = "sctp"', 'transport "sctp": expected "udp" or "tcp" or "tls" or "auto"'),
        ("tls.verify = false", "tls: has an effect with transport = \"tls\" only, and transport is \"udp\""),
        ('transport = "tls"\ntls.key_file = "k"', "tls.key_file: expected certificate_file as well"),
        ('transport = "tls"\ntls.ca_file = "c"\ntls.verify = false', "tls.ca_file: has no effect with verify = false: take one of them out"),
        ('local_address = "::"', 'local_address "::": expected an IP address of this machine, e.g. "192.168.1.20"; leave it out to have it chosen'),
        ("port = true", "port true: expected a whole number"),
        ('port = "5060"', 'port "5060": expected a whole number'),
        ("local_port = 65536", "local_port 65536: expected 0 to 65535"),
        ("expires_seconds = 5", "expires_seconds 5: expected 30 to 86400"),
        (f"expires_seconds = 0x{'f' * 5000}", "expires_seconds (a huge number): expected 30 to 86400"),
        ("enabled = 1", "enabled 1: expected true or false"),
        ('codecs = "PCMU"', 'codecs "PCMU": expected a list, e.g. ["G722", "PCMU", "PCMA"]'),
        ('codecs = ["GSM"]', 'codecs (a list): expected "G722" or "PCMU" or "PCMA"'),
        ('codecs = ["PCMU", "PCMU"]', "codecs (a list): expected each only once"),
        ('access.allow_from = "10.0.0.1"', 'access.allow_from "10.0.0.1": expected a list, e.g. ["...", "..."]'),
        ('access.allow_from = ["10.0.0.1", "pbx.lan"]', 'access.allow_from (a list): expected IP addresses or networks, e.g. "192.168.1.10" or "192.168.1.0/24"'),
        ("access.allow_callers = [100]", "access.allow_callers (a list): expected a text in quotes"),
        ("access.requests_per_second = 0", "access.requests_per_second 0: expected 1 to 1000"),
        ('greeting = " "', 'greeting " ": expected a text that is not empty'),
        ("language = 2026-11-23", "language (a date or time): expected a text in quotes"),
        ('local_address = "0.0.0.0"', 'local_address "0.0.0.0": expected an IP address of this machine, e.g. "192.168.1.20"; leave it out to have it chosen'),
        ("llm = 3", "llm 3: expected a table, [account.llm]"),
        ("vad.threshold = nan", "vad.threshold nan: expected 0.05 to 0.99"),
        ("turn.prepare_ms = 900", "turn.prepare_ms 900: expected at most pause_ms (550): the answer is prepared before the turn ends"),
        ("llm.max_tokens = 600\nllm.context_tokens = 512", "llm.max_tokens 600: expected less than context_tokens (512), which hold the facts and the talk as well"),
        ('recognizer.engine = "vosk"', 'recognizer.model: missing: the engine "vosk" needs a model of its own'),
        ('recognizer.engine = "wisper"', 'recognizer.engine "wisper": expected "whisper" or "vosk"'),
        ('greting = "Hi"', 'unknown option "greting": did you mean "greeting"?'),
        ("threshold = 0.5", 'unknown option "threshold": it belongs in [account.vad]'),
        ('llm.greeting = "Hi"', 'unknown option "llm.greeting": it belongs in [[account]]'),
        ("lmm.threads = 1", 'unknown table "lmm": did you mean "llm"?'),
        ('zzz = "Hi"', 'unknown option "zzz"'),
        ('facts_file = "none.txt"', 'facts_file "none.txt": the file can\'t be read: No such file or directory'),
        ('facts = "a"\nfacts_file = "b"', "facts: set only one of facts, facts_file"),
        ('password_env = "X"', "password: set only one of password, password_env"),
    ],
)  # fmt: skip
def test_a_mistake_names_account_option_and_expectation(
    folder: Folder, line: str, problem: str
) -> None:
    assert folder.problems(MINIMAL + line) == (f'account "reception": {problem}',)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("name", '"front desk"', 'account 1: name "front desk": expected letters, digits, - and _ only'),
        ("registrar", '"sip:pbx"', 'account "reception": registrar "sip:pbx": expected a host name or an IP address alone, e.g. "192.168.1.10" or "2001:db8::10"'),
        ("username", '"100@pbx"', 'account "reception": username "100@pbx": expected a SIP user name, without @ and spaces'),
        ("username", '""', 'account "reception": username "": expected a text that is not empty'),
        ("password", "123456", 'account "reception": password: expected a text in quotes'),
        ("password", '""', 'account "reception": password: expected a text that is not empty'),
        ("password", '"a\\nb"', 'account "reception": password: expected one line without control characters'),
    ],
)  # fmt: skip
def test_what_every_account_needs_is_checked(
    folder: Folder, option: str, value: str, expected: str
) -> None:
    content = re.sub(rf"^{option} = .*$", lambda _: f"{option} = {value}", MINIMAL, flags=re.M)
    assert folder.problems(content) == (expected,)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "accounts.toml: no [[account]]: write one for each extension"),
        (MINIMAL.replace("[[account]]", "[account]"), "accounts.toml: [account]: write [[account]], once for each extension"),
        ("account = [1]", "accounts.toml: account: expected tables, [[account]]"),
        ("defaults = 1" + MINIMAL, "accounts.toml: defaults: expected a table, [defaults]"),
        ("port = 1" + MINIMAL, 'accounts.toml: "port" belongs nowhere: write options in [defaults] or [[account]]'),
        ("[defaults]\nport = -1" + MINIMAL, "defaults: port -1: expected 0 to 65535"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_layout_says_what_to_write(
    folder: Folder, content: str, problem: str
) -> None:
    assert folder.problems(content) == (problem,)


def test_all_mistakes_come_at_once(folder: Folder) -> None:
    """In the order of the file; a missing option hides no other mistake."""
    second = MINIMAL.replace("reception", "workshop").replace('registrar = "pbx.lan"\n', "")
    content = "[defaults]\nfoo = 1\n" + MINIMAL + "port = -1\n" + second + "llm.threads = 0\n"
    assert folder.problems(content) == (
        'defaults: unknown option "foo"',
        'account "reception": port -1: expected 0 to 65535',
        'account "workshop": missing option: registrar',
        'account "workshop": llm.threads 0: expected 1 to 64',
    )


def test_a_missing_password_names_the_three_ways_to_give_it(folder: Folder) -> None:
    assert folder.problems(MINIMAL.replace('password = "hunter2"', "")) == (
        'account "reception": missing option: password or password_env or password_file',
    )


def test_accounts_that_cannot_run_side_by_side_are_refused(folder: Folder) -> None:
    """The same name, the same address of record, the same SIP port. RTP ranges may overlap."""
    account = MINIMAL + "local_port = 5070\n"
    assert folder.problems(account + account) == (
        'account "reception": name "reception": account "reception" has the same; each needs its own',
        'account "reception": username "100": account "reception" has the same; each needs its own',
        'account "reception": local_port 5070: account "reception" has the same; each needs its own',
    )


def test_a_disabled_account_may_share_what_it_does_not_use(folder: Folder) -> None:
    account = MINIMAL + "local_port = 5070\n"
    spare = account.replace("reception", "spare") + "enabled = false\n"
    assert len(folder.read(account + spare)) == 2


def test_broken_toml_is_located(folder: Folder) -> None:
    """File and line, as an editor wants them."""
    file = folder.write('[[account]]\nname = "a\n')
    with pytest.raises(ConfigSyntaxError) as caught:
        read_office(file)
    assert str(caught.value).startswith(f"{file}:2: ")


@pytest.mark.parametrize(
    "content", [b"a = '\xff'", b"a = " + b"[" * 100_000, b"a = " + b"9" * 5000]
)
def test_what_is_no_toml_at_all_is_a_syntax_error(folder: Folder, content: bytes) -> None:
    with pytest.raises(ConfigSyntaxError):
        read_office(folder.write(content))


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigFileMissing, match=r"copy accounts\.example\.toml there"):
        read_office(tmp_path / "accounts.toml")
    with pytest.raises(ConfigFileMissing, match="Is a directory"):
        read_office(tmp_path)


# Passwords -------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        'password = ["hunter2"]',
        'password = "hunter2\\u0000"',
        'password_env = "hunter2"',
        'password_file = "hunter2"',
        'pasword = "hunter2"',
        'password = "hunter2"\npassword_file = "hunter2"',
        "password = hunter2",
        'password = "hunter2',
    ],
)
def test_no_message_repeats_a_password(folder: Folder, line: str) -> None:
    """Not even one that was put into the wrong option, or that breaks the syntax."""
    file = folder.write(MINIMAL.replace('password = "hunter2"', line))
    with pytest.raises(SoftagentError) as caught:
        read_office(file)
    assert "hunter2" not in str(caught.value)


def test_an_office_can_be_printed_without_its_passwords(folder: Folder) -> None:
    office = read_office(folder.write(MINIMAL))
    assert "hunter2" not in f"{office} {office!r} {office.accounts[0].password}"


def test_passwords_that_everybody_can_read_are_warned_about(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    """Be they in the accounts file or in a file of their own."""
    secret = folder.path / "secret"
    secret.write_text("hunter2")
    secret.chmod(0o600)
    file = folder.write(
        MINIMAL
        + MINIMAL.replace("reception", "workshop")
        .replace('"100"', '"101"')
        .replace('password = "hunter2"', 'password_file = "secret"')
    )
    read_office(file)
    assert not caplog.messages
    for path in (file, secret):
        path.chmod(0o644)
    read_office(file)
    assert caplog.messages == [
        f"{path} holds a password, and everybody on this machine can read it: chmod 600 {path}"
        for path in (file, secret)
    ]


def test_a_file_without_passwords_may_be_read_by_everybody(
    folder: Folder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECEPTION_PASSWORD", "hunter2")
    file = folder.write(
        MINIMAL.replace('password = "hunter2"', 'password_env = "RECEPTION_PASSWORD"')
    )
    file.chmod(0o644)
    read_office(file)
    assert not caplog.messages


# The example -----------------------------------------------------------------


def test_the_example_is_a_valid_file() -> None:
    [account] = read_office(EXAMPLE).accounts
    assert account.name == "reception"


def test_the_example_shows_every_option_with_its_default(folder: Folder) -> None:
    """Uncommented, its [defaults] set each option of the schema to what the dataclass has anyway."""
    optional = EXAMPLE.read_text().split("# [defaults]\n")[1]
    lines = re.sub(
        r"^# (?=\[\[?defaults|[a-z_]+ = |  \{|\])", "", "# [defaults]\n" + optional, flags=re.M
    )
    shown = tomllib.loads(lines)["defaults"]
    for option in options_of(Account):
        if option.is_table:
            secrets = {known.name for known in options_of(option.type) if known.type is Secret}
            missing = {known.name for known in options_of(option.type)} - shown[option.name].keys()
            assert missing <= secrets, "an empty one isn't a default that can be written"
        elif option.is_one_each:
            [table] = shown[option.spellings[0]]
            missing = {known.name for known in options_of(option.item)} - table.keys()
            either = {"webhook", "token", "action", "say", "ask", "message"}
            assert missing <= either, "only one way to do it can be shown at once"
        elif not option.is_required:
            assert option.name in shown
    [account] = folder.read(
        re.sub(
            r'^(directory = "(recordings|traces|kept-messages)"|folder|(smtp_ca|ca|certificate|key)_file)',
            "# ",
            lines,
            flags=re.M,
        )
        + MINIMAL
    )
    assert [known.name for known in (*account.destinations, *account.actions)] == [
        "sales",
        "booking",
    ]
    assert replace(account, destinations=(), actions=(), menu=()) == Account(
        "reception", "pbx.lan", "100", password=Secret("hunter2")
    )


def test_the_example_mentions_every_other_spelling() -> None:
    for key in keys_of(Account):
        assert re.search(
            rf"^(# )?(or: )?{key} = |^# \[\[?defaults\.{key}\]\]?$", EXAMPLE.read_text(), re.M
        )
    for schema in (Action, Destination, Parameter, MenuKey, MessageSettings):
        for key in keys_of(schema):
            assert re.search(rf"^# .*\b{key} = ", EXAMPLE.read_text(), re.M)


# Any document ----------------------------------------------------------------

SCALARS = st.one_of(
    st.booleans().map(lambda value: "true" if value else "false"),
    st.integers(min_value=-(2**70), max_value=2**70).map(str),
    st.floats().map(repr),
    st.sampled_from(["2026-11-23", "10:00:00", "[]", "{}", '""', '"a/b"', '"~"', '"20000-20099"', "[1]", "{a=1}", "[{a=1}]"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_characters="'\x7f")).map(lambda text: f"'{text}'"),
)  # fmt: skip
KEYS = st.one_of(
    st.sampled_from(
        sorted(
            frozenset[str]().union(
                *map(keys_of, (Account, TurnSettings, LlmSettings, Action, Destination, MenuKey))
            )
        )
    ),
    st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
)
LINES = st.one_of(
    st.tuples(KEYS, SCALARS).map(" = ".join),
    KEYS.map(lambda key: f"[account.{key}]"),
    KEYS.map(lambda key: f"[defaults.{key}]"),
    st.sampled_from(
        ["[[account]]", "[[account.destination]]", "[[account.action]]", "[[account.menu]]"]
    ),
    st.just("[defaults]"),
    st.just(MINIMAL),
)


@given(st.one_of(st.lists(LINES).map("\n".join), st.text()))
def test_any_document_loads_or_is_refused_properly(
    tmp_path_factory: pytest.TempPathFactory, document: str
) -> None:
    """Never anything but an Office or a SoftagentError, each problem on a line of its own."""
    file = Folder(tmp_path_factory.getbasetemp()).write(document.encode("utf-8", "replace"))
    problems: tuple[str, ...] = ()
    try:
        read_office(file)
    except ConfigError as error:
        problems = error.problems
    except SoftagentError as error:
        problems = (str(error),)
    assert all(len(problem.splitlines()) == 1 for problem in problems)
