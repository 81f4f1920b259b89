"""The door of the endpoint: asks the Admission about what has come, notes what it refuses."""

from __future__ import annotations

import logging
from collections.abc import Callable

from softagent.sip.admission import Admission, Refusal, shown_method
from softagent.sip.hop import Hop
from softagent.sip.message import Request

log = logging.getLogger("softagent.sip")


class Screening:
    """Without an admission everyone is let in. Used under the endpoint's lock."""

    def __init__(
        self,
        account: str,
        admission: Admission | None,
        reply: Callable[[Request, int, Hop], None],
    ) -> None:
        """`reply` answers a request with a status, without a transaction."""
        self._account = account
        self._admission = admission
        self._reply = reply

    def is_allowed(self, host: str) -> bool:
        """Whether requests may come from that IP address."""
        return self._admission is None or self._admission.is_allowed(host)

    def is_flood(self, source: Hop, now: float) -> bool:
        """Whether what a stranger sends is too much even to be read."""
        refusal = self._admission and self._admission.before_reading(source.host, now)
        if refusal:
            self._note(refusal, "unread", source)
        return refusal is not None

    def is_refused(
        self, request: Request, source: Hop, now: float, *, is_readable: bool = False
    ) -> bool:
        """Whether a request is not for us to serve; its refusal is on its way then."""
        if self._admission is None:
            return False
        refusal = self._admission.of_source(request, source.host, now)
        if refusal is None and is_readable:
            refusal = self._admission.of_caller(request, source.host, now)
        if refusal is None:
            return False
        self._note(refusal, shown_method(request), source)
        if refusal.status is not None:
            self._reply(request, refusal.status, source)
        return True

    def _note(self, refusal: Refusal, method: str, source: Hop) -> None:
        """The line that fail2ban waits for: its words are documented and stay as they are."""
        if refusal.is_noted:
            log.warning(
                "account=%s event=request-refused from=%s method=%s reason=%s",
                *(self._account, source, method, refusal.reason.value),
            )
