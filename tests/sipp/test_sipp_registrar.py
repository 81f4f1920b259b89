"""SIPp in the place of the registrar: answers that a PBX gives seldom or never."""

from __future__ import annotations

from pathlib import Path

import pytest
from extension import Extension
from sipp import Sipp, free_port


@pytest.mark.parametrize("scenario", ["interval_too_brief", "nonsense_registrar"])
def test_registered_all_the_same(tmp_path: Path, scenario: str) -> None:
    port = free_port()
    with Sipp(scenario, tmp_path, local_port=port) as registrar:
        with Extension("1000", "secret", port=port) as extension:
            assert extension.wait_registered().expires_seconds == 300
        registrar.finish()
