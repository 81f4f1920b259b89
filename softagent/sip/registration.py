"""The registration: refreshed before it runs out, tried again for ever, removed at the end (RFC 3261 section 10).

Pure: time is a number that the caller passes in; what it returns is to be sent.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from softagent.sip.address import LARGEST_SECONDS, NameAddress, Uri, natural, parameter
from softagent.sip.alarm import NEVER
from softagent.sip.digest import Authenticator, is_stale
from softagent.sip.errors import MessageError
from softagent.sip.message import Headers, Request, Response
from softagent.sip.phone import Registration, RegistrationState

MOST_CHALLENGES = 4
"""Challenges answered for one registration: two of a proxy and a registrar, each stale once."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """How often the registrar hears from us."""

    refresh_share: float = 0.5
    """Part of the granted time after which to register again."""
    longest_refresh_seconds: float = 8.0
    """Register again at least as often: a PBX that restarted and forgot us knows us again within this."""
    answer_seconds: float = 8.0
    """How long to repeat a REGISTER before it counts as unanswered."""
    first_retry_seconds: float = 1.0
    longest_retry_seconds: float = 8.0
    """Waits after failures double from the first to the longest, each cut by up to a half (RFC 5626 section 4.5)."""
    refused_retry_seconds: float = 60.0
    """Wait after refused credentials: hammering on would get the address banned."""


PROMPT = Pacing()
"""Back within 10 s of the PBX's return."""


class Registrant:
    """Keeps the contact known at the registrar. The owner sends what it returns and tells it what came of it.

    Every method that sends returns the request without Via, which is the transport's.
    """

    def __init__(
        self,
        address: Uri,
        registrar: Uri,
        authenticator: Authenticator,
        *,
        expires_seconds: int,
        pacing: Pacing,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.contact = Uri("sip", address.user, "")
        """Where calls shall go; set by the owner, who knows the local address."""
        self.registration = Registration(RegistrationState.UNREGISTERED)
        self.next_wake = NEVER
        self.is_removed = False
        """The registrar has confirmed the removal, or there is nothing to remove."""
        self._address = address
        self._registrar = registrar
        self._authenticator = authenticator
        self._expires = expires_seconds
        self._pacing = pacing
        self._jitter = jitter
        self._call_id = secrets.token_hex(16)
        self._tag = secrets.token_hex(8)
        self._sequence = 0
        self._failures = 0
        self._challenges = 0
        self._is_removing = False

    @property
    def is_registered(self) -> bool:
        return self.registration.state is RegistrationState.REGISTERED

    def wake(self, now: float) -> Request | None:
        """The REGISTER that is due, if one is."""
        if now < self.next_wake or self._is_removing:
            return None
        self.next_wake = NEVER
        self._challenges = 0
        if self.registration.state is RegistrationState.UNREGISTERED:
            self.registration = Registration(RegistrationState.REGISTERING)
        return self._register()

    def remove(self) -> Request | None:
        """The REGISTER that takes the contact back; None when there is none to take back."""
        self._is_removing = True
        self.next_wake = NEVER
        self._challenges = 0
        state = self.registration.state
        if state not in (RegistrationState.REGISTERED, RegistrationState.REGISTERING):
            self.is_removed = True
            return None
        return self._register()

    def handle(self, response: Response, now: float) -> Request | None:
        """Take the final response to the latest REGISTER; the next one where it asks for one."""
        if self._is_removing and response.status not in (401, 407):
            self._end_removal()
            return None
        match response.status:
            case status if 200 <= status < 300:
                self._succeed(response, now)
            case 401 | 407:
                return self._answer_challenge(response, now)
            case 423:
                return self._lengthen(response, now)
            case 403:
                self._fail(_words(response), now, is_refused=True)
            case _:
                self._fail(_words(response), now)
        return None

    def handle_failure(self, reason: str, now: float) -> None:
        """Nothing came back, or the REGISTER could not even be sent."""
        if self._is_removing:
            self._end_removal()
        else:
            self._fail(reason, now)

    def _end_removal(self) -> None:
        self.is_removed = True
        self.registration = Registration(RegistrationState.UNREGISTERED)

    def _register(self) -> Request:
        self._sequence += 1
        uri = str(self._registrar)
        expires = 0 if self._is_removing else self._expires
        fields = (
            ("From", f"<{self._address}>;tag={self._tag}"),
            ("To", f"<{self._address}>"),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._sequence} REGISTER"),
            ("Contact", f"<{self.contact}>"),
            ("Expires", str(expires)),
            *self._authenticator.headers("REGISTER", uri),
        )
        return Request("REGISTER", uri, Headers(fields))

    def _succeed(self, response: Response, now: float) -> None:
        granted = self._granted(response)
        if granted <= 0:
            self._fail("the registrar granted no time", now)
            return
        self._failures = 0
        pause = min(self._pacing.refresh_share * granted, self._pacing.longest_refresh_seconds)
        self.next_wake = now + pause
        self.registration = Registration(
            RegistrationState.REGISTERED, _words(response), expires_seconds=granted
        )

    def _granted(self, response: Response) -> int:
        """Seconds granted: our contact's own expires, the Expires header, or what we asked for (section 10.2.4)."""
        ours = [
            contact
            for contact in _contacts(response)
            if contact.uri.is_same(self.contact) or contact.uri.user == self.contact.user
        ]
        ours.sort(key=lambda contact: contact.uri.is_same(self.contact), reverse=True)
        for contact in ours:
            seconds = _seconds(parameter(contact.parameters, "expires"))
            if seconds is not None:
                return seconds
        stated = _seconds(response.headers.first("Expires"))
        return self._expires if stated is None else stated

    def _answer_challenge(self, response: Response, now: float) -> Request | None:
        """Register again with credentials; refused when a fresh nonce didn't help.

        The first challenge may be about a nonce that we used unasked, so it never
        counts as a refusal.
        """
        self._challenges += 1
        is_first = self._challenges == 1
        can_answer = self._authenticator.learn(response)
        if can_answer and self._challenges <= MOST_CHALLENGES and (is_first or is_stale(response)):
            return self._register()
        if self._is_removing:
            self._end_removal()
        elif not can_answer:
            self._fail(f"{_words(response)}, with no challenge that can be answered", now)
        else:
            self._fail(_words(response), now, is_refused=not is_stale(response))
        return None

    def _lengthen(self, response: Response, now: float) -> Request | None:
        """423 Interval Too Brief: ask for the least that the registrar takes (section 10.2.8)."""
        least = _seconds(response.headers.first("Min-Expires"))
        if least is None or least <= self._expires:
            self._fail(_words(response), now)
            return None
        self._expires = least
        return self._register()

    def _fail(self, reason: str, now: float, *, is_refused: bool = False) -> None:
        pacing = self._pacing
        doubled = pacing.first_retry_seconds * 2 ** min(self._failures, 16)
        pause = min(doubled, pacing.longest_retry_seconds)
        if is_refused:
            pause = pacing.refused_retry_seconds
        self._failures += 1
        self.next_wake = now + pause * (0.5 + 0.5 * self._jitter())
        self.registration = Registration(RegistrationState.FAILED, reason, is_refused=is_refused)


def _words(response: Response) -> str:
    return f"{response.status} {response.reason}".strip()


def _contacts(response: Response) -> tuple[NameAddress, ...]:
    try:
        return response.addresses("Contact")
    except MessageError:
        return ()


def _seconds(text: str | None) -> int | None:
    """A number of seconds; None where there is none that can be read."""
    if text is None:
        return None
    try:
        return natural(text.partition(";")[0], "seconds", largest=LARGEST_SECONDS)
    except MessageError:
        return None
