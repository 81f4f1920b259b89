"""The log: one line an event, account and call first, then key=value pairs.

    2026-11-23T10:00:00.123 INFO account=reception call=ab12 event=turn turn=3 heard_ms=640

Messages are written as `log.info("event=turn turn=%d reason=%s", turn, reason)`: a value
after `=` is put in quotes where it needs them. Passwords can't get here (`Secret`).
"""

from __future__ import annotations

import json as json_format
import logging
import os
import re
from collections.abc import MutableMapping
from datetime import datetime
from typing import Any

LEVEL_VARIABLE = "SOFTAGENT_LOG_LEVEL"
JSON_VARIABLE = "SOFTAGENT_LOG_JSON"
"""Environment: how `softagent run` tells its workers how to log."""

_CONVERSION = re.compile(
    r"(?P<after_key>(?<==))?%(?:%|[-#0 +]*[0-9]*(?:\.[0-9]+)?(?P<kind>[a-zA-Z]))"
)
_PAIR = re.compile(
    r'(?P<key>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>"(?:[^"\\]|\\.)*"|[^\s"=]*)(?:\s+|$)'
)


def setup_logging(level: str | None = None, json: bool | None = None, *, account: str = "") -> None:
    """Log to standard error, softagent's lines from `level` on, those of libraries from WARNING.

    What isn't given comes from the environment, else it is INFO and text. `account` goes
    on every line that names none: a worker answers for one. Raises ValueError for a level
    that doesn't exist.
    """
    if level is None:
        level = os.environ.get(LEVEL_VARIABLE) or "INFO"
    if json is None:
        json = os.environ.get(JSON_VARIABLE, "") not in ("", "0")
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(account) if json else LineFormatter(account))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("softagent").setLevel(level.upper())


def call_logger(account: str, call: str) -> CallLogger:
    """The log of one call: every line carries the account and the call."""
    return CallLogger(logging.getLogger("softagent.call"), {"account": account, "call": call})


class CallLogger(logging.LoggerAdapter[logging.Logger]):
    """Puts the same account and call on each of its lines. Any thread."""

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """What `logging` asks of an adapter."""
        return msg, {**kwargs, "extra": {**(kwargs.get("extra") or {}), **(self.extra or {})}}


class LineFormatter(logging.Formatter):
    """A record as a line for people and for grep; a traceback follows on lines of its own."""

    def __init__(self, account: str = "") -> None:
        super().__init__()
        self._account = account

    def format(self, record: logging.LogRecord) -> str:
        """The record's line, without a newline at the end."""
        origin = [f"{key}={quoted(value)}" for key, value in self.origin(record).items()]
        line = " ".join([self.time(record), record.levelname, *origin, self.message(record)])
        return "\n".join([line, self.formatException(record.exc_info)]) if record.exc_info else line

    def time(self, record: logging.LogRecord) -> str:
        """Local time to the millisecond."""
        return datetime.fromtimestamp(record.created).isoformat(timespec="milliseconds")

    def origin(self, record: logging.LogRecord) -> dict[str, str]:
        """Account and call, as far as they are known and not in the message itself."""
        account = getattr(record, "account", self._account)
        call = getattr(record, "call", "")
        if isinstance(record.msg, str) and record.msg.startswith("account="):
            account = ""
        return {key: value for key, value in (("account", account), ("call", call)) if value}

    def message(self, record: logging.LogRecord) -> str:
        """The message with its values quoted, on one line whatever is in them."""
        if isinstance(record.msg, str) and isinstance(record.args, tuple) and record.args:
            return _on_one_line(_rendered(record.msg, record.args))
        return _on_one_line(record.getMessage())


class JsonFormatter(LineFormatter):
    """A record as a JSON object on one line; key=value messages become its members, as texts."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's object."""
        entry = {"time": self.time(record), "level": record.levelname, **self.origin(record)}
        message = self.message(record)
        entry.update(_pairs(message) or {"message": message})
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json_format.dumps(entry, ensure_ascii=False)


def quoted(value: str) -> str:
    """`value` as it stands after `key=`: in JSON's quotes when it is empty or holds more than one word."""
    if re.fullmatch(r'[^\s"=\\]+', value) and value.isprintable():
        return value
    return json_format.dumps(value, ensure_ascii=False)


def _rendered(template: str, values: tuple[object, ...]) -> str:
    """`template % values`, with the values quoted that stand as `=%s` or `=%r`."""
    rest = iter(values)
    quoted_values: list[object] = []

    def take(match: re.Match[str]) -> str:
        if match["kind"] is None:
            return match[0]
        value = next(rest)
        is_text = match["after_key"] is not None and match["kind"] in "sr"
        quoted_values.append(quoted(str(value)) if is_text else value)
        return "%s" if is_text else match[0]

    template = _CONVERSION.sub(take, template)
    return template % (*quoted_values, *rest)


def _on_one_line(text: str) -> str:
    return "".join(c if c.isprintable() else json_format.dumps(c)[1:-1] for c in text)


def _pairs(message: str) -> dict[str, str]:
    """The pairs of a message that consists of nothing else."""
    pairs: dict[str, str] = {}
    position = 0
    while position < len(message):
        match = _PAIR.match(message, position)
        if match is None:
            return {}
        value = match["value"]
        pairs[match["key"]] = json_format.loads(value) if value.startswith('"') else value
        position = match.end()
    return pairs
