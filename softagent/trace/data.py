"""An analysis for machines: what `softagent trace --json` prints. Pure."""

from __future__ import annotations

from dataclasses import asdict

from softagent.sip.message import Request, Response
from softagent.trace.analysis import Analysis, Stream, TracedCall
from softagent.trace.ladder import address_text
from softagent.trace.signalling import SipCall, SipEvent

Json = dict[str, object]


def as_json(found: Analysis, *, only: str = "") -> Json:
    """Times in seconds since the file's first packet, unless their names say otherwise."""
    start_ns = found.started_ns
    calls = [call for call in found.calls if call.sip.call_id.startswith(only)]
    return {
        "file": str(found.path),
        "started": start_ns / 1e9,
        "seconds": round((found.ended_ns - start_ns) / 1e9, 6),
        "packets": found.packets,
        "notes": found.notes,
        "calls": [_call(call, start_ns) for call in calls],
        "others": [
            _dialog(call, start_ns) for call in found.others if call.call_id.startswith(only)
        ],
        "streams": [] if only else [_stream(stream, start_ns) for stream in found.streams],
    }


def _call(call: TracedCall, start_ns: int) -> Json:
    streams = [_stream(stream, start_ns) for stream in call.streams]
    unheard = [address_text(address) for address in call.unheard]
    return {**_dialog(call.sip, start_ns), "streams": streams, "unheard": unheard}


def _dialog(call: SipCall, start_ns: int) -> Json:
    sender, receiver = call.parties
    return {
        "call_id": call.call_id,
        "from": sender,
        "to": receiver,
        "outcome": call.outcome,
        "messages": [_message(event, start_ns) for event in call.events],
    }


def _message(event: SipEvent, start_ns: int) -> Json:
    message = event.message
    return {
        "at": _seconds(event.at_ns, start_ns),
        "source": address_text(event.source),
        "destination": address_text(event.destination),
        "method": message.method if isinstance(message, Request) else None,
        "status": message.status if isinstance(message, Response) else None,
        "title": event.title,
        "cseq": message.headers.first("CSeq") if message else None,
        "is_retransmission": event.is_again,
        "problem": event.problem,
        "notes": event.notes,
        "media": [
            {
                "kind": media.kind,
                "host": media.host,
                "port": media.port,
                "protocol": media.protocol,
                "direction": media.direction,
                "formats": {str(number): name for number, (name, _) in media.formats.items()},
            }
            for media in event.media
        ],
    }


def _stream(stream: Stream, start_ns: int) -> Json:
    heard, numbers = stream.reception, asdict(stream.figures)
    trips = heard.round_trips_ms if heard else []
    return {
        "source": address_text(stream.source),
        "destination": address_text(stream.destination),
        "ssrc": stream.ssrc,
        "is_changed_source": stream.is_changed_source,
        "codec": stream.codec,
        "is_encrypted": stream.is_encrypted,
        "started_at": _seconds(stream.started_ns, start_ns),
        **numbers,
        "lost_pct": stream.figures.lost_pct,
        "noise_packets": stream.noise_packets,
        "keys": [
            {
                "digit": event.digit,
                "at": _seconds(event.at_ns, start_ns),
                "duration_ms": 1000 * event.duration / stream.clock_hz,
                "is_ended": event.is_ended,
            }
            for event in stream.events
        ],
        "rtcp": heard
        and {
            "reports": heard.reports,
            "lost": heard.lost,
            "max_lost_pct": heard.max_lost_pct,
            "jitter_ms": 1000 * heard.jitter / stream.clock_hz,
            "round_trip_ms": sum(trips) / len(trips) if trips else None,
        },
    }


def _seconds(at_ns: int, start_ns: int) -> float:
    return round((at_ns - start_ns) / 1e9, 6)
