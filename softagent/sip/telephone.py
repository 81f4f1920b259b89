"""What a telephone can be asked, whatever makes its call objects: see the protocol Phone."""

from __future__ import annotations

import functools
import logging
from typing import Protocol

from softagent.capture.observe import Observe
from softagent.config import Account
from softagent.sip.address import Uri
from softagent.sip.impossible import CallNotPossible, ImpossibleCall, destination
from softagent.sip.line import Line
from softagent.sip.message import Request
from softagent.sip.phone import RING_SECONDS, OnResult, OutgoingCall, Registration
from softagent.sip.ports import RtpPorts
from softagent.sip.session import Session
from softagent.sip.switchboard import Switchboard

log = logging.getLogger("softagent.sip")


class PlacedCall(OutgoingCall, Protocol):
    """A call object for a session of ours."""

    session: Session


class Telephone:
    """One account's line with its switchboard and its RTP ports. Any thread may call the methods."""

    account: Account
    line: Line
    switchboard: Switchboard
    ports: RtpPorts
    """Guarded by the line's lock."""

    @property
    def registration(self) -> Registration:
        """Where the registration stands."""
        return self.line.registration

    @property
    def is_alive(self) -> bool:
        return self.line.endpoint.is_alive

    @property
    def local_port(self) -> int:
        """The SIP port in use, once started."""
        return self.line.endpoint.local_port

    def observe(self, observe: Observe) -> None:
        """Have `observe` see every message on the wire, for a trace. Before `start`."""
        self.line.endpoint.observe = observe

    def drain(self) -> None:
        """Let calls go on, but take no new one: 503 with Retry-After, so that the PBX asks another telephone."""
        with self.line.lock:
            self.switchboard.is_draining = True

    def end_calls(self) -> None:
        """End every call, now."""
        with self.line.lock:
            for session in self.switchboard.sessions:
                session.hang_up(at_once=True)

    def has_dialog(self, request: Request) -> bool:
        """Whether a request belongs to a call. Raises MessageError when its tags can't be read."""
        return self.switchboard.session_of(request) is not None

    def call(
        self, target: str, on_result: OnResult, *, ring_seconds: float = RING_SECONDS
    ) -> OutgoingCall:
        """See Phone."""
        with self.line.lock:
            try:
                call = self._try(target, functools.partial(self.line.tell, on_result), ring_seconds)
            except CallNotPossible as problem:
                impossible = "account=%s event=call-impossible to=%r reason=%r"
                log.warning(impossible, self.account.name, target, problem.result.reason)
                self.line.tell(on_result, problem.result)
                return ImpossibleCall(target)
            dialling = "account=%s call=%s event=call-dialling to=%r"
            log.debug(dialling, self.account.name, call.call_id, target)
            self.switchboard.connect(call.session)
            return call

    def place(
        self, target: Uri, on_result: OnResult, *, local_port: int, ring_seconds: float
    ) -> PlacedCall:
        """Dial at once. Raises CallNotPossible when there is no way to the PBX."""
        raise NotImplementedError

    def _try(self, target: str, on_result: OnResult, ring_seconds: float) -> PlacedCall:
        if self.line.endpoint.is_closed:  # nobody would ever tell what became of it
            raise CallNotPossible("the telephone is switched off")
        uri = destination(target, self.line.identity.host)
        self.switchboard.admit_ours()
        port = self.ports.reserve(self.account.local_address)
        if port is None:
            raise CallNotPossible(f"every RTP port of {self.account.rtp_ports} is taken")
        try:
            return self.place(uri, on_result, local_port=port, ring_seconds=ring_seconds)
        except CallNotPossible:
            self.ports.release(port)
            raise
