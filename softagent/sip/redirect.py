"""Where a call goes on after a 3xx: the other side's contacts, one after the other (RFC 3261 section 8.1.3.4). Pure."""

from __future__ import annotations

import contextlib

from softagent.sip.address import NameAddress, Uri
from softagent.sip.errors import MessageError
from softagent.sip.hop import Hop
from softagent.sip.message import Response

MOST_TARGETS = 5
"""A call that is sent from one to the next for longer than that goes round in circles."""


class Redirections:
    """The targets of one call: those tried, the one that is tried, those still to try."""

    def __init__(self, target: Uri, hop: Hop) -> None:
        self.current = target, hop
        """The target and the next hop on the way to it."""
        self._pbx = hop
        self._seen = [target]
        self._waiting: list[Uri] = []

    def follow(self, response: Response) -> bool:
        """Whether there is another target after a final response; `current` is it then.

        A 3xx brings new ones, the best first. A refusal falls back on those that wait, except
        a refusal on behalf of everyone (6xx).
        """
        if response.status in (300, 301, 302):
            self._waiting = _contacts(response) + self._waiting
        elif response.status >= 600 or len(self._seen) == 1:
            return False
        while self._waiting and len(self._seen) < MOST_TARGETS:
            target = self._waiting.pop(0)
            if not any(str(target) == str(seen) for seen in self._seen):
                self._seen.append(target)
                self.current = target, self._hop(target)
                return True
        return False

    def _hop(self, target: Uri) -> Hop:
        """The address in the target; the PBX for a host name, and for its own address, which it may misjudge."""
        hop = Hop.literal(target)
        return self._pbx if hop is None or hop.host == self._pbx.host else hop


def _contacts(response: Response) -> list[Uri]:
    """The contacts that we can call, those that are liked best first."""
    found: list[NameAddress] = []
    for value in response.headers.values("Contact"):
        with contextlib.suppress(MessageError):
            found.append(NameAddress.parse(value))
    found.sort(key=lambda contact: contact.preference, reverse=True)
    return [contact.uri for contact in found if contact.uri.is_sip]
