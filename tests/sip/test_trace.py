"""A telephone whose wire is traced: what is in the files afterwards."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from conftest import Handset, answered
from peer import Peer
from stream_peer import StreamPeer

from softagent.capture.pcap import Capture
from softagent.capture.tracer import Tracer
from softagent.config import TlsSettings
from softagent.sip.message import Request, parse


def lines(path: Path) -> list[str]:
    """Method or status of each message in a file, in the order of sending and receiving."""
    messages = [parse(frame.data[28:]) for frame in Capture(path)]
    return [
        message.method if isinstance(message, Request) else str(message.status)
        for message in messages
    ]


@pytest.fixture(params=["UDP", "TCP", "TLS"])
def pbx(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Peer, TlsSettings]]:
    """A PBX on each transport, and what the telephone has to know of its certificate."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    match request.param:
        case "UDP":
            peer = Peer()
        case "TCP":
            peer = StreamPeer()
        case _:
            peer = StreamPeer(context=context)
    yield peer, TlsSettings(ca_file=tmp_path / "ca.pem")
    peer.close()


def test_a_call_and_the_registration_are_in_files_of_their_own(
    pbx: tuple[Peer, TlsSettings], tmp_path: Path
) -> None:
    """Both directions, from the INVITE to the BYE; over TCP and TLS as whole messages in clear."""
    peer, tls = pbx
    handset = Handset(peer, transport=peer.transport.lower(), tls=tls)
    folder = tmp_path / "traces"
    tracer = Tracer("reception", folder)
    handset.phone.observe(tracer.signalling)
    tracer.start()
    handset.start()
    peer.register()
    call, tag = answered(peer, handset)
    peer.ask("BYE", to_tag=tag, sequence=2)
    handset.end()
    handset.phone.stop(timeout_seconds=0.0)
    tracer.stop()
    others, of_call = sorted(folder.iterdir(), key=lambda path: "signalling" not in path.name)
    assert call.call_id[:8] in of_call.name
    told = lines(of_call)
    assert [told[0], told[-2]] == ["INVITE", "BYE"]
    assert {"180", "200", "ACK"} <= set(told)
    assert lines(others)[:2] == ["REGISTER", "200"]
