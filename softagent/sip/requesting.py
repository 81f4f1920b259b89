"""The client's transaction of any request but INVITE: repeated until it is answered (RFC 3261 section 17.1.2). Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from softagent.sip.alarm import NEVER
from softagent.sip.hop import Hop
from softagent.sip.message import Request, Response
from softagent.sip.repetition import Repetition


class ClientTransaction:
    """One request of ours. Used under its owner's lock."""

    def __init__(
        self,
        request: Request,
        destination: Hop,
        on_result: Callable[[Response | None], None],
        repetition: Repetition,
    ) -> None:
        self.datagram = request.serialize()
        self.destination = destination
        self.on_result = on_result
        """Called once: with the final response, or None when none came."""
        self.is_over = False
        self._repetition = repetition
        self._has_tried_again = False

    @property
    def next_wake(self) -> float:
        return NEVER if self.is_over else self._repetition.next_wake

    def receive(self, response: Response) -> None:
        """Take a response; a final one ends the transaction."""
        if self.is_over:
            return
        if response.status < 200:
            self._repetition.slow_down()
            return
        self.is_over = True
        self.on_result(response)

    def try_again(self) -> bool:
        """Go by another connection, the first being gone; False the second time."""
        was_first, self._has_tried_again = not self._has_tried_again, True
        self.destination = replace(self.destination, connection=0)
        return was_first

    def give_up(self) -> None:
        """The way to the other side is gone."""
        if not self.is_over:
            self.is_over = True
            self.on_result(None)

    def wake(self, now: float) -> bytes:
        """The request again if that is due; the end of the transaction when its time is over."""
        if self.is_over:
            return b""
        if now >= self._repetition.deadline_seconds:
            self.give_up()
            return b""
        return self.datagram if self._repetition.is_due(now) else b""
