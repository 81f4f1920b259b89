"""A re-INVITE of ours: hold, resume, a session refresh (RFC 3261 section 14.1).

start --> wait until no other offer is in the air --> INVITE --> 2xx    ACK, the media change
              ^                                          |-----> 491    both have asked: wait and try again
              '---------- RFC's random wait -------------'-----> other  everything is as it was
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from softagent.sip.alarm import Alarm
from softagent.sip.body import find
from softagent.sip.errors import DescriptionError, MessageError, NotAcceptable
from softagent.sip.inviting import Inviting
from softagent.sip.message import Response
from softagent.sip.outcome import CALL_OVER, result_of
from softagent.sip.phone import OnResult, Outcome, Result
from softagent.sip.repetition import RFC_TIMING
from softagent.sip.sdp import CONTENT_TYPE
from softagent.sip.uas import ALLOW, SUPPORTED

if TYPE_CHECKING:
    from softagent.sip.session import Session

MOST_TRIES = 4
"""How often to ask again, both sides having asked at the same time, before we give in."""
CALLER_GLARE_MS, CALLEE_GLARE_MS = (2100, 4000), (0, 2000)
"""The waits after a 491, so that both don't ask at once again (section 14.1)."""
LONGEST_RETRY_SECONDS = 10.0
"""What a 500 may ask for that comes because another offer is in the air (section 14.2)."""
PATIENCE_SECONDS = 0.1
"""How soon to look again whether the other offer is through."""


class Reinvite:
    """One change of the session that we ask for. Used under the line's lock."""

    def __init__(
        self,
        session: Session,
        describe: Callable[[], bytes],
        on_result: OnResult,
    ) -> None:
        """`describe` writes the offer when it is about to be sent."""
        self._session = session
        self._describe = describe
        self._on_result = on_result
        self._tries = 0
        self._waited = 0.0
        self._inviting: Inviting | None = None
        self._limit: Alarm | None = None
        """When to give it up although the other side has been heard of."""
        self._has_answer = False

    def start(self) -> None:
        """Send it as soon as may be."""
        session = self._session
        if session.ending is not None:
            self._on_result(CALL_OVER)
        elif session.can_offer:
            self._send()
        elif self._waited >= session.line.endpoint.transactions.timing.timeout_seconds:
            self._on_result(Result(Outcome.TIMED_OUT, reason="another offer is never answered"))
        else:
            self._waited += PATIENCE_SECONDS
            session.line.endpoint.after(PATIENCE_SECONDS, self.start)

    def _send(self) -> None:
        session, body = self._session, self._describe()
        fields = (
            session.contact,
            ALLOW,
            SUPPORTED,
            *session.refresher.fields(),
            ("Content-Type", CONTENT_TYPE),
        )
        self._has_answer = False
        self._inviting = session.asking.invite(self._take, *fields, body=body)

    def _take(self, response: Response | None) -> None:
        if response is not None and response.status < 200:
            self._set_limit()
            return
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
        if response is not None and response.status < 300:
            self._accept(response)
            return
        self._session.negotiation.withdraw()
        if self._session.ending is not None:
            self._on_result(CALL_OVER)
        elif response is not None and (seconds := self._wait(response)) is not None:
            self._tries += 1
            self._session.line.endpoint.after(seconds, self.start)
        elif response is not None and response.status == 481:
            self._session.lose("no-such-call")  # it says so itself (12.2.1.2)
            self._on_result(CALL_OVER)
        else:
            self._on_result(result_of(response))

    def _set_limit(self) -> None:
        """Nobody has to be asked: who answers "ringing" and nothing more is sent a CANCEL (section 9.1)."""
        endpoint = self._session.line.endpoint
        if self._limit is None:
            seconds = endpoint.transactions.timing.timeout_seconds
            self._limit = endpoint.after(seconds, self._give_up)

    def _give_up(self) -> None:
        if self._inviting is not None:
            self._inviting.cancel()

    def _wait(self, response: Response) -> float | None:
        """How long before the next try; None where there is none."""
        if self._tries >= MOST_TRIES:
            return None
        if response.status == 491:
            return glare_seconds(self._session)
        if response.status == 422:
            return 0.0 if self._session.refresher.take(response) else None
        if response.status != 500:
            return None
        seconds = response.retry_after_seconds
        return None if seconds is None or seconds > LONGEST_RETRY_SECONDS else float(seconds)

    def _accept(self, response: Response) -> None:
        """The ACK, to each copy; the answer counts once."""
        session = self._session
        assert self._inviting is not None
        session.asking.acknowledge(self._inviting.request)
        if self._has_answer:
            return
        self._has_answer = True
        session.refresher.take(response)
        session.note(response)
        try:
            session.dialog.refresh_target(response)
            with session.telling_media():
                session.negotiation.receive_answer(find(response, CONTENT_TYPE))
        except (DescriptionError, MessageError, NotAcceptable) as problem:
            session.negotiation.withdraw()
            self._on_result(Result(Outcome.REFUSED, response.status, f"bad answer: {problem}"))
        else:
            self._on_result(result_of(response))


def glare_seconds(session: Session) -> float:
    """2.1 to 4 s for who has made the Call-ID, 0 to 2 s for the other, in steps of 10 ms, if T1 is the RFC's."""
    first, last = CALLER_GLARE_MS if session.is_caller else CALLEE_GLARE_MS
    scale = session.line.endpoint.transactions.timing.t1_seconds / RFC_TIMING.t1_seconds
    return random.randrange(first, last + 1, 10) / 1000 * scale
