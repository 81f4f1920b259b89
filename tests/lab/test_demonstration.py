"""The demonstration and the benchmark, for real: engines, SIP, RTP, in real time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from softagent.errors import EngineFailed, ModelMissing
from softagent.lab.agent import AgentFailed
from softagent.lab.bench_run import run_benchmark
from softagent.lab.demonstration import RECORDING, run_demo, staffed_office
from softagent.lab.sound import load_channels


@pytest.mark.engine
def test_three_questions_are_answered_on_the_telephone(tmp_path: Path) -> None:
    """The whole conversation; a fact that wasn't said or can't be heard would raise DemoFailed."""
    shown: list[str] = []
    run_demo(model="", directory=tmp_path, echo=lambda line, _is_dim: shown.append(line))
    text = "\n".join(shown)
    assert "  caller  What time do you open on Monday?" in text
    assert text.count("\n  ms ") >= 3
    assert "ended-by-agent" in text
    channels, rate_hz = load_channels(tmp_path / RECORDING)
    assert (len(channels), rate_hz) == (2, 8000)


@pytest.mark.engine
def test_a_short_benchmark_measures_everything(tmp_path: Path) -> None:
    """Three turns: every number is there and possible."""
    path = tmp_path / "bench.json"
    run_benchmark(
        turns=3,
        per_call=6,
        target=None,
        model="qwen2.5-coder-0.5b",
        utterances=None,
        directory=tmp_path,
        json_path=path,
        echo=lambda _line, _is_dim: None,
    )
    result = json.loads(path.read_text())
    assert result["response_ms"]["n"] == 3
    assert set(result["stages_ms"]) >= {"paused", "transcribed", "first_token", "heard"}
    assert result["rtp_interval_ms"]["p50"] == pytest.approx(20, abs=1)
    assert result["cpu_seconds"] > 0
    assert result["rss_mb"] > 500


def test_a_missing_model_is_named_before_anything_starts(tmp_path: Path) -> None:
    """No process, no log: ModelMissing at once."""
    log = tmp_path / "agent.log"
    with (
        pytest.raises(ModelMissing, match="no-such-model"),
        staffed_office(model="no-such-model", log=log, on_report=lambda _: None),
    ):
        pass
    assert not log.exists()


@pytest.mark.engine
def test_an_agent_that_cannot_start_says_why(tmp_path: Path) -> None:
    """A broken model: the worker's own exit code, and its last words."""
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"no model")
    with (
        pytest.raises(AgentFailed, match=r"broken\.gguf") as failure,
        staffed_office(model=str(broken), log=tmp_path / "agent.log", on_report=lambda _: None),
    ):
        pass
    assert failure.value.exit_code == EngineFailed.exit_code
