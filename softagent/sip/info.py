"""Keys sent as INFO requests, one after the other (application/dtmf-relay, as Cisco began it and all PBXs take it)."""

from __future__ import annotations

from softagent.sip.keypad import KEYS
from softagent.sip.message import Response
from softagent.sip.outcome import CALL_OVER, result_of
from softagent.sip.phone import OnResult, Outcome, Result
from softagent.sip.session import Session

KEY_MS = 160
"""How long the other side is to hold each key down."""
PAUSE_MS = 80
"""Between two keys."""


class InfoKeys:
    """A row of keys on its way. Used under the line's lock."""

    def __init__(self, session: Session, keys: str, on_result: OnResult) -> None:
        self._session = session
        self._keys = list(keys.upper())
        self._on_result = on_result

    def start(self) -> None:
        """Send the first; `on_result` gets the last one's success, or the first failure."""
        strange = next((key for key in self._keys if key not in KEYS), None)
        if strange is not None:
            reason = f"no such key: {strange!r}; there are {KEYS}"
            self._on_result(Result(Outcome.REFUSED, reason=reason))
        else:
            self._next()

    def _next(self) -> None:
        if not self._session.is_up:
            self._on_result(CALL_OVER)
        elif not self._keys:
            self._on_result(Result(Outcome.ACCEPTED))
        else:
            body = f"Signal={self._keys[0]}\r\nDuration={KEY_MS}\r\n".encode()
            kind = ("Content-Type", "application/dtmf-relay")
            self._session.asking.ask("INFO", self._take, kind, body=body)

    def _take(self, response: Response | None) -> None:
        result = result_of(response)
        key = self._keys.pop(0)
        if result.status == 481:
            self._session.lose("no-such-call")
            self._on_result(CALL_OVER)
        elif not result.is_accepted:
            reason = f"key {key}: {result.reason}"
            self._on_result(Result(result.outcome, result.status, reason))
        elif self._keys:
            self._session.line.endpoint.after((KEY_MS + PAUSE_MS) / 1000, self._next)
        else:
            self._on_result(result)
