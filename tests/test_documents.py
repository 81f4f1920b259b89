"""The documents say what is there: files, tests and options that they name exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SIP_PAGE = ROOT / "docs" / "sip.md"
REFERENCE = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")


def behaviour_rows() -> list[str]:
    """The rows of the page's tables that have a column for tests."""
    rows, has_tests = [], False
    for line in SIP_PAGE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            has_tests = False
        elif line.rstrip().endswith("| test |"):
            has_tests = True
        elif has_tests and not line.startswith("|--"):
            rows.append(line)
    return rows


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_page_of_sip_has_rows_to_check() -> None:
    assert len(behaviour_rows()) > 60


@pytest.mark.parametrize("row", behaviour_rows(), ids=lambda row: row.split("|")[2].strip()[:50])
def test_each_behaviour_of_sip_names_a_test_that_exists(row: str) -> None:
    named = REFERENCE.findall(row.rstrip("| ").rpartition("|")[2])
    assert named, f"no test named in: {row}"
    for file, function in named:
        path = ROOT / "tests" / file
        assert path.exists(), f"{file}: no such file"
        assert not function or function in functions_of(path), f"{file}: no {function}"
