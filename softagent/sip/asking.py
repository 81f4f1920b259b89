"""Requests of ours within a dialog, sent once more with credentials where the other side asks for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from softagent.sip.challenges import Challenges
from softagent.sip.dialog import Dialog
from softagent.sip.digest import Authenticator
from softagent.sip.endpoint import Endpoint
from softagent.sip.hop import Hop
from softagent.sip.inviting import Inviting
from softagent.sip.message import Request, Response


class Asking:
    """What one dialog asks of the other side. Used under the endpoint's lock."""

    def __init__(
        self, endpoint: Endpoint, dialog: Dialog, authenticator: Authenticator | None
    ) -> None:
        self.endpoint = endpoint
        self.dialog = dialog
        self._authenticator = authenticator

    def ask(
        self,
        method: str,
        on_result: Callable[[Response | None], None],
        *headers: tuple[str, str],
        body: bytes = b"",
        on_sent: Callable[[Request], None] = lambda request: None,
    ) -> None:
        """Send any request but INVITE; `on_result` gets its final response, None when none comes.

        `on_sent` gets the request each time it goes out, with a new number after a challenge.
        """
        challenges = Challenges(self._authenticator)

        def send() -> None:
            bare = self.dialog.request(method, *headers, body=body)
            credentials = challenges.headers(method, bare.uri)
            request = replace(bare, headers=bare.headers.with_(*credentials))
            on_sent(request)
            self.endpoint.request(request, self.dialog.next_hop, take)

        def take(response: Response | None) -> None:
            if response is not None and challenges.take(response):
                send()
            else:
                on_result(response)

        send()

    def invite(
        self,
        on_response: Callable[[Response | None], None],
        *headers: tuple[str, str],
        body: bytes = b"",
    ) -> Inviting:
        """Send a re-INVITE; `on_response` gets what Inviting says."""

        def build() -> tuple[Request, Hop]:
            return self.dialog.request("INVITE", *headers, body=body), self.dialog.next_hop

        return Inviting(self.endpoint, self._authenticator, build, on_response)

    def acknowledge(self, invite: Request) -> None:
        """Confirm a 2xx to that INVITE of ours, with its credentials (RFC 3261 section 13.2.2.4)."""
        names = ("Authorization", "Proxy-Authorization")
        credentials = (field for field in invite.headers if field[0] in names)
        ack = self.dialog.acknowledge(invite.cseq.number, *credentials)
        self.endpoint.send(ack, self.dialog.next_hop)
