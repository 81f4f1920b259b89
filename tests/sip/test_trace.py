"""A telephone whose wire is traced: what is in the files afterwards."""

from __future__ import annotations

from pathlib import Path

from conftest import Handset, answered
from peer import Peer

from softagent.capture.pcap import Capture
from softagent.capture.tracer import Tracer
from softagent.sip.message import Request, parse


def lines(path: Path) -> list[str]:
    """Method or status of each message in a file, in the order of sending and receiving."""
    messages = [parse(frame.data[28:]) for frame in Capture(path)]
    return [
        message.method if isinstance(message, Request) else str(message.status)
        for message in messages
    ]


def test_a_call_and_the_registration_are_in_files_of_their_own(peer: Peer, tmp_path: Path) -> None:
    """Both directions, from the INVITE to the BYE."""
    handset, tracer = Handset(peer), Tracer("reception", tmp_path)
    handset.phone.observe(tracer.signalling)
    tracer.start()
    handset.start()
    peer.register()
    call, tag = answered(peer, handset)
    peer.ask("BYE", to_tag=tag, sequence=2)
    handset.end()
    handset.phone.stop(timeout_seconds=0.0)
    tracer.stop()
    others, of_call = sorted(tmp_path.iterdir(), key=lambda path: "signalling" not in path.name)
    assert call.call_id[:8] in of_call.name
    told = lines(of_call)
    assert [told[0], told[-2]] == ["INVITE", "BYE"]
    assert {"180", "200", "ACK"} <= set(told)
    assert lines(others)[:2] == ["REGISTER", "200"]
