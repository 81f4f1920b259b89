"""Whole captures: real ones by tcpdump and tshark, our own, and hostile ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiortp import RtpPacket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from softagent.capture.packet import ip_packet
from softagent.capture.pcap import file_header, record
from softagent.errors import CaptureUnreadable
from softagent.trace.analysis import analyse
from softagent.trace.data import as_json
from softagent.trace.ladder import ASCII
from softagent.trace.text import rendered

CAPTURES = Path(__file__).parent / "captures"
MEDIA_CAPTURES = Path(__file__).parents[1] / "media" / "captures"
US, PBX = ("192.168.1.20", 5060), ("192.168.1.10", 5060)


@pytest.mark.parametrize("name", ["asterisk-echo-udp.pcap", "asterisk-echo-tcp-any.pcap"])
def test_a_call_that_tcpdump_saw(name: str) -> None:
    """Over UDP on Ethernet and over TCP on "any": signalling, both streams, the key, RTCP."""
    found = analyse(CAPTURES / name)
    assert found.notes == []
    (call,) = found.calls
    titles = [event.title.partition(" #")[0] for event in call.sip.events]
    assert titles == [
        *("INVITE", "401 Unauthorized", "ACK", "INVITE", "100 Trying", "200 OK", "ACK"),
        *("BYE", "200 OK"),
    ]
    assert call.sip.outcome == "ended"
    assert [stream.codec for stream in call.streams] == ["PCMU", "PCMU"]
    for stream in call.streams:
        assert [(event.digit, event.is_ended) for event in stream.events] == [("4", True)]
        numbers = stream.figures
        assert (numbers.lost, numbers.duplicates, numbers.reordered) == (0, 0, 0)
        assert numbers.ptime_ms == 20
    assert sum(stream.reception is not None for stream in call.streams) == 1
    assert (found.streams, call.unheard) == ([], [])
    methods = sorted(call.methods[0] for call in found.others)
    assert methods == ["OPTIONS"] * 4 + ["REGISTER"]


def test_the_figures_are_those_of_wireshark() -> None:
    """`tshark -q -z rtp,streams` on the same file: packets and longest delta; times of its sound."""
    (call,) = analyse(CAPTURES / "asterisk-echo-udp.pcap").calls
    by_ssrc = {stream.ssrc: stream.figures for stream in call.streams}
    assert by_ssrc[0x78DBF404].packets == 51
    assert by_ssrc[0x78DBF404].max_gap_ms == pytest.approx(59.626, abs=0.001)
    assert by_ssrc[0x04635CAC].packets == 49
    assert by_ssrc[0x04635CAC].max_gap_ms == pytest.approx(22.723, abs=0.001)


def test_a_pcapng_by_tshark() -> None:
    """The registration, twice with a challenge."""
    found = analyse(CAPTURES / "asterisk-register.pcapng")
    (registration,) = found.others
    titles = [event.title.partition(" #")[0] for event in registration.events]
    assert titles[:4] == ["REGISTER", "401 Unauthorized", "REGISTER", "200 OK"]
    assert registration.events[2].notes[0] == "credentials (Digest MD5)"


def test_rtp_without_signalling_is_found() -> None:
    """By what it looks like, with its keys."""
    found = analyse(MEDIA_CAPTURES / "pjsua2-pcmu-digits-12.pcap")
    (stream,) = found.streams
    assert (stream.codec, stream.figures.packets) == ("PCMU", 110)
    assert [event.digit for event in stream.events] == ["1", "2"]


def capture(path: Path, *packets: tuple[bytes, tuple[str, int], tuple[str, int]]) -> Path:
    """A file with these datagrams, one every 20 ms."""
    records = [
        record(ip_packet(*packet), 1_800_000_000 + n * 0.02) for n, packet in enumerate(packets)
    ]
    path.write_bytes(file_header() + b"".join(records))
    return path


def rtp(count: int, *, ssrc: int, payload_type: int = 0) -> list[bytes]:
    return [
        RtpPacket(payload_type, 0, n, n * 160, ssrc, b"\xff" * 160).serialize()
        for n in range(count)
    ]


def invite(media: str) -> bytes:
    """An INVITE from the PBX with this description, its address 192.168.1.10."""
    body = f"v=0\r\nc=IN IP4 192.168.1.10\r\n{media}".encode()
    head = (
        "INVITE sip:100@office SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.10;branch=z9hG4bK1\r\n"
        "From: <sip:anna@office>;tag=1\r\nTo: <sip:100@office>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def test_a_second_source_on_the_same_way_is_said(tmp_path: Path) -> None:
    """After a transfer on the PBX."""
    ways = ("192.168.1.10", 4000), ("192.168.1.20", 5000)
    packets = [(data, *ways) for ssrc in (1, 2) for data in rtp(20, ssrc=ssrc)]
    file = capture(tmp_path / "a.pcap", (invite("m=audio 4000 RTP/AVP 0\r\n"), PBX, US), *packets)
    (call,) = analyse(file).calls
    assert [stream.is_changed_source for stream in call.streams] == [False, True]


CRYPTO = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n"


@pytest.mark.parametrize(
    ("profile", "keys", "is_encrypted"),
    [("RTP/SAVP", CRYPTO, True), ("RTP/AVP", CRYPTO, True), ("RTP/AVP", "", False)],
)
def test_encrypted_streams_are_measured_but_not_read(
    tmp_path: Path, profile: str, keys: str, is_encrypted: bool
) -> None:
    """Headers of SRTP are in clear, what would be keys are not; plain RTP with keys from both is SRTP."""
    media = f"m=audio 4000 {profile} 0 101\r\na=rtpmap:101 telephone-event/8000\r\n{keys}"
    pressed = [RtpPacket(101, 0, 30 + n, 9000, 1, b"\x01\x8a\0\xa0").serialize() for n in range(3)]
    ways = ("192.168.1.20", 5000), ("192.168.1.10", 4000)
    packets = [(data, *ways) for data in (*rtp(30, ssrc=1), *pressed)]
    (call,) = analyse(capture(tmp_path / "a.pcap", (invite(media), PBX, US), *packets)).calls
    (stream,) = call.streams
    assert (stream.is_encrypted, stream.figures.packets) == (is_encrypted, 33)
    assert [event.digit for event in stream.events] == ([] if is_encrypted else ["1"])


def test_comfort_noise_is_counted(tmp_path: Path) -> None:
    """RFC 3389, payload type 13."""
    ways = ("192.168.1.20", 5000), ("192.168.1.10", 4000)
    noise = [RtpPacket(13, 0, 20 + n, 3200 + n * 160, 1, b"\x40").serialize() for n in range(2)]
    packets = [(data, *ways) for data in (*rtp(20, ssrc=1), *noise)]
    file = capture(
        tmp_path / "a.pcap", (invite("m=audio 4000 RTP/AVP 0 13\r\n"), PBX, US), *packets
    )
    (stream,) = analyse(file).calls[0].streams
    assert (stream.codec, stream.noise_packets) == ("PCMU", 2)


def test_one_way_sound_is_said(tmp_path: Path) -> None:
    """The commonest complaint: one side's SDP asks for sound and nothing goes there."""
    wanted = "m=audio 4000 RTP/AVP 0\r\n"
    answer = invite("m=audio 5000 RTP/AVP 0\r\n").replace(b"192.168.1.10", b"192.168.1.20")
    ok = answer.replace(b"INVITE sip:100@office SIP/2.0", b"SIP/2.0 200 OK", 1)
    stream = [(data, ("192.168.1.10", 4000), ("192.168.1.20", 5000)) for data in rtp(20, ssrc=1)]
    file = capture(tmp_path / "a.pcap", (invite(wanted), PBX, US), (ok, US, PBX), *stream)
    found = analyse(file)
    assert found.calls[0].unheard == [("192.168.1.10", 4000)]
    text = [line.text for line in rendered(found, width=80, pen=ASCII)]
    assert text[-1] == "No RTP was sent to 192.168.1.10:4000, where its SDP wants it"
    held = invite(wanted + "a=inactive\r\n").replace(b"CSeq: 1", b"CSeq: 2")
    file = capture(
        tmp_path / "b.pcap", (invite(wanted), PBX, US), (ok, US, PBX), (held, PBX, US), *stream
    )
    assert analyse(file).calls[0].unheard == []


