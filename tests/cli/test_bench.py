"""The options of `softagent bench turn`."""

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
        (["--utterances", "/no/such/folder"], "does not exist"),
    ],
)
def test_wrong_options_are_named(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """One sentence each, and the exit code for usage."""
    assert invoke(["bench", "turn", *arguments]) == USAGE_ERROR
    assert message in capsys.readouterr().err
