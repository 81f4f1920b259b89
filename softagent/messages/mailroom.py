"""What a worker needs for callers' messages: an outbox, a postman, and a place for those of each call."""

from __future__ import annotations

import time
from collections.abc import Callable

from softagent.config import Account
from softagent.messages.call_messages import CallMessages
from softagent.messages.outbox import outbox_of
from softagent.messages.postman import Postman
from softagent.messages.ways import ways_of
from softagent.report import Report
from softagent.sip.phone import IncomingCall


class Mailroom:
    """One account's."""

    def __init__(self, account: Account, report: Callable[[Report], None]) -> None:
        """`report` is told how many messages wait, from a thread of ours."""
        self._account = account.name
        self._are_taken = account.messages.are_taken
        self._postman = Postman(
            outbox_of(account.name, account.messages),
            ways_of(account.messages),
            account=account.name,
            clock=time.time,
            report=report,
        )
        self.start = self._postman.start
        self.stop = self._postman.stop

    def open(self, call: IncomingCall, report: Callable[[Report], None]) -> CallMessages | None:
        """A place for the messages of `call`, unless none are taken.

        What is reported of the call goes through there to `report`.
        """
        if not self._are_taken:
            return None
        return CallMessages(
            self._postman,
            account=self._account,
            call=call.call_id,
            caller=call.caller.number,
            clock=time.time,
            pass_on=report,
        )
