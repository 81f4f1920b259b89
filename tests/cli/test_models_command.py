"""`softagent models`, as typed: output and exit codes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from softagent.cli import invoke
from softagent.cli.models import PullDisplay
from softagent.models.catalogue import load_catalogue
from softagent.models.progress import BytesReceived, ModelPulled, SourceRefused


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOFTAGENT_MODELS", str(tmp_path))
    return tmp_path


@pytest.fixture
def damaged(directory: Path) -> Path:
    """A voice activity model of the right size, all zeros."""
    model = load_catalogue().find("silero-vad")
    assert model is not None
    path = directory / model.id / model.main
    path.parent.mkdir()
    path.write_bytes(bytes(model.size))
    return path


def test_list_shows_what_is_here(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["models", "list"]) == 0
    lines = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()}
    assert lines["silero-vad"][:5] == ["here", "2.3", "MB", "silero", "MIT"]
    assert lines["qwen2.5-coder-1.5b"][:5] == ["-", "1117.3", "MB", "llama", "Apache-2.0"]


def test_path_is_all_that_is_printed(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["models", "path", "silero-vad"]) == 0
    assert capsys.readouterr().out == f"{damaged}\n"


def test_a_missing_model_is_exit_code_69(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["models", "path", "hibari-heart"]) == 69
    assert 'run "softagent models pull hibari-heart"' in capsys.readouterr().err


def test_an_unknown_model_is_answered_with_a_suggestion(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["models", "pull", "whisper-tiny"]) == 69
    assert 'did you mean "whisper-tiny.en"?' in capsys.readouterr().err


def test_a_wrong_checksum_is_exit_code_74(
    damaged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["models", "verify"]) == 74
    message = capsys.readouterr().err
    assert hashlib.sha256(damaged.read_bytes()).hexdigest() in message
    assert "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3" in message


@pytest.mark.engine
@pytest.mark.parametrize("model_id", ["silero-vad", "hibari-heart"])
def test_the_models_on_this_machine_are_right(
    model_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["models", "verify", model_id]) == 0
    assert capsys.readouterr().out == f"{model_id}: right\n"


def test_a_terminal_sees_one_moving_line(capsys: pytest.CaptureFixture[str]) -> None:
    display = PullDisplay(is_terminal=True)
    display.show(BytesReceived("tiny", "somewhere", 0, 4_000_000))
    display.show(BytesReceived("tiny", "somewhere", 1_000_000, 4_000_000))
    display.show(ModelPulled("tiny", is_new=True))
    shown = capsys.readouterr().err
    assert shown.count("\r") == 2
    assert "tiny [######                  ]  25% of 4.0 MB" in shown
    assert shown.endswith("\ntiny: here, checked\n")


def test_a_log_sees_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    display = PullDisplay(is_terminal=False)
    for megabytes in range(4):
        display.show(BytesReceived("tiny", "somewhere", megabytes * 1_000_000, 4_000_000))
    display.show(SourceRefused("tiny", "somewhere", "unreachable"))
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 2
    assert shown[1] == "tiny: somewhere: unreachable"
