"""An action that is a webhook: values out as JSON, a sentence in.

Redirections are not followed, nor is a proxy asked: what is in the accounts file is where
the values go.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from softagent.deeds.answer import MOST_BYTES, said_json
from softagent.dialogue.deeds import DeedOutcome, DeedResult
from softagent.rules import Secret

JOIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Posted:
    """What came back."""

    status: int
    reason: str
    location: str
    content: bytes
    """Its beginning."""


def post_webhook(
    url: str,
    values: Mapping[str, object],
    *,
    about: Mapping[str, str],
    token: Secret,
    timeout_seconds: float,
) -> DeedOutcome:
    """POST `values` to `url` and wait for the answer; `about` goes into headers, Softagent-Caller and so on.

    2xx is done, 4xx refused, both with the "say" of the JSON object that came back, if any;
    everything else has failed.
    """
    headers = {f"Softagent-{name.title()}": _plain(value) for name, value in about.items()}
    if token.value:
        headers["Authorization"] = f"Bearer {token.value}"
    post = Post(url, values, headers=headers, timeout_seconds=timeout_seconds)
    match post.answer(timeout_seconds):
        case None | TimeoutError():
            return DeedOutcome(DeedResult.TIMED_OUT, f"no answer within {timeout_seconds:g} s")
        case Exception() as error:
            return DeedOutcome(DeedResult.FAILED, f"{type(error).__name__}: {error}")
        case Posted() as posted:
            return _judge(posted)


def _judge(posted: Posted) -> DeedOutcome:
    detail = f"{posted.status} {posted.reason}".strip()
    match posted.status // 100:
        case 2:
            return DeedOutcome(DeedResult.DONE, detail, said_json(posted.content) or "")
        case 4:
            return DeedOutcome(DeedResult.REFUSED, detail, said_json(posted.content) or "")
        case 3:
            where = (
                f"{detail}: it has moved to {posted.location!r}: write that in the accounts file"
            )
            return DeedOutcome(DeedResult.FAILED, where)
        case _:
            return DeedOutcome(DeedResult.FAILED, detail)


def _plain(text: str) -> str:
    """What may stand in a header (RFC 9110 section 5.5)."""
    return "".join(character for character in text if " " < character <= "~")


class Post:
    """One request in a thread of its own: names are looked up, and answers trickle in, without an end."""

    def __init__(
        self,
        url: str,
        values: Mapping[str, object],
        *,
        headers: Mapping[str, str],
        timeout_seconds: float,
    ) -> None:
        parts = urlsplit(url)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._body = json.dumps(dict(values)).encode()
        json_both_ways = {"Content-Type": "application/json", "Accept": "application/json"}
        self._headers = {**json_both_ways, **headers}
        self._connection = _connection(
            parts.scheme, parts.hostname or "", parts.port, timeout_seconds
        )
        self._socket: socket.socket | None = None
        """Once connected; the connection itself lets go of it before the answer is read."""
        self._answers: queue.SimpleQueue[Posted | Exception] = queue.SimpleQueue()
        """From the thread to who waits for it."""
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)

    def answer(self, timeout_seconds: float) -> Posted | Exception | None:
        """What came of it; None when nothing has in time."""
        self._thread.start()
        try:
            return self._answers.get(timeout=timeout_seconds)
        except queue.Empty:
            return None
        finally:
            self._close()

    def _close(self) -> None:
        """End it, as far as that can be done: a name that is being looked up takes its time."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        try:
            self._answers.put(self._post())
        except Exception as error:
            self._answers.put(error)
        finally:
            self._connection.close()

    def _post(self) -> Posted:
        self._connection.connect()
        self._socket = self._connection.sock
        self._connection.request("POST", self._path, self._body, self._headers)
        response = self._connection.getresponse()
        location = response.headers.get("Location", "")
        return Posted(response.status, response.reason, location, response.read(MOST_BYTES))


def _connection(
    scheme: str, host: str, port: int | None, timeout_seconds: float
) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(
            host, port, timeout=timeout_seconds, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(host, port, timeout=timeout_seconds)
