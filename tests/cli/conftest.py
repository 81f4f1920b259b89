"""The command line as its users have it: a process, its output, its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import softagent

Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Runs `softagent ARGUMENTS` in an empty folder, with no settings and no models of the user's."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(softagent.__file__).parents[1]),
        "HOME": str(tmp_path),
        "SOFTAGENT_MODELS": str(tmp_path / "models"),
        "SOFTAGENT_STATE": str(tmp_path / "state"),
    }

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "softagent", *arguments],
            cwd=tmp_path,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def accounts_file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes accounts.toml into the folder that `program` runs in."""

    def write(content: str) -> Path:
        file = tmp_path / "accounts.toml"
        file.write_text(content)
        file.chmod(0o600)
        return file

    return write
