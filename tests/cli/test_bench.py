"""The options of `softagent bench`."""

from __future__ import annotations

import pytest

from softagent.cli import invoke

USAGE_ERROR = 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pbx", "10.0.0.1"], "needs --dial, --user and --password"),
        (["--pbx", "10.0.0.1:sip"], "neither lab nor HOST nor HOST:PORT"),
        (["--turns", "0"], "0 is not in the range"),
        (["--per-call", "0"], "0 is not in the range"),
        (["--utterances", "/no/such/folder"], "does not exist"),
    ],
)
def test_wrong_options_are_named(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """One sentence each, and the exit code for usage."""
    assert invoke(["bench", "turn", *arguments]) == USAGE_ERROR
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--seconds", "1"], USAGE_ERROR, "1.0 is not in the range"),
        (["--codec", "GSM"], USAGE_ERROR, "'GSM' is not one of"),
        (["--loss", "200"], 78, "loss 200: expected 0 to 99"),
        (["--loss", "50", "--burst", "3"], 78, "burst 3: expected 1 to 2 at 50 % loss"),
    ],
)
def test_a_network_that_cannot_be_is_named(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    """`bench media`: before anything is started."""
    assert invoke(["bench", "media", *arguments]) == code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--calls", "0"], ["--restarts", "-1"]])
def test_a_plan_that_cannot_be_is_named(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """`bench signalling`: before anything is started."""
    assert invoke(["bench", "signalling", *arguments]) == USAGE_ERROR
    assert "is not in the range" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recordings", "/no/such/folder"], "does not exist"),
        (["--half", "both"], "'both' is not one of"),
    ],
)
def test_a_corpus_that_cannot_be_is_named(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert invoke(["bench", "endpointing", *arguments]) == USAGE_ERROR
    assert message in capsys.readouterr().err
