"""What the media benchmark measured, as data and as a table."""

from __future__ import annotations

from dataclasses import asdict

from softagent.errors import EngineFailed
from softagent.lab.benchmark import Json
from softagent.lab.display import table
from softagent.lab.machine import describe_machine
from softagent.lab.media_bench import MediaConditions, MediaMeasurements
from softagent.lab.pacing import drift_ppm, intervals_ms, sound_only
from softagent.lab.timing import percentile
from softagent.media.codec import codec_named


def summary(conditions: MediaConditions, measured: MediaMeasurements) -> Json:
    """The benchmark's JSON. Raises EngineFailed when hardly anything was sent."""
    codec = codec_named(conditions.codec)
    sound = sound_only(measured.arrivals, codec.payload_type)
    intervals = intervals_ms(sound)
    if not intervals:
        raise EngineFailed("the stream sent nothing: see what it logged above")
    near = measured.near
    expected = near.packets_received + near.lost
    return {
        "interval_ms": {
            "p50": round(percentile(intervals, 50), 3),
            "p99": round(percentile(intervals, 99), 3),
            "max": round(max(intervals), 3),
        },
        "drift_ppm": round(drift_ppm([sound], codec.clock_hz), 2),
        "jitter_buffer_ms": round(near.buffer_mean_ms, 1),
        "concealed_pct": round(100 * near.concealed / max(1, measured.ticks), 2),
        "lost_pct": round(100 * near.lost / max(1, expected), 2),
        "late_pct": round(100 * near.late / max(1, expected), 2),
        "jitter_ms": round(near.jitter_ms, 1),
        "mos": near.listening and round(near.listening.mos, 2),
        "talking_mos": near.talking and round(near.talking.mos, 2),
        "round_trip_ms": near.round_trip_ms and round(near.round_trip_ms, 1),
        "packets": len(sound),
        "seconds": round((sound[-1].at_ns - sound[0].at_ns) / 1e9, 1),
        "codec": codec.name,
        "network": {
            **asdict(conditions.impairment),
            "seed": conditions.seed,
            "really_lost_pct": round(
                100 * measured.lost_to_near / max(1, measured.sent_to_near), 2
            ),
        },
        "load": conditions.load,
        "priority": measured.priority,
        "machine": describe_machine(),
    }


def rendered(result: Json) -> list[str]:
    """The benchmark for people, with what softagent promises beside it."""
    interval, network, machine = (
        _part(result, name) for name in ("interval_ms", "network", "machine")
    )
    rows = [
        ["send interval p50 (ms)", _number(interval["p50"], 2), "20"],
        ["send interval p99 (ms)", _number(interval["p99"], 2), "18 to 22"],
        ["send interval max (ms)", _number(interval["max"], 2), "below 40"],
        ["drift of the clock (ppm)", _number(result["drift_ppm"], 2), "within 100"],
        ["jitter buffer, mean (ms)", _number(result["jitter_buffer_ms"], 1), ""],
        ["jitter received (ms)", _number(result["jitter_ms"], 1), ""],
        ["lost on the way (%)", _number(result["lost_pct"], 2), ""],
        ["came too late (%)", _number(result["late_pct"], 2), ""],
        ["concealed (%)", _number(result["concealed_pct"], 2), ""],
        ["round trip (ms)", _number(result["round_trip_ms"], 1), ""],
        ["MOS as we hear it", _number(result["mos"], 2), ""],
        ["MOS as the far end hears us", _number(result["talking_mos"], 2), ""],
    ]
    asked = {
        name: value
        for name, value in network.items()
        if value and name != "seed" and (name, value) != ("burst", 1.0)
    }
    return [
        "",
        *table([f"{result['packets']} packets of {result['codec']}", "measured", "promised"], rows),
        "",
        f"Network, each way: {_listed(asked) or 'perfect'}; load: {result['load']} processes",
        f"Priority of the media threads: {result['priority']}",
        "Machine: " + _listed(machine),
        "",
    ]


def _part(result: Json, name: str) -> dict[str, object]:
    part = result[name]
    assert isinstance(part, dict)
    return part


def _listed(values: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _number(value: object, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, int | float) else "unknown"
