"""The real telephone with SIPp as everything around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from extension import Extension
from sipp import PASSWORD, QUICK, USER, Caller

from softagent.lab.pbx import LabPbx


@pytest.fixture
def extension() -> Iterator[Extension]:
    """The telephone, registered, with quick timers."""
    registrar = LabPbx({USER: PASSWORD})
    registrar.start()
    with Extension(USER, PASSWORD, port=registrar.address[1], timing=QUICK) as telephone:
        telephone.wait_registered()
        yield telephone
    registrar.stop()


@pytest.fixture
def sipp(extension: Extension, tmp_path: Path) -> Caller:
    """Calls the telephone."""
    return Caller(("127.0.0.1", extension.phone.local_port), tmp_path)
