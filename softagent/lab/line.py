"""LabLine: a caller's own telephone at somebody else's PBX, to dial an extension there."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from softagent.errors import RegistrarUnreachable
from softagent.lab.dialog import ALLOW, Dialled
from softagent.lab.endpoint import SipEndpoint
from softagent.lab.outgoing import LabCall
from softagent.lab.sipwire import Address, Request


class LabLine:
    """Dials through a real PBX as one of its users, who needs no registration for that.

    The PBX must know the user and accept PCMU or PCMA over UDP. One call at a time.
    """

    def __init__(self, pbx: Address, *, user: str, password: str) -> None:
        self._pbx = pbx
        self._user = user
        self._password = password
        self.host = _local_address(pbx)
        self._endpoint = SipEndpoint(self.host, 0, on_request=self._handle, name="lab-line")
        self.address = self._endpoint.address
        """Where it listens."""
        self._call: LabCall | None = None

    def start(self) -> None:
        self._endpoint.start()

    def stop(self) -> None:
        """Hang up and close the socket."""
        if self._call is not None:
            self._call.hang_up()
        self._endpoint.stop()

    def call(
        self, extension: str, *, media: Address, codecs: Sequence[str] = ("PCMU", "PCMA")
    ) -> LabCall:
        """Dial `extension`; audio is taken at `media`."""
        host, port = self._pbx
        dialled = Dialled(
            uri=f"sip:{extension}@{host}:{port}",
            address=self._pbx,
            from_uri=f"sip:{self._user}@{host}",
            from_name="Benchmark",
            user=self._user,
            password=self._password,
        )
        self._call = LabCall(self._endpoint, dialled, media=media, codecs=codecs)
        self._call.invite()
        return self._call

    def _handle(self, request: Request, source: Address) -> None:
        call = self._call
        if call is not None and request.headers.first("Call-ID") == call.call_id:
            call.handle(request, source)
        elif request.method == "OPTIONS":
            self._endpoint.respond(
                request, source, 200, "OK", fields=(("Allow", ALLOW),), tag="lab"
            )
        elif request.method != "ACK":
            self._endpoint.respond(request, source, 481, "Call/Transaction Does Not Exist")


def _local_address(remote: Address) -> str:
    """Our address on the route to `remote`. Raises RegistrarUnreachable. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(remote)
        except OSError as error:
            raise RegistrarUnreachable(
                f"there is no way to the PBX at {remote[0]}:{remote[1]}: {error}"
            ) from error
        host: str = probe.getsockname()[0]
        return host
