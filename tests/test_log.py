"""The log's lines: account, call, key=value, one line each."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.config import Secret
from softagent.log import (
    JSON_VARIABLE,
    LEVEL_VARIABLE,
    JsonFormatter,
    LineFormatter,
    call_logger,
    quoted,
    setup_logging,
)

log = logging.getLogger("softagent.test")


@pytest.fixture(autouse=True)
def _logging_put_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("softagent")
    before = (root.handlers[:], root.level, ours.level)
    monkeypatch.delenv(LEVEL_VARIABLE, raising=False)
    monkeypatch.delenv(JSON_VARIABLE, raising=False)
    yield
    root.handlers[:], root.level = before[0], before[1]
    ours.setLevel(before[2])


Captured = pytest.CaptureFixture[str]


def line(captured: Captured) -> str:
    """The only line on standard error, without its time."""
    [text] = captured.readouterr().err.splitlines()
    time, rest = text.split(" ", 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", time)
    return rest


def test_every_line_of_a_call_names_account_and_call(capsys: Captured) -> None:
    setup_logging()
    call_logger("reception", "ab12").info("event=turn turn=%d heard_ms=%.0f", 3, 640.2)
    assert line(capsys) == "INFO account=reception call=ab12 event=turn turn=3 heard_ms=640"


def test_a_worker_names_its_account_once(capsys: Captured) -> None:
    """The process's account is added, unless the message begins with one."""
    setup_logging(account="reception")
    log.info("event=ready")
    log.info("account=%s event=ready", "workshop")
    assert [text.split(" ", 2)[2] for text in capsys.readouterr().err.splitlines()] == [
        "account=reception event=ready",
        "account=workshop event=ready",
    ]


@pytest.mark.parametrize(
    ("message", "value", "expected"),
    [
        ("reason=%s", "486", "reason=486"),
        ("reason=%s", "486 Busy Here", 'reason="486 Busy Here"'),
        ("reason=%r", "486 Busy Here", 'reason="486 Busy Here"'),
        ("reason=%s", "", 'reason=""'),
        ("reason=%s", 'say "a=b"', 'reason="say \\"a=b\\""'),
        ('reason="%s"', "486 Busy Here", 'reason="486 Busy Here"'),
        ("%s", "stopping now", "stopping now"),
        ("loss=5%% reason=%s", "a b", 'loss=5% reason="a b"'),
        ("reason=%s", "a\nINFO forged", 'reason="a\\nINFO forged"'),
        ("%s", "a\nINFO forged", "a\\nINFO forged"),
        ("password=%s", Secret("hunter2"), "password=********"),
    ],
)
def test_a_value_stays_one_value(
    capsys: Captured, message: str, value: object, expected: str
) -> None:
    """Spaces, quotes and line ends can't make it look like another one, or like another line."""
    setup_logging()
    log.info(message, value)
    assert line(capsys) == f"INFO {expected}"


def test_json_has_the_pairs_as_members(capsys: Captured) -> None:
    setup_logging(json=True)
    call_logger("reception", "ab12").info("event=turn turn=%d text=%s", 3, "At nine.")
    log.warning("no pairs here")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    del first["time"], second["time"]
    assert first == {
        "level": "INFO",
        "account": "reception",
        "call": "ab12",
        "event": "turn",
        "turn": "3",
        "text": "At nine.",
    }
    assert second == {"level": "WARNING", "message": "no pairs here"}


def test_a_traceback_follows_its_line_or_is_a_member(capsys: Captured) -> None:
    setup_logging()
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        log.exception("event=failed")
        setup_logging(json=True)
        log.exception("event=failed")
    *text, entry = capsys.readouterr().err.splitlines()
    assert text[0].endswith("ERROR event=failed")
    assert text[-1] == "RuntimeError: broken"
    assert json.loads(entry)["traceback"].endswith("RuntimeError: broken")


def test_libraries_are_heard_from_warning_on(capsys: Captured) -> None:
    setup_logging("DEBUG")
    logging.getLogger("faster_whisper").info("chatter")
    log.debug("event=detail")
    assert line(capsys) == "DEBUG event=detail"


def test_workers_take_level_and_form_from_the_environment(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LEVEL_VARIABLE, "WARNING")
    monkeypatch.setenv(JSON_VARIABLE, "1")
    setup_logging()
    log.info("event=detail")
    log.warning("event=trouble")
    assert json.loads(capsys.readouterr().err)["event"] == "trouble"


@given(st.text())
def test_any_value_comes_back_from_the_log(value: str) -> None:
    """What `quoted` writes is one line and one pair, and JSON gives the value back."""
    record = logging.LogRecord("softagent", logging.INFO, "", 0, "text=%s", (value,), None)
    assert len(LineFormatter().format(record).splitlines()) == 1
    assert json.loads(JsonFormatter().format(record))["text"] == value
    assert quoted(value) == value or json.loads(quoted(value)) == value
