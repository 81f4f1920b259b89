"""Real models and real voices for the tests of the engines."""

from __future__ import annotations

import tomllib
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soxr

from softagent.media.frame import Samples
from softagent.models.store import ModelStore

RECORDINGS = Path(__file__).parents[1] / "data" / "speech"


@dataclass(frozen=True, slots=True)
class Recording:
    """Somebody saying something."""

    samples: Samples
    rate_hz: int
    text: str

    def at(self, rate_hz: int) -> Samples:
        """The sound at `rate_hz`."""
        if rate_hz == self.rate_hz:
            return self.samples
        return soxr.resample(self.samples, self.rate_hz, rate_hz)


@pytest.fixture(scope="session")
def model_path() -> Callable[[str], Path]:
    """Where a model of the catalogue lies on this machine."""
    return ModelStore().path


@pytest.fixture(scope="session")
def recording() -> Callable[[str], Recording]:
    """A recording of tests/data/speech, by name."""
    texts = tomllib.loads((RECORDINGS / "transcripts.toml").read_text(encoding="utf-8"))

    def read(name: str) -> Recording:
        with wave.open(str(RECORDINGS / f"{name}.wav")) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            return Recording(samples.astype(np.int16), file.getframerate(), texts[name])

    return read
