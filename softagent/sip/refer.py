"""Transfers: the REFER, and the NOTIFYs that tell what became of it (RFC 3515, RFC 3891, RFC 4488, RFC 5589).

    we        -- REFER ------------------>  PBX
              <------------- 202, NOTIFY --      "100 Trying", "180 Ringing"
              <------------------ NOTIFY --      "200 OK", "486 Busy Here": the end

Pure: time is a number that the caller passes in. Any of these may come in any order, the
other side's BYE among them.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable

from softagent.sip.address import Uri, natural, parameter, parse_parameters
from softagent.sip.errors import MessageError
from softagent.sip.message import Request, Response
from softagent.sip.outcome import CALL_OVER, decide, result_of
from softagent.sip.phone import Outcome, Result

PROGRESS_SECONDS = 60.0
"""How long to wait for the next word of a transfer; a ringing target sends none."""
LONGEST_PROGRESS_SECONDS = 180.0
"""Even if the other side promises to tell for longer."""
SILENCE_SECONDS = 5.0
"""After a 2xx the first NOTIFY is due at once, and is repeated so long when it gets lost (RFC 3515 section 2.4.4).

Asterisk 22 sends none when the target is a dialplan application that has nobody to call (a
queue, a mailbox, a menu): it has taken the caller and says no more.
"""
PARTING_SECONDS = 2.0
"""How long after its BYE the PBX may still say that the transfer has failed."""

_STATUS_LINE = re.compile(rb"\s*SIP/2\.0\s+([1-6][0-9]{2})(?:[ \t]+([^\r\n]*))?", re.IGNORECASE)


def refer_to(target: Uri, *, replaces: tuple[str, str, str] | None = None) -> str:
    """The Refer-To of a transfer to `target`.

    `replaces` is the call that the new one takes the place of (RFC 3891 section 6.1): its
    Call-ID, the target's tag and ours.
    """
    if replaces is None:
        return f"<{target}>"
    call_id, their_tag, our_tag = replaces
    value = f"{call_id};to-tag={their_tag};from-tag={our_tag}"
    return f"<{target}?Replaces={urllib.parse.quote(value, safe='')}>"


def sip_fragment(request: Request) -> tuple[int, str] | None:
    """Status and reason in the body of a NOTIFY (RFC 3420); None where there is no status line."""
    kind = (request.headers.first("Content-Type") or "").partition(";")[0].strip().lower()
    found = _STATUS_LINE.match(request.body) if kind == "message/sipfrag" else None
    if found is None:
        return None
    return int(found[1]), (found[2] or b"").decode("utf-8", "replace").strip()


class Transfer:
    """One transfer, from its REFER to its end, which `on_result` gets once."""

    def __init__(self, on_result: Callable[[Result], None], now: float) -> None:
        self.result: Result | None = None
        self.deadline = now + PROGRESS_SECONDS
        """When to call `expire`; a REFER that is never answered ends sooner by itself."""
        self._on_result = on_result
        self._sequences: set[int] = set()
        self._is_taken = False
        self._is_parted = False
        self._is_told = False

    @property
    def is_over(self) -> bool:
        return self.result is not None

    @property
    def is_taken(self) -> bool:
        """Whether the other side has taken it on, and it hasn't failed: a BYE is part of it."""
        return self._is_taken and (self.result is None or self.result.is_accepted)

    def sent(self, sequence: int) -> None:
        """A REFER is out, or out again with credentials; its number is the subscription's id."""
        self._sequences.add(sequence)

    def answer(self, response: Response | None, now: float) -> None:
        """The final response to the REFER, None when none came: a NOTIFY may have said more already."""
        if response is not None and response.status < 300:
            self._is_taken = True
            self._extend(now, PROGRESS_SECONDS if self._is_told else SILENCE_SECONDS)
            refer_sub = response.headers.first("Refer-Sub") or ""
            if refer_sub.partition(";")[0].strip().lower() == "false":
                self._finish(decide(response.status, response.reason))  # RFC 4488: no NOTIFY comes
        elif response is not None or not self._is_taken:
            self._finish(result_of(response))

    def is_about(self, notify: Request) -> bool:
        """Whether a NOTIFY tells of this transfer (RFC 3515 section 2.4.6)."""
        package, _, tail = (notify.headers.first("Event") or "").partition(";")
        if package.strip().lower() != "refer":
            return False
        identity = parameter(parse_parameters(tail), "id")
        return identity is None or identity in {str(number) for number in self._sequences}

    def hear(self, notify: Request, now: float) -> None:
        """A NOTIFY of this transfer; the one with a final status, or the subscription's last, ends it."""
        self._is_taken = self._is_told = True
        state, _, tail = (notify.headers.first("Subscription-State") or "").partition(";")
        fields = parse_parameters(tail)
        fragment = sip_fragment(notify)
        if fragment is not None and fragment[0] >= 200:
            self._finish(decide(*fragment))
        elif state.strip().lower() == "terminated":
            self._finish(_unfinished(parameter(fields, "reason") or ""))
        elif not self._is_parted:
            self._extend(now, _seconds(parameter(fields, "expires")))

    def part(self, now: float, *, is_ours: bool = False) -> None:
        """The call has ended: by the transfer, if that was taken on, and a last word may follow.

        `is_ours` when the transfer has nothing to do with it: then nobody listens any more.
        """
        if is_ours or not self._is_taken:
            self._finish(CALL_OVER)
        elif not self._is_parted and not self.is_over:
            self._is_parted = True
            self.deadline = now + PARTING_SECONDS

    def expire(self, now: float) -> None:
        """The deadline may have come. A PBX that has let go of the call without bad news has transferred it.

        So has one that has said yes and tells nothing.
        """
        if now < self.deadline or self.is_over:
            return
        if self._is_parted:
            self._finish(Result(Outcome.ACCEPTED, reason="ended by the other side"))
        elif self._is_taken and not self._is_told:
            self._finish(Result(Outcome.ACCEPTED, reason="taken on; the other side tells no more"))
        else:
            self._finish(Result(Outcome.TIMED_OUT, reason="no word of the transfer"))

    def _extend(self, now: float, seconds: float) -> None:
        if not self._is_parted:
            self.deadline = now + seconds

    def _finish(self, result: Result) -> None:
        if self.result is None:
            self.result = result
            self._on_result(result)


def _unfinished(reason: str) -> Result:
    """A subscription that ends before the transfer does (RFC 6665 section 4.1.3)."""
    words = f"the other side stopped telling: {reason or 'no reason given'}"
    match reason.lower():
        case "timeout" | "giveup":
            return Result(Outcome.TIMED_OUT, reason=words)
        case _:
            return Result(Outcome.REFUSED, reason=words)


def _seconds(expires: str | None) -> float:
    """For how long the subscription lasts, within reason."""
    try:
        stated = natural(expires or "", "expires", largest=2**32 - 1)
    except MessageError:
        return PROGRESS_SECONDS
    return min(max(float(stated), PROGRESS_SECONDS), LONGEST_PROGRESS_SECONDS)
