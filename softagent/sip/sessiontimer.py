"""The session timer: a call that nobody refreshes ends by itself (RFC 4028).

request --objection--> 422, or --answer--> Session-Expires in our 200
our request <-- request_fields             their 200 --take-->

Pure: time is a number that the caller passes in.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

from softagent.sip.address import natural, parameter, parse_parameters
from softagent.sip.alarm import NEVER
from softagent.sip.message import Message, Request, Response
from softagent.sip.uas import Fields, Reply

SHORTEST_SECONDS = 90
"""No session may have to be refreshed more often (section 5)."""
LARGEST_SECONDS = 2**32 - 1
EXTENSION = "timer"
RETRY_SECONDS = 10.0
"""After which a refresh that came to nothing is tried again."""

Role = Literal["uac", "uas"]


class Due(enum.Enum):
    """What the time has come for."""

    NOTHING = "nothing"
    REFRESH = "refresh"
    """It is we who refresh, and half of the time is over."""
    END = "end"
    """Nobody has refreshed the session in time."""


@dataclass(frozen=True, slots=True)
class SessionExpires:
    """The value of a Session-Expires header."""

    seconds: int
    refresher: Role | None = None

    @classmethod
    def of(cls, message: Message) -> SessionExpires | None:
        """What a message says; None where it says nothing. Raises MessageError for what can't be read."""
        value = message.headers.first("Session-Expires")
        if value is None:
            return None
        seconds, _, tail = value.partition(";")
        stated = (parameter(parse_parameters(tail), "refresher") or "").lower()
        refresher: Role | None = None
        if stated in ("uac", "uas"):
            refresher = "uac" if stated == "uac" else "uas"
        return cls(natural(seconds, "Session-Expires", largest=LARGEST_SECONDS), refresher)

    @property
    def field(self) -> tuple[str, str]:
        """The header field."""
        refresher = "" if self.refresher is None else f";refresher={self.refresher}"
        return "Session-Expires", f"{self.seconds}{refresher}"


class SessionTimer:
    """One call's session timer. Used under its owner's lock."""

    def __init__(self, wanted_seconds: int) -> None:
        """`wanted_seconds` is the interval to ask for, and the longest to agree to."""
        self._wanted = max(wanted_seconds, SHORTEST_SECONDS)
        self._least = 0
        """What the other side has said it needs at least, with a 422."""
        self._seconds = 0
        """The interval agreed on; 0 for none."""
        self._is_refresher = False
        self._expiry = NEVER
        self._refresh_at = NEVER

    @property
    def is_running(self) -> bool:
        """Whether the session has to be refreshed at all."""
        return self._seconds > 0

    @property
    def is_refresher(self) -> bool:
        """Whether that is ours to do."""
        return self.is_running and self._is_refresher

    @property
    def next_wake(self) -> float:
        """When something will be due."""
        return min(self._refresh_at, self._give_up_at)

    @property
    def _give_up_at(self) -> float:
        """A third of the interval, but at most 32 s, before it is over (section 10)."""
        return self._expiry - min(32.0, self._seconds / 3)

    def due(self, now: float) -> Due:
        """What has to be done now; a refresh is due once until `postpone` or `take`."""
        if now >= self._give_up_at:
            self._expiry = self._refresh_at = NEVER
            return Due.END
        if now >= self._refresh_at:
            self._refresh_at = NEVER
            return Due.REFRESH
        return Due.NOTHING

    def postpone(self, now: float, seconds: float = RETRY_SECONDS) -> None:
        """A refresh has come to nothing: the next try."""
        if self.is_refresher:
            self._refresh_at = now + seconds

    # Their requests

    def answer(self, request: Request, now: float) -> Fields:
        """What goes into our 2xx to an INVITE or UPDATE; the interval begins again (section 9).

        Who knows the extension refreshes the session itself, unless it says otherwise or had
        no interval in mind. Who doesn't know it gets no timer of ours imposed.
        """
        is_known = EXTENSION in request.headers.tokens("Supported")
        stated = SessionExpires.of(request)
        if stated is None and not is_known:
            self._stop()
            return ()
        least = max(_min_se(request), SHORTEST_SECONDS)
        if stated is None:
            chosen = SessionExpires(max(self._wanted, least), "uas")
        else:
            refresher = (stated.refresher or "uac") if is_known else "uas"
            seconds = max(min(stated.seconds, self._wanted), least)
            chosen = SessionExpires(seconds, refresher)
        self._start(chosen.seconds, now, is_refresher=chosen.refresher == "uas")
        return (chosen.field, ("Require", EXTENSION)) if is_known else (chosen.field,)

    # Our requests

    def request_fields(self) -> Fields:
        """What goes into an INVITE or UPDATE of ours; who refreshes now goes on to (section 7.4)."""
        seconds = max(self._seconds or self._wanted, self._least)
        role: Role | None = None
        if self.is_running:
            role = "uac" if self._is_refresher else "uas"
        least = (("Min-SE", str(self._least)),) if self._least else ()
        return (SessionExpires(seconds, role).field, *least)

    def take(self, response: Response, now: float) -> bool:
        """Take the final response to such a request; whether to send it again with other fields (section 7.3)."""
        if response.status == 422:
            least = _min_se(response)
            is_new = least > max(self._least, self._seconds or self._wanted)
            self._least = max(self._least, least)
            return is_new
        if 200 <= response.status < 300:
            stated = SessionExpires.of(response)
            if stated is None:
                self._stop()
            else:
                self._start(stated.seconds, now, is_refresher=stated.refresher != "uas")
        return False

    def _start(self, seconds: int, now: float, *, is_refresher: bool) -> None:
        self._seconds, self._is_refresher = seconds, is_refresher
        self._expiry = now + seconds
        self._refresh_at = now + seconds / 2 if is_refresher else NEVER

    def _stop(self) -> None:
        self._seconds, self._expiry, self._refresh_at = 0, NEVER, NEVER


def _min_se(message: Message) -> int:
    """The shortest interval that the other side takes. Raises MessageError for what can't be read."""
    value = message.headers.first("Min-SE")
    if value is None:
        return 0
    return natural(value.partition(";")[0], "Min-SE", largest=LARGEST_SECONDS)


def objection(request: Request) -> Reply | None:
    """422 to an interval that is too short, where the other side knows what that means (section 9).

    Raises MessageError for an interval that can't be read.
    """
    stated = SessionExpires.of(request)
    is_too_short = stated is not None and stated.seconds < SHORTEST_SECONDS
    if is_too_short and EXTENSION in request.headers.tokens("Supported"):
        return Reply(422, (("Min-SE", str(SHORTEST_SECONDS)),))
    return None
