"""The registration: refreshed before it runs out, tried again for ever, removed at the end (RFC 3261 section 10).

Pure: time is a number that the caller passes in; what it returns is to be sent.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable

from softagent.sip.address import LARGEST_SECONDS, NameAddress, Uri, natural, parameter
from softagent.sip.alarm import NEVER
from softagent.sip.challenges import Challenges
from softagent.sip.digest import Authenticator, is_answerable, is_stale
from softagent.sip.errors import MessageError
from softagent.sip.message import Headers, Request, Response
from softagent.sip.pacing import Pacing
from softagent.sip.phone import Registration, RegistrationState

MOST_DOUBTS = 3
"""Refusals in a row, of credentials that the registrar has accepted before, that are no reason to wait long.

A PBX that is starting listens before it knows its telephones: Asterisk challenges everybody then.
"""
LONGEST_RETRY_AFTER_SECONDS = 1800
"""What a registrar may ask for with Retry-After; it might be mistaken."""


class Registrant:
    """Keeps the contact known at the registrar. The owner sends what it returns and tells it what came of it.

    Every method that sends returns the request without Via, which is the transport's.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        *,
        expires_seconds: int,
        pacing: Pacing,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.contact = Uri("sip", "", "")
        """Where calls shall go; set by the owner, who knows the local address."""
        self.redirections: tuple[Uri, ...] = ()
        """Where the registrar has sent us instead, in its order of preference; the owner's to follow."""
        self.is_unavailable = False
        """The last failure was this server's own: another one may do better."""
        self.service_route: tuple[str, ...] = ()
        """Route values for requests outside of dialogs (RFC 3608)."""
        self.registration = Registration(RegistrationState.UNREGISTERED)
        self.next_wake = NEVER
        self.is_removed = False
        """The registrar has confirmed the removal, or there is nothing to remove."""
        self._address = Uri("sip", "", "")
        self._registrar = Uri("sip", "", "")
        self._route = ""
        self._where = ""
        self._bound: Uri | None = None
        self._authenticator = authenticator
        self._expires = expires_seconds
        self._pacing = pacing
        self._jitter = jitter
        self._call_id = secrets.token_hex(16)
        self._tag = secrets.token_hex(8)
        self._sequence = 0
        self._failures = 0
        self._refusals = 0
        self._challenges = Challenges(authenticator)
        """Those to one registration: a proxy and the registrar may both want to know who we are."""
        self._is_removing = False

    @property
    def is_registered(self) -> bool:
        return self.registration.state is RegistrationState.REGISTERED

    def aim(self, address: Uri, registrar: Uri, *, route: str, where: str) -> None:
        """Register `address` at `registrar` from now on, by way of `route`; `where` is its name for people."""
        if (self._address, self._registrar) != (address, registrar):
            self._bound = None
        self._address, self._registrar, self._route = address, registrar, route
        self._where = where

    def wake(self, now: float) -> Request | None:
        """The REGISTER that is due, if one is."""
        if now < self.next_wake:
            return None
        self.next_wake = NEVER
        if self._is_removing:  # its connection may be lost, or our address change, meanwhile
            return None
        self._challenges = Challenges(self._authenticator)
        if self.registration.state is RegistrationState.UNREGISTERED:
            self.registration = Registration(RegistrationState.REGISTERING, registrar=self._where)
        return self._register()

    def remove(self) -> Request | None:
        """The REGISTER that takes the contact back; None when there is none to take back."""
        self._is_removing = True
        self.next_wake = NEVER
        self._challenges = Challenges(self._authenticator)
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
        self.redirections, self.is_unavailable = (), False
        match response.status:
            case status if 200 <= status < 300:
                self._authenticator.renew(response)
                self._succeed(response, now)
            case 301 | 302 | 305:
                self._fail(_words(response), now)
                self.redirections = tuple(contact.uri for contact in _best_first(response))
            case 401 | 407:
                return self._answer_challenge(response, now)
            case 423:
                return self._lengthen(response, now)
            case 403:
                self._fail(_words(response), now, is_refused=True)
            case status:
                after = response.retry_after_seconds or 0
                self._fail(_words(response), now, retry_after=after)
                self.is_unavailable = status in (408, 430) or 500 <= status < 600
        return None

    def handle_failure(self, reason: str, now: float) -> None:
        """Nothing came back, or the REGISTER could not even be sent."""
        self.redirections = ()
        if self._is_removing:
            self._end_removal()
        else:
            self._fail(reason, now)
            self.is_unavailable = True

    def _end_removal(self) -> None:
        self.is_removed = True
        self.registration = Registration(RegistrationState.UNREGISTERED)

    def _register(self) -> Request:
        self._sequence += 1
        uri = str(self._registrar)
        expires = 0 if self._is_removing else self._expires
        contacts = f"<{self.contact}>"
        if self._bound not in (None, self.contact):  # where we were before: no call can come there
            contacts += f", <{self._bound}>;expires=0"
        fields = (
            *((("Route", self._route),) if self._route else ()),
            ("From", f"<{self._address}>;tag={self._tag}"),
            ("To", f"<{self._address}>"),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._sequence} REGISTER"),
            ("Contact", contacts),
            ("Expires", str(expires)),
            *self._authenticator.headers("REGISTER", uri),
        )
        return Request("REGISTER", uri, Headers(fields))

    def _succeed(self, response: Response, now: float) -> None:
        granted = self._granted(response)
        if granted <= 0:
            self._fail("the registrar granted no time", now)
            return
        self._failures = self._refusals = 0
        self._bound = self.contact
        self.service_route = tuple(map(str, _readable(response, "Service-Route")))
        pause = min(self._pacing.refresh_share * granted, self._pacing.longest_refresh_seconds)
        self.next_wake = now + pause
        self.registration = Registration(
            RegistrationState.REGISTERED,
            _words(response),
            expires_seconds=granted,
            refresh_seconds=pause,
            registrar=self._where,
        )

    def _granted(self, response: Response) -> int:
        """Seconds granted: our contact's own expires, the Expires header, or what we asked for (section 10.2.4)."""
        ours = [
            contact
            for contact in _readable(response, "Contact")
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

        The first challenge of each realm may be about a nonce that we used unasked, so it
        never counts as a refusal.
        """
        if self._challenges.take(response):
            return self._register()
        if self._is_removing:
            self._end_removal()
        elif not is_answerable(response):
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

    def _fail(
        self, reason: str, now: float, *, is_refused: bool = False, retry_after: int = 0
    ) -> None:
        pacing = self._pacing
        doubled = pacing.first_retry_seconds * 2 ** min(self._failures, 16)
        pause = min(doubled, pacing.longest_retry_seconds)
        if is_refused:
            self._refusals += 1
            if self._bound is None or self._refusals > MOST_DOUBTS:
                pause = pacing.refused_retry_seconds
        self._failures += 1
        asked = min(retry_after, LONGEST_RETRY_AFTER_SECONDS)
        self.next_wake = now + max(asked, pause * (0.5 + 0.5 * self._jitter()))
        self.registration = Registration(
            RegistrationState.FAILED, reason, is_refused=is_refused, registrar=self._where
        )


def _words(response: Response) -> str:
    return f"{response.status} {response.reason}".strip()


def _readable(response: Response, name: str) -> tuple[NameAddress, ...]:
    """The addresses in a header, none at all when one of them can't be read."""
    try:
        return response.addresses(name)
    except MessageError:
        return ()


def _best_first(response: Response) -> list[NameAddress]:
    """The Contacts, those that are liked best first."""
    contacts = _readable(response, "Contact")
    return sorted(contacts, key=lambda contact: contact.preference, reverse=True)


def _seconds(text: str | None) -> int | None:
    """A number of seconds; None where there is none that can be read."""
    if text is None:
        return None
    try:
        return natural(text.partition(";")[0], "seconds", largest=LARGEST_SECONDS)
    except MessageError:
        return None
