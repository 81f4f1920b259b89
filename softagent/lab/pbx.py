"""LabPbx: a registrar on loopback that telephones register with and that can call them.

telephone -> REGISTER, OPTIONS -> LabPbx
telephone <- INVITE .. BYE     <- LabCall
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from softagent.lab.colleagues import Colleague, Colleagues
from softagent.lab.dialog import ALLOW, Dialled
from softagent.lab.endpoint import SipEndpoint
from softagent.lab.outgoing import CallFailed, LabCall
from softagent.lab.registrar import Registrar
from softagent.lab.sipwire import Address, Request

HANG_UP_SECONDS = 1.0
NOBODY: Mapping[str, Colleague] = {}


class LabPbx:
    """A small PBX: digest-authenticated registrations, OPTIONS, outgoing calls, transfers to colleagues.

    Any thread may call the public methods; requests are handled on the endpoint's receive thread.
    """

    def __init__(
        self,
        users: Mapping[str, str],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        grant_seconds: int = 120,
        colleagues: Mapping[str, Colleague] = NOBODY,
    ) -> None:
        """`users`: name -> password. `grant_seconds`: longest registration. Raises PortInUse.

        `colleagues`: extension -> what happens when the agent transfers to it or calls it.
        """
        self._endpoint = SipEndpoint(host, port, on_request=self._handle, name="lab-pbx")
        self.colleagues = Colleagues(self._endpoint, colleagues)
        self._changed = threading.Condition()
        """Guards the two below; waiters are told of each REGISTER."""
        self._registrar = Registrar(users, grant_seconds=grant_seconds)
        self._calls: dict[str, LabCall] = {}

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._endpoint.address

    def start(self) -> None:
        self._endpoint.start()

    def stop(self) -> None:
        """End every call and close the socket."""
        with self._changed:
            calls = [call for call in self._calls.values() if not call.is_over]
        for call in calls:
            call.hang_up()
            call.wait_ended(HANG_UP_SECONDS)
        self.colleagues.stop()
        self._endpoint.stop()

    def is_registered(self, user: str) -> bool:
        return self.wait_registered(user, 0.0)

    def wait_registered(self, user: str, timeout_seconds: float) -> bool:
        """Wait until `user` has registered; False when it hasn't by then."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._registrar.find(user, now=time.monotonic()) is not None,
                timeout_seconds,
            )

    def call(
        self,
        user: str,
        *,
        media: Address,
        codecs: Sequence[str] = ("PCMU", "PCMA"),
        caller: str = "200",
        caller_name: str = "Lab caller",
    ) -> LabCall:
        """Ring a registered user; audio is taken at `media`. Raises CallFailed when it isn't registered."""
        host, port = self._endpoint.address
        with self._changed:
            binding = self._registrar.find(user, now=time.monotonic())
            if binding is None:
                raise CallFailed(404, f"{user} is not registered")
            dialled = Dialled(
                uri=binding.contact,
                address=binding.source,
                from_uri=f"sip:{caller}@{host}:{port}",
                from_name=caller_name,
            )
            call = LabCall(self._endpoint, dialled, media=media, codecs=codecs)
            call.on_refer = self.colleagues.refer
            self._calls = {name: old for name, old in self._calls.items() if not old.is_over}
            self._calls[call.call_id] = call
        call.invite()
        return call

    def _handle(self, request: Request, source: Address) -> None:
        with self._changed:
            call = self._calls.get(request.headers.first("Call-ID"))
        if call is not None:
            call.handle(request, source)
            return
        if self.colleagues.handle(request, source):
            return
        match request.method:
            case "REGISTER":
                self._register(request, source)
            case "OPTIONS":
                self._endpoint.respond(
                    request, source, 200, "OK", fields=(("Allow", ALLOW),), tag="lab"
                )
            case "ACK":
                pass
            case "BYE" | "CANCEL" | "INFO" | "UPDATE":
                self._endpoint.respond(request, source, 481, "Call/Transaction Does Not Exist")
            case _:
                self._endpoint.respond(request, source, 501, "Not Implemented", tag="lab")

    def _register(self, request: Request, source: Address) -> None:
        with self._changed:
            verdict = self._registrar.register(request, source, now=time.monotonic())
            self._changed.notify_all()
        self._endpoint.respond(
            request, source, verdict.status, verdict.reason, fields=verdict.fields, tag="lab"
        )
