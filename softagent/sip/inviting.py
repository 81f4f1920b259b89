"""One INVITE of ours, to begin a call or within one, sent again with credentials until it is decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from softagent.sip.challenges import Challenges
from softagent.sip.digest import Authenticator
from softagent.sip.endpoint import Endpoint
from softagent.sip.hop import Hop
from softagent.sip.invite import InviteTransaction
from softagent.sip.message import Request, Response


class Inviting:
    """Sends as soon as it is made. Used under the endpoint's lock."""

    def __init__(
        self,
        endpoint: Endpoint,
        authenticator: Authenticator | None,
        build: Callable[[], tuple[Request, Hop]],
        on_response: Callable[[Response | None], None],
    ) -> None:
        """`build` makes the INVITE, each time with the next number and without Via and credentials.

        `on_response` gets each provisional response, the refusal that isn't a challenge or
        every 2xx, and None when there was no final response in time.
        """
        self._endpoint = endpoint
        self._challenges = Challenges(authenticator)
        self._build = build
        self._on_response = on_response
        self._transaction: InviteTransaction | None = None
        self._is_given_up = False
        self._send()

    @property
    def request(self) -> Request:
        """The INVITE as it went out last."""
        assert self._transaction is not None
        return self._transaction.request

    @property
    def destination(self) -> Hop:
        """Where it went."""
        assert self._transaction is not None
        return self._transaction.destination

    @property
    def is_open(self) -> bool:
        """Whether its final response is still to come."""
        return self._transaction is not None and self._transaction.is_open

    def cancel(self) -> None:
        """Give it up, as soon as the other side has been heard of; it isn't sent again."""
        self._is_given_up = True
        if self._transaction is not None:
            self._endpoint.cancel(self._transaction)

    def _send(self) -> None:
        bare, destination = self._build()
        credentials = self._challenges.headers("INVITE", bare.uri)
        request = replace(bare, headers=bare.headers.with_(*credentials))
        self._transaction = self._endpoint.invite(request, destination, self._take)

    def _take(self, response: Response | None) -> None:
        is_challenge = response is not None and self._challenges.take(response)
        if is_challenge and not self._is_given_up:
            self._send()
        else:
            self._on_response(response)
