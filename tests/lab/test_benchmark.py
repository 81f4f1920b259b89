"""The benchmark's numbers and the form of its JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from softagent.errors import EngineFailed
from softagent.lab.agent import Usage
from softagent.lab.bench_run import rendered
from softagent.lab.benchmark import CallResult, Measurements, mixed, stages, summary, write_json
from softagent.lab.caller import Conversation
from softagent.lab.outcome import Outcome, Verdict
from softagent.lab.outgoing import CallPhase
from softagent.lab.script import Line
from softagent.lab.sdpwire import MediaAnswer
from softagent.lab.tap import Arrival
from softagent.media.frame import Samples
from softagent.media.stats import StreamStats
from softagent.report import TurnMeasured

SILENCE: Samples = np.zeros(160, np.int16)


def call(*responses_ms: float | None) -> CallResult:
    """A call with these response times (None: unanswered) and a perfectly even stream."""
    arrivals = tuple(
        Arrival(
            number * 20_000_000, payload_type=0, sequence=number, timestamp=160 * number, ssrc=1
        )
        for number in range(100)
    )
    conversation = Conversation(
        recording=Path("call.wav"),
        deliveries=(),
        arrivals=arrivals,
        media=MediaAnswer("127.0.0.1", 26000, "PCMU", 0, None),
        stats=StreamStats(),
        seconds=2.0,
        ended_by=CallPhase.ENDED_BY_CALLER,
        answer_ms=5.0,
    )
    outcomes = tuple(
        Outcome(line, Verdict.UNANSWERED if ms is None else Verdict.ANSWERED, ms, SILENCE)
        for line, ms in enumerate(responses_ms)
    )
    return CallResult(conversation, outcomes)


def measurements() -> Measurements:
    return Measurements(
        models={"language_model": "qwen"},
        planned=6,
        calls=[call(600.0, 800.0, None), call(700.0, 900.0)],
        turns=[
            TurnMeasured("lab", "c", 1, {"paused": 200.0, "heard": 650.0}),
            TurnMeasured("lab", "c", 2, {"paused": 220.0, "heard": 750.0}),
        ],
        usage=Usage(cpu_seconds=12.5, rss_mb=2100.4),
    )


def test_the_json_has_its_keys(tmp_path: Path) -> None:
    """Every key that readers rely on, with its numbers."""
    path = tmp_path / "new" / "bench.json"
    write_json(summary(measurements()), path)
    result = json.loads(path.read_text())
    assert result["response_ms"] == {"n": 4, "p50": 750.0, "p95": 885.0, "max": 900.0}
    assert result["response_by_turn_ms"] == {"1": [600.0, 700.0], "2": [800.0, 900.0]}
    assert result["stages_ms"] == {
        "paused": {"p50": 210.0, "p95": 219.0},
        "heard": {"p50": 700.0, "p95": 745.0},
    }
    assert result["rtp_interval_ms"] == {"p1": 20.0, "p50": 20.0, "p99": 20.0, "max": 20.0}
    assert result["drift_ppm"] == pytest.approx(0, abs=0.01)
    assert (result["cpu_seconds"], result["rss_mb"]) == (12.5, 2100)
    assert result["models"] == {"language_model": "qwen"}
    assert set(result["machine"]) == {"cpu", "cores", "memory_mb", "kernel", "python"}
    assert result["lines"] == {"answered": 4, "early": 0, "unanswered": 1, "unspoken": 1}


def test_an_agent_elsewhere_leaves_unknowns() -> None:
    """Through a real PBX there are no stages and no process to look at: null, said as unknown."""
    elsewhere = measurements()
    elsewhere.turns, elsewhere.usage, elsewhere.models = [], None, {}
    result = summary(elsewhere)
    assert result["stages_ms"] == {}
    assert (result["cpu_seconds"], result["rss_mb"]) == (None, None)
    assert "Agent: unknown s of processor, unknown MB" in rendered(result)


def test_without_any_answer_there_is_no_result() -> None:
    """A percentile of nothing would be a lie."""
    with pytest.raises(EngineFailed, match="answered none"):
        summary(Measurements(models={}, planned=2, calls=[call(None, None)]))


def test_stages_come_in_order_of_time() -> None:
    """Sorted by p50, whatever order the marks had."""
    turn = TurnMeasured("lab", "c", 1, {"first_token": 700.0, "ended": 560.0, "heard": 900.0})
    assert list(stages([turn])) == ["ended", "first_token", "heard"]


def test_voices_take_turns() -> None:
    """Human, synthetic, human, ... and from the beginning when they run out."""
    human = [Line(f"h{number}", SILENCE) for number in range(2)]
    synthetic = [Line(f"s{number}", SILENCE) for number in range(3)]
    texts = [line.text for line in mixed(human, synthetic, 7)]
    assert texts == ["h0", "s0", "h1", "s1", "s2", "h0", "s0"]
