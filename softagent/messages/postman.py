"""Delivering messages: a thread beside the calls, which tries each way of each message until it works.

Tries at once, after 1, 5 and 30 minutes and then every hour, for ever. When which way is
tried next is kept with the message: a restart changes nothing. A process that is killed
between a delivery and the note of it delivers twice: the id says that it is the same.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from softagent.messages.message import CallerMessage, Delivery, Entry
from softagent.messages.outbox import Outbox
from softagent.report import MessagesWaiting

log = logging.getLogger(__name__)

RETRY_SECONDS = (60.0, 300.0, 1800.0, 3600.0)
"""After the first failure, the second ...; the last one from then on."""
LOOK_SECONDS = 5.0
"""How often to look for what has come due, and for what another process wants."""
LEFTOVER_SECONDS = 3600.0
"""Nothing is being written for so long."""

Deliver = Callable[[CallerMessage], None]
"""Delivers in one way; raises `DeliveryFailed`."""


class DeliveryFailed(Exception):
    """A message could not be delivered in one way; the text says why, in one line without passwords."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What has not been delivered."""

    count: int
    error: str = ""
    """Why one of them hasn't, with its way."""


class Postman:
    """One account's. The thread delivers; `begin` and `release` may come from any other."""

    def __init__(
        self,
        outbox: Outbox,
        ways: Mapping[str, Deliver],
        *,
        account: str,
        clock: Callable[[], float],
        report: Callable[[MessagesWaiting], None] = lambda _: None,
    ) -> None:
        """`clock` says the time in seconds since 1970; `report` is told of every change, on our thread."""
        self.outbox = outbox
        self._ways = ways
        self._account = account
        self._clock = clock
        self._report = report
        self._changed = threading.Condition()
        """Guards `_in_calls`, `_orphans`, `_is_stopping` and `_is_woken`."""
        self._in_calls: set[str] = set()
        """Messages whose call goes on in this process."""
        self._is_stopping = False
        self._is_woken = False
        self._unsaved: dict[str, Entry] = {}
        """What a full disk does not take: it must not make us deliver twice. Our thread."""
        self._orphans: set[str] | None = None
        """Messages whose calls are over, though the disk doesn't say so: a process was killed, or
        the disk full. None until the lock is ours."""
        self._prepared: set[str] = set()
        """Messages whose recording has been seen to. Our thread, as the next."""
        self._finished: set[str] = set()
        """Messages that needn't be looked at again."""
        self._told: Waiting | None = None
        self._thread: threading.Thread | None = None

    @property
    def ways(self) -> tuple[str, ...]:
        """The names of the ways, in the order in which they are tried."""
        return tuple(self._ways)

    def start(self) -> None:
        """Begin to deliver, what earlier processes have left first."""
        self._thread = threading.Thread(
            target=self._run, name=f"messages {self._account}", daemon=True
        )
        self._thread.start()

    def stop(self, timeout_seconds: float = 2.0) -> None:
        """Deliver no more; an attempt that goes on is left alone, and repeated by the next process."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def begin(self, message: str) -> None:
        """This message is being written, and its call goes on: leave it alone."""
        with self._changed:
            self._in_calls.add(message)

    def release(self, message: str, *, is_complete: bool) -> None:
        """Its call is over: deliver it, even if the disk could not be told that it is complete."""
        with self._changed:
            self._in_calls.discard(message)
            if self._orphans is not None and not is_complete:
                self._orphans.add(message)
            self._is_woken = True
            self._changed.notify_all()

    def deliver_due(self, *, ask_for: frozenset[str] = frozenset()) -> None:
        """Try what is due, and what is asked for by id. For whoever has the outbox's lock."""
        entries = self._entries()
        if self._orphans is None:
            self._adopt(entries)
        for entry in entries:
            if self._is_ours(entry):
                self._deliver(entry, is_asked_for=entry.message.id in ask_for)
            if self._has_to_stop():
                return
        self._tell()

    def _run(self) -> None:
        while not self._has_to_stop():
            with self.outbox.lock() as is_ours:
                if is_ours:
                    self._serve()
                    return
            self._wait()  # another process delivers: ours are written where it finds them

    def _serve(self) -> None:
        self.outbox.remove_leftovers(self._clock() - LEFTOVER_SECONDS)
        while not self._has_to_stop():
            try:
                self.deliver_due(ask_for=frozenset(self.outbox.asked_again()))
            except Exception:  # whatever it is, the next round may do better
                log.exception("account=%s event=delivery-broke", self._account)
            self._wait()

    def _wait(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping or self._is_woken, LOOK_SECONDS)
            self._is_woken = False

    def _has_to_stop(self) -> bool:
        with self._changed:
            return self._is_stopping

    def _entries(self) -> list[Entry]:
        """What may need something, as it is on the disk, but for what that didn't take."""
        return [
            self._unsaved.get(entry.message.id, entry)
            for entry in self.outbox.entries(but=self._finished)
        ]

    def _adopt(self, entries: list[Entry]) -> None:
        """Whoever had the lock before has ended: calls that were up then are over."""
        with self._changed:
            self._orphans = {
                entry.message.id
                for entry in entries
                if not entry.is_complete and entry.message.id not in self._in_calls
            }

    def _is_ours(self, entry: Entry) -> bool:
        """Whether its call is over; one in another process says so itself."""
        with self._changed:
            return entry.is_complete or entry.message.id in (self._orphans or ())

    def _deliver(self, entry: Entry, *, is_asked_for: bool) -> None:
        message = entry.message.id
        if message not in self._prepared:
            self._prepared.add(message)
            entry = self._prepare(entry)
        elif message in self._unsaved:
            self._save(entry)
        for way in entry.ways(self.ways):
            delivery = entry.deliveries.get(way, Delivery())
            if is_asked_for or _is_due(delivery, self._clock()):
                entry = self._try(entry, way, delivery)
                self._save(entry)
                if self._has_to_stop():
                    return
        if not entry.waits and message not in self._unsaved:
            self._finished.add(message)

    def _prepare(self, entry: Entry) -> Entry:
        """Keep the recording with the message, if there is one, and note that the call is over."""
        message = entry.message
        recording = Path(message.recording)
        if message.recording and recording.parent != self.outbox.folder:
            try:
                copy = self.outbox.attach(message.id, recording)
                message = replace(message, recording=str(copy))
            except OSError as error:
                log.warning(
                    "account=%s event=message-without-recording id=%s error=%r",
                    self._account,
                    message.id,
                    str(error),
                )
                if isinstance(error, FileNotFoundError):
                    message = replace(message, recording="")
        prepared = replace(entry, message=message, is_complete=True)
        if prepared != entry:
            self._save(prepared)
        return prepared

    def _try(self, entry: Entry, way: str, before: Delivery) -> Entry:
        attempts = before.attempts + 1
        try:
            self._ways[way](entry.message)
        except Exception as error:
            reason = str(error) if isinstance(error, DeliveryFailed) else repr(error)
            seconds = RETRY_SECONDS[min(attempts, len(RETRY_SECONDS)) - 1]
            log.warning(
                "account=%s event=message-not-delivered id=%s way=%s attempts=%d next_seconds=%.0f"
                " error=%r",
                self._account,
                entry.message.id,
                way,
                attempts,
                seconds,
                reason,
            )
            failed = Delivery(attempts, None, self._clock() + seconds, reason)
            return entry.with_delivery(way, failed)
        log.info(
            "account=%s event=message-delivered id=%s way=%s attempts=%d",
            self._account,
            entry.message.id,
            way,
            attempts,
        )
        return entry.delivered_by(way, Delivery(attempts, self._clock()), self.ways)

    def _save(self, entry: Entry) -> None:
        try:
            self.outbox.store(entry)
            self._unsaved.pop(entry.message.id, None)
        except OSError as error:
            if entry.message.id not in self._unsaved:
                log.error(
                    "account=%s event=message-state-unsaved id=%s error=%r",
                    self._account,
                    entry.message.id,
                    str(error),
                )
            self._unsaved[entry.message.id] = entry

    def _tell(self) -> None:
        waiting = [entry for entry in self._entries() if entry.waits and self._is_ours(entry)]
        errors = [
            f"{way}: {known.error}"
            for entry in waiting
            for way, known in entry.deliveries.items()
            if known.error and known.delivered_at is None
        ]
        told = Waiting(len(waiting), errors[0] if errors else "")
        if told != self._told:
            self._told = told
            self._report(MessagesWaiting(self._account, told.count, told.error))


def _is_due(delivery: Delivery, now: float) -> bool:
    """A clock that has been set back doesn't make anything wait longer than the longest wait."""
    return delivery.next_at <= now or delivery.next_at > now + RETRY_SECONDS[-1]
