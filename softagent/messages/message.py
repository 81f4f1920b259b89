"""A message that a caller has left, what became of it, and both as JSON."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

VERSION = 1
"""Of the JSON; a newer one may mean something else by the same names."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was said in the call."""

    who: str
    """ "caller" or "agent"."""
    text: str


@dataclass(frozen=True, slots=True)
class CallerMessage:
    """What the caller wants the people of the office to know."""

    id: str
    """Letters, digits and -; sorts by time."""
    account: str
    call: str
    """The Call-ID."""
    caller: str
    """The number that the call came from, as the PBX says."""
    name: str
    """What the caller gave, as were the next two."""
    number: str
    reason: str
    taken_at: float
    """Seconds since 1970."""
    transcript: tuple[Line, ...] = ()
    recording: str = ""
    """Path of the WAV of the call; empty without one."""

    @property
    def taken(self) -> datetime:
        """When it was left, in this machine's time."""
        return datetime.fromtimestamp(self.taken_at, UTC).astimezone()

    def as_json(self) -> dict[str, Any]:
        """For commands, webhooks, folders and the outbox."""
        return {
            "version": VERSION,
            "id": self.id,
            "account": self.account,
            "call": self.call,
            "caller": self.caller,
            "name": self.name,
            "number": self.number,
            "reason": self.reason,
            "taken": self.taken.isoformat(timespec="milliseconds"),
            "transcript": [{"who": line.who, "text": line.text} for line in self.transcript],
            "recording": self.recording or None,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> CallerMessage:
        """The message of `as_json`; raises ValueError, KeyError or TypeError where it is none."""
        if values["version"] != VERSION:
            raise ValueError(f"version {values['version']!r}: expected {VERSION}")
        texts = ("id", "account", "call", "caller", "name", "number", "reason")
        return cls(
            **{name: str(values[name]) for name in texts},
            taken_at=datetime.fromisoformat(values["taken"]).timestamp(),
            transcript=tuple(
                Line(str(line["who"]), str(line["text"])) for line in values["transcript"]
            ),
            recording=str(values["recording"] or ""),
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far one way of delivering a message has come."""

    attempts: int = 0
    delivered_at: float | None = None
    """Seconds since 1970; None while it isn't."""
    next_at: float = 0.0
    """When it is tried next, in seconds since 1970."""
    error: str = ""
    """Why the last attempt failed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A message with what became of it: the content of a file of the outbox."""

    message: CallerMessage
    is_complete: bool = False
    """Whether its call is over; recording and transcript aren't before that."""
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)
    """By way; none where messages are only kept."""

    @property
    def waits(self) -> bool:
        """Whether some way has still to deliver it."""
        return any(delivery.delivered_at is None for delivery in self.deliveries.values())

    def ways(self, configured: tuple[str, ...]) -> tuple[str, ...]:
        """The ways that have still to deliver it, of those that there are by now.

        Where nothing has been delivered they may have been replaced since; where something
        has, a new way is none of this message's.
        """
        if not self.waits:
            return ()
        is_out = any(done.delivered_at is not None for done in self.deliveries.values())
        return tuple(
            way
            for way in configured
            if (way in self.deliveries or not is_out)
            and self.deliveries.get(way, Delivery()).delivered_at is None
        )

    def with_delivery(self, way: str, delivery: Delivery) -> Entry:
        """The same with another state of one way."""
        return replace(self, deliveries={**self.deliveries, way: delivery})

    def delivered_by(self, way: str, delivery: Delivery, configured: tuple[str, ...]) -> Entry:
        """The same, delivered; ways that were taken out of the accounts file are waited for no more."""
        kept = {
            name: known
            for name, known in self.deliveries.items()
            if name in configured or known.delivered_at is not None
        }
        return replace(self, deliveries={**kept, way: delivery})

    def serialize(self) -> bytes:
        """As JSON text."""
        deliveries = {
            way: {
                "attempts": delivery.attempts,
                "delivered_at": delivery.delivered_at,
                "next_at": delivery.next_at,
                "error": delivery.error,
            }
            for way, delivery in self.deliveries.items()
        }
        values = {
            **self.message.as_json(),
            "complete": self.is_complete,
            "deliveries": deliveries,
        }
        return (json.dumps(values, indent=2) + "\n").encode()

    @classmethod
    def parse(cls, content: bytes) -> Entry:
        """The entry that `serialize` wrote; raises ValueError where it is none."""
        try:
            values = json.loads(content)
            deliveries = {
                str(way): Delivery(
                    int(known["attempts"]),
                    None if known["delivered_at"] is None else float(known["delivered_at"]),
                    float(known["next_at"]),
                    str(known["error"]),
                )
                for way, known in values["deliveries"].items()
            }
            message = CallerMessage.from_json(values)
            return cls(message, bool(values["complete"]), deliveries)
        except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from None


def new_id(taken_at: float) -> str:
    """For a message that is left now: 20261125T151122Z-3f9a0c12."""
    return f"{datetime.fromtimestamp(taken_at, UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
