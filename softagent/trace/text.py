"""An analysis for people: the calls one after the other, each with its ladder and its streams. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import datetime

from softagent.trace.analysis import Analysis, Stream, TracedCall
from softagent.trace.ladder import Line, Pen, Sound, address_text, ladder
from softagent.trace.signalling import SipCall, printable

MOST_LADDERS = 5
"""With more calls in a file they are only listed."""
MOST_ROWS = 200


def rendered(found: Analysis, *, width: int, pen: Pen, only: str = "") -> Iterator[Line]:
    """All lines. `only`: dialogs whose Call-ID begins like that, in full however many there are."""
    calls = [call for call in found.calls if call.sip.call_id.startswith(only)]
    others = [call for call in found.others if call.call_id.startswith(only)]
    yield Line(_headline(found), "head")
    for note in found.notes:
        yield from _wrapped(f"Note: {note}", width, "note")
    if only or len(calls) <= MOST_LADDERS:
        for call in calls:
            yield Line("")
            yield from _call(call, width, pen)
    else:
        yield from _listed("calls", [call.sip for call in calls], width)
    if only or (not calls and len(others) <= MOST_LADDERS):
        for other in others:
            yield Line("")
            yield from _wrapped(_title(other), width, "head")
            yield from ladder(other, width=width, pen=pen)
    elif others:
        yield from _listed("dialogs without a call", others, width)
    if found.streams and not only:
        yield Line("")
        yield Line("RTP that no call's SDP announces", "head")
        for stream in found.streams:
            yield from _stream(stream, found.started_ns, width)


def _headline(found: Analysis) -> str:
    seconds = (found.ended_ns - found.started_ns) / 1e9
    began = _moment(found.started_ns)
    return f"{found.path.name}: {found.packets} packets in {seconds:.1f} s from {began}"


def _moment(at_ns: int) -> str:
    try:
        return datetime.fromtimestamp(at_ns / 1e9).isoformat(" ", timespec="milliseconds")
    except (OverflowError, ValueError, OSError):
        return "an impossible time"


def _listed(what: str, dialogs: list[SipCall], width: int) -> Iterator[Line]:
    yield Line("")
    yield Line(
        f"{len(dialogs)} {what}; see one with --call and the beginning of its Call-ID", "head"
    )
    for dialog in dialogs[:MOST_ROWS]:
        yield Line(_row(dialog)[:width])
    if len(dialogs) > MOST_ROWS:
        yield Line(f"... and {len(dialogs) - MOST_ROWS} more", "note")


def _row(call: SipCall) -> str:
    sender, receiver = call.parties
    began = _moment(call.events[0].at_ns)[11:23]
    what = "" if call.is_call else f"{' '.join(call.methods)} "
    return printable(f"{began} {what}{sender} > {receiver}: {call.outcome}  {call.call_id}")


def _title(call: SipCall) -> str:
    sender, receiver = call.parties
    if not call.call_id:
        return "Messages that can't be read"
    what = "Call" if call.is_call else " ".join(call.methods)
    return printable(f"{what} {sender} > {receiver}: {call.outcome}, Call-ID {call.call_id}")


def _call(call: TracedCall, width: int, pen: Pen) -> Iterator[Line]:
    yield from _wrapped(_title(call.sip), width, "head")
    yield from ladder(call.sip, width=width, pen=pen, sounds=_sounds(call))
    for stream in call.streams:
        yield from _stream(stream, call.sip.events[0].at_ns, width)
    if call.unheard:
        yield Line("")
    for address in call.unheard:
        text = f"No RTP was sent to {address_text(address)}, where its SDP wants it"
        yield from _wrapped(text, width, "bad")


def _sounds(call: TracedCall) -> list[Sound]:
    """The call's streams, as far as both their ends were announced by SDP."""
    homes = {media.address: event.source for event in call.sip.events for media in event.media}
    return [
        Sound(
            stream.started_ns,
            homes[stream.source],
            homes[stream.destination],
            f"{'SRTP' if stream.is_encrypted else 'RTP'} {printable(stream.codec)}, "
            f"{stream.figures.packets} packets",
        )
        for stream in call.streams
        if stream.source in homes and stream.destination in homes
    ]


def _stream(stream: Stream, start_ns: int, width: int) -> Iterator[Line]:
    """A headline, then what was good or bad, then what else was in it."""
    figures = stream.figures
    began = (stream.started_ns - start_ns) / 1e9
    ways = f"{address_text(stream.source)} > {address_text(stream.destination)}"
    yield Line("")
    yield Line(
        f"{'SRTP' if stream.is_encrypted else 'RTP'} {printable(stream.codec)} {ways}", "head"
    )
    is_bad = bool(figures.lost or figures.late or figures.timestamp_jumps or figures.restarts)
    for text in _sentences(stream, began):
        kind = "bad" if is_bad and text.startswith("lost") else "note"
        yield from _wrapped(text, width, kind, indent="  ")


def _sentences(stream: Stream, began: float) -> Iterator[str]:
    figures = stream.figures
    yield (
        f"from {began:.3f} s for {figures.seconds:.1f} s: {figures.packets} packets of "
        f"{figures.ptime_ms:g} ms, SSRC {stream.ssrc:08x}"
        + (", which took over from another" if stream.is_changed_source else "")
    )
    yield (
        f"lost {figures.lost} ({figures.lost_pct:.2f} %), late {figures.late}, "
        f"reordered {figures.reordered}, duplicates {figures.duplicates}, "
        f"timestamp jumps {figures.timestamp_jumps}, restarts {figures.restarts}"
    )
    spread = figures.interval_ms
    if spread is not None:
        yield (
            f"interval p50 {spread.p50:.2f} ms, p99 {spread.p99:.2f} ms, max {spread.max:.1f} ms, "
            f"longest gap {figures.max_gap_ms:.1f} ms at {began + figures.max_gap_at:.3f} s, jitter {figures.jitter_ms:.2f} ms, "
            f"at most {figures.max_jitter_ms:.2f} ms"
            + ("" if figures.drift_ppm is None else f", drift {figures.drift_ppm:+.0f} ppm")
        )
    yield f"markers {figures.markers}, pauses {figures.pauses}, comfort noise {stream.noise_packets}"
    if stream.events:
        keys = ", ".join(
            f"{event.digit} {1000 * event.duration / stream.clock_hz:.0f} ms"
            + ("" if event.is_ended else " (no end)")
            for event in stream.events
        )
        yield f"keys {keys}"
    heard = stream.reception
    if heard is not None:
        trips = heard.round_trips_ms
        yield (
            f"its receiver reports (RTCP, {heard.reports}): lost {heard.lost}, at worst "
            f"{heard.max_lost_pct:.1f} %, jitter {1000 * heard.jitter / stream.clock_hz:.1f} ms"
            + (f", round trip {sum(trips) / len(trips):.1f} ms" if trips else "")
        )


def _wrapped(text: str, width: int, kind: str, *, indent: str = "") -> Iterator[Line]:
    for part in textwrap.wrap(
        text, max(40, width), initial_indent=indent, subsequent_indent=f"{indent}  "
    ):
        yield Line(part, kind)
