"""What a call can be asked to do, from any thread: hold, resume, transfer, keys (see the protocol Call)."""

from __future__ import annotations

import functools

from softagent.media.description import Direction
from softagent.sip.errors import MessageError
from softagent.sip.info import InfoKeys
from softagent.sip.line import Line
from softagent.sip.outcome import CALL_OVER
from softagent.sip.phone import Call, OnResult, Outcome, Result
from softagent.sip.refer import refer_to
from softagent.sip.session import Session
from softagent.sip.target import target_uri

NO_OTHER_CALL = Result(Outcome.REFUSED, reason="that is no other call of this telephone")
NOT_ANSWERED = Result(Outcome.REFUSED, reason="the other call has not been answered")


class CallActions:
    """Part of a call: each method asks something of the other side and tells its end."""

    line: Line
    session: Session

    def hold(self, on_result: OnResult) -> None:
        self._redirect_sound(Direction.SENDONLY, on_result)

    def resume(self, on_result: OnResult) -> None:
        self._redirect_sound(Direction.SENDRECV, on_result)

    def transfer(self, target: str, on_result: OnResult) -> None:
        with self.line.lock:
            try:
                uri = target_uri(target, self.line.identity.host)
            except MessageError as error:
                self.line.tell(on_result, Result(Outcome.REFUSED, reason=str(error)))
                return
            self._refer(refer_to(uri), on_result)

    def transfer_to(self, consultation: Call, on_result: OnResult) -> None:
        with self.line.lock:
            partner = getattr(consultation, "session", None)
            if not isinstance(partner, Session) or partner is self.session:
                self.line.tell(on_result, NO_OTHER_CALL)
            elif partner.ending is not None:
                self.line.tell(on_result, CALL_OVER)
            elif not partner.is_up:
                self.line.tell(on_result, NOT_ANSWERED)
            else:
                dialog = partner.dialog
                replaces = dialog.call_id, dialog.remote_tag, dialog.local_tag
                self._refer(refer_to(dialog.target, replaces=replaces), on_result, partner)

    def send_info_digits(self, digits: str, on_result: OnResult) -> None:
        with self.line.lock:
            InfoKeys(self.session, digits, functools.partial(self.line.tell, on_result)).start()

    def _redirect_sound(self, direction: Direction, on_result: OnResult) -> None:
        with self.line.lock:
            self.session.reinvite(
                functools.partial(self.session.negotiation.reoffer, direction),
                functools.partial(self.line.tell, on_result),
            )

    def _refer(self, where: str, on_result: OnResult, partner: Session | None = None) -> None:
        tell = functools.partial(self.line.tell, on_result)
        self.session.transfers.refer(where, f"<{self.line.identity}>", tell, partner=partner)