def test_other_traffic_is_left_out_and_counted(tmp_path: Path) -> None:
    """DNS, a few packets that might be RTP, ICMP; keep-alives are nothing."""
    dns = b"\x12\x34\x01\0" + bytes(20)
    some = [(data, ("10.0.0.1", 1), ("10.0.0.2", 2)) for data in rtp(4, ssrc=5)]
    file = capture(tmp_path / "a.pcap", (dns, US, PBX), (b"\r\n\r\n", US, PBX), *some)
    found = analyse(file)
    assert (found.calls, found.streams) == ([], [])
    assert found.notes == ["5 UDP packets that are neither SIP nor RTP left out"]


def test_an_unknown_link_layer_is_one_line(tmp_path: Path) -> None:
    """USB, Bluetooth and their like."""
    head = bytearray(file_header())
    head[20] = 220
    (tmp_path / "usb.pcap").write_bytes(bytes(head) + record(bytes(40), 1.0))
    with pytest.raises(CaptureUnreadable, match=r"usb.pcap: its link type \(220\) can't be read"):
        analyse(tmp_path / "usb.pcap")


@given(st.data())
@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)
def test_a_damaged_capture_is_survived(tmp_path: Path, data: st.DataObject) -> None:
    """Bytes of a real one changed anywhere: it is read, drawn and told as data, or refused."""
    name = data.draw(st.sampled_from(["asterisk-echo-udp.pcap", "asterisk-register.pcapng"]))
    content = bytearray((CAPTURES / name).read_bytes()[: data.draw(st.integers(2000, 9000))])
    for _ in range(data.draw(st.integers(1, 30))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path / "damaged"
    file.write_bytes(bytes(content))
    try:
        found = analyse(file)
    except CaptureUnreadable:
        return
    as_json(found)
    for line in rendered(found, width=80, pen=ASCII):
        assert line.text.isprintable()
