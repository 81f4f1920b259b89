"""The dialogs of a call that still rings, one for each telephone that it rings at (RFC 3261 12.1, RFC 3262)."""

from __future__ import annotations

from dataclasses import dataclass

from softagent.sip.address import natural
from softagent.sip.asking import Asking
from softagent.sip.body import find
from softagent.sip.dialog import Dialog
from softagent.sip.digest import Authenticator
from softagent.sip.endpoint import Endpoint
from softagent.sip.hop import Hop
from softagent.sip.message import Request, Response
from softagent.sip.sdp import CONTENT_TYPE

LARGEST_RSEQ = 2**32 - 1


@dataclass(slots=True)
class _Early:
    """One of them."""

    asking: Asking
    confirmed: int | None = None
    """Number of the last reliable response that we have confirmed."""
    description: bytes = b""
    """The answer to our offer, when a reliable response brought it."""


class EarlyDialogs:
    """All of one INVITE's, by the other side's tag. Used under the endpoint's lock."""

    def __init__(self, endpoint: Endpoint, authenticator: Authenticator | None) -> None:
        self._endpoint = endpoint
        self._authenticator = authenticator
        self._dialogs: dict[str, _Early] = {}

    def take(self, invite: Request, response: Response, destination: Hop) -> None:
        """Note a provisional response, and confirm it with PRACK where it asks for that.

        Raises MessageError for one that can't be read.
        """
        tag = response.recipient.tag
        if not tag or response.status == 100:
            return
        early = self._dialogs.get(tag)
        if early is None:
            early = self._dialogs[tag] = _Early(self._asking(invite, response, destination))
        if "100rel" in response.headers.tokens("Require"):
            self._confirm(early, response)

    def confirm(self, invite: Request, response: Response, destination: Hop) -> Asking:
        """The dialog that a 2xx has made of an early one, or has begun.

        Its target and route are those of the 2xx (section 13.2.2.4), its numbers go on. Raises
        MessageError for a response that can't be read.
        """
        confirmed = self._asking(invite, response, destination)
        if (early := self._dialogs.get(response.recipient.tag)) is not None:
            confirmed.dialog.succeed(early.asking.dialog)
        return confirmed

    def description(self, tag: str) -> bytes:
        """The answer that came before the 2xx, b"" where there was none."""
        early = self._dialogs.get(tag)
        return b"" if early is None else early.description

    def dialog_of(self, request: Request) -> Dialog | None:
        """The one that a request of the other side belongs to."""
        dialogs = (early.asking.dialog for early in self._dialogs.values())
        return next((dialog for dialog in dialogs if dialog.matches(request)), None)

    def _asking(self, invite: Request, response: Response, destination: Hop) -> Asking:
        dialog = Dialog.begun(invite, response, destination)
        return Asking(self._endpoint, dialog, self._authenticator)

    def _confirm(self, early: _Early, response: Response) -> None:
        """PRACK, for each number once and in their order (RFC 3262 section 4)."""
        number = natural(response.need("RSeq"), "RSeq", largest=LARGEST_RSEQ)
        if early.confirmed is not None and number != early.confirmed + 1:
            return
        early.confirmed = number
        early.description = early.description or find(response, CONTENT_TYPE)
        acknowledged = ("RAck", f"{number} {response.cseq}")
        early.asking.ask("PRACK", lambda answer: None, acknowledged)
