"""A Piper voice, really speaking."""

from pathlib import Path

import numpy as np
import pytest

from softagent.config import SynthesizerSettings
from softagent.errors import EngineFailed, ModelMissing
from softagent.models.store import ModelStore
from softagent.speech.piper import PiperSynthesizer

pytestmark = pytest.mark.engine

TEXT = "We open at eight on Monday morning, and we close at five."


@pytest.fixture(scope="module")
def voice() -> PiperSynthesizer:
    return PiperSynthesizer(ModelStore().path("piper-joe"), SynthesizerSettings(engine="piper"))


def test_sentence_is_spoken(voice: PiperSynthesizer) -> None:
    """Twelve words take some three seconds, at a telephone's level, from the first moment on."""
    samples = np.concatenate([*voice.synthesize(TEXT, rate_hz=8000, cancelled=lambda: False)])

    assert 2.0 < len(samples) / 8000 < 5.0
    assert np.abs(samples[:800]).max() > 300
    active = samples[np.abs(samples) > 300].astype(float)
    assert -24 < 20 * np.log10(np.sqrt(np.mean(active**2)) / 32768) < -14


def test_sentences_come_one_by_one(voice: PiperSynthesizer) -> None:
    """The first sentence is ready before the second is made."""
    pieces = voice.synthesize(f"Yes. {TEXT}", rate_hz=16000, cancelled=lambda: False)

    assert len(next(pieces)) < 16000
    assert sum(map(len, pieces)) > 2 * 16000


def test_cancelled_voice_stops(voice: PiperSynthesizer) -> None:
    """Nothing is spoken for nobody."""
    assert list(voice.synthesize(TEXT, rate_hz=8000, cancelled=lambda: True)) == []


def test_speed_shortens(voice: PiperSynthesizer) -> None:
    """At speed 2 the same words take about half the time."""
    quick = PiperSynthesizer(
        ModelStore().path("piper-joe"), SynthesizerSettings(engine="piper", speed=2.0)
    )

    lengths = [
        sum(map(len, speaker.synthesize(TEXT, rate_hz=8000, cancelled=lambda: False)))
        for speaker in (quick, voice)
    ]

    assert lengths[0] < 0.7 * lengths[1]


def test_slower_voice_takes_longer_and_leaves_the_other_as_it_is(voice: PiperSynthesizer) -> None:
    """One caller's wish is no other caller's."""
    slow, usual = (
        sum(map(len, speaker.synthesize(TEXT, rate_hz=8000, cancelled=lambda: False)))
        for speaker in (voice.slower(), voice)
    )

    assert 1.1 * usual < slow < 1.5 * usual


def test_missing_and_broken_voices_are_named(tmp_path: Path) -> None:
    """Each with its own error; the configuration beside the network is needed too."""
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a network")

    with pytest.raises(ModelMissing, match=r"broken\.onnx\.json"):
        PiperSynthesizer(broken, SynthesizerSettings(engine="piper"))
    broken.with_name("broken.onnx.json").write_text("{}", encoding="utf-8")
    with pytest.raises(EngineFailed, match=r"broken\.onnx"):
        PiperSynthesizer(broken, SynthesizerSettings(engine="piper"))
