"""The messages of one call: on the disk while it lasts, complete when it is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from softagent.dialogue.deeds import DeedOutcome, DeedResult, LeaveMessage
from softagent.log import call_logger
from softagent.messages.message import CallerMessage, Delivery, Entry, new_id
from softagent.messages.postman import Postman
from softagent.messages.transcript import Transcript
from softagent.report import Report


class CallMessages:
    """`keep` is for the thread that carries out deeds, `close` for the call's; either may come first."""

    def __init__(
        self,
        postman: Postman,
        *,
        account: str,
        call: str,
        caller: str,
        clock: Callable[[], float],
        pass_on: Callable[[Report], None],
    ) -> None:
        """`clock` says the time in seconds since 1970; `pass_on` gets what `report` is told."""
        self._postman = postman
        self._account = account
        self._call = call
        self._caller = caller
        self._transcript = Transcript()
        self._clock = clock
        self._pass_on = pass_on
        self._log = call_logger(account, call)
        self._lock = threading.Lock()
        """Guards the rest: a message may be left while the call is being closed."""
        self._kept: list[Entry] = []
        self._is_closed = False
        self._recording: Path | None = None

    def report(self, report: Report) -> None:
        """What happens in the call, of which the words are wanted. Any thread."""
        self._transcript.take(report)
        self._pass_on(report)

    def record(self, recording: Path | None) -> None:
        """Where the call is being recorded, if it is: a message has that even if this process dies."""
        with self._lock:
            self._recording = recording

    def keep(self, message: LeaveMessage) -> DeedOutcome:
        """Have it on the disk. Only then it is done, and only then the caller may be told so."""
        with self._lock:
            entry = self._entry(message)
            self._postman.begin(entry.message.id)
            try:
                self._postman.outbox.store(entry)
            except OSError as error:
                self._postman.release(entry.message.id, is_complete=True)
                return DeedOutcome(
                    DeedResult.FAILED,
                    f"the message can't be written to {self._postman.outbox.folder}:"
                    f" {error.strerror or error}",
                )
            self._log.info("event=message-kept id=%s", entry.message.id)
            if self._is_closed:
                self._complete(entry)
            else:
                self._kept.append(entry)
        return DeedOutcome(DeedResult.DONE, entry.message.id)

    def close(self) -> None:
        """The call is over and its recording whole: have the messages delivered."""
        with self._lock:
            self._is_closed = True
            for entry in self._kept:
                self._complete(entry)
            self._kept.clear()

    def _entry(self, message: LeaveMessage) -> Entry:
        now = self._clock()
        return Entry(
            CallerMessage(
                new_id(now),
                self._account,
                self._call,
                self._caller,
                message.name,
                message.number,
                message.reason,
                taken_at=now,
                transcript=self._transcript.lines,
                recording="" if self._recording is None else str(self._recording),
            ),
            deliveries={way: Delivery() for way in self._postman.ways},
        )

    def _complete(self, entry: Entry) -> None:
        """With all of the transcript; it is delivered with less where the disk is full by now."""
        message = replace(entry.message, transcript=self._transcript.lines)
        is_complete = True
        try:
            self._postman.outbox.store(replace(entry, message=message, is_complete=True))
        except OSError as error:
            is_complete = False
            self._log.error("event=message-incomplete id=%s error=%r", message.id, str(error))
        self._postman.release(message.id, is_complete=is_complete)
