"""The default voice, really speaking."""

import socket
from pathlib import Path

import numpy as np
import pytest

from softagent.config import SynthesizerSettings
from softagent.errors import EngineFailed, ModelMissing
from softagent.media.frame import Samples
from softagent.models.store import ModelStore
from softagent.speech.hibari import HibariSynthesizer

pytestmark = pytest.mark.engine

TEXT = "We open at eight on Monday morning, and we close at five."


@pytest.fixture(scope="module")
def voice() -> HibariSynthesizer:
    return HibariSynthesizer(ModelStore().path("hibari-heart"), SynthesizerSettings())


def spoken(voice: HibariSynthesizer, text: str, rate_hz: int = 8000) -> Samples:
    """The whole sound of a text."""
    return np.concatenate([*voice.synthesize(text, rate_hz=rate_hz, cancelled=lambda: False)])


@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_sentence_is_spoken(voice: HibariSynthesizer, rate_hz: int) -> None:
    """Twelve words take some three seconds, at a telephone's level, from the first moment on."""
    samples = spoken(voice, TEXT, rate_hz)

    assert samples.dtype == np.int16
    assert 2.0 < len(samples) / rate_hz < 5.0
    assert np.abs(samples[: rate_hz // 10]).max() > 300
    active = samples[np.abs(samples) > 300].astype(float)
    assert -24 < 20 * np.log10(np.sqrt(np.mean(active**2)) / 32768) < -14
    assert np.abs(samples).max() < 32767


def test_sentences_come_one_by_one(voice: HibariSynthesizer) -> None:
    """The first sentence is ready before the second is made."""
    pieces = voice.synthesize(f"Yes. {TEXT}", rate_hz=8000, cancelled=lambda: False)

    first = next(pieces)

    assert 0.2 < len(first) / 8000 < 1.0
    assert sum(map(len, pieces)) > 2 * 8000


def test_cancelled_voice_stops(voice: HibariSynthesizer) -> None:
    """Nothing is spoken for nobody."""
    assert list(voice.synthesize(TEXT, rate_hz=8000, cancelled=lambda: True)) == []


def test_same_text_is_the_same_sound(voice: HibariSynthesizer) -> None:
    """The voice's noise has a fixed seed."""
    assert np.array_equal(spoken(voice, TEXT), spoken(voice, TEXT))


@pytest.mark.parametrize("text", ["", " ", "?!", "안녕하세요"])
def test_text_it_cannot_say_is_nothing(voice: HibariSynthesizer, text: str) -> None:
    """No phonemes, no sound, no error."""
    assert list(voice.synthesize(text, rate_hz=8000, cancelled=lambda: False)) == []


def test_speed_shortens(voice: HibariSynthesizer) -> None:
    """At speed 1.5 the same words take less time."""
    quick = HibariSynthesizer(ModelStore().path("hibari-heart"), SynthesizerSettings(speed=1.5))

    assert len(spoken(quick, TEXT)) < 0.8 * len(spoken(voice, TEXT))


def test_network_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading and speaking work where no socket can be opened."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    voice = HibariSynthesizer(ModelStore().path("hibari-heart"), SynthesizerSettings())
    voice.warm_up()

    assert len(spoken(voice, "Xylophonist Zbigniew.")) > 0


def test_missing_and_broken_voices_are_named(tmp_path: Path) -> None:
    """Each with its own error."""
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a network")

    with pytest.raises(ModelMissing, match=r"missing\.onnx"):
        HibariSynthesizer(tmp_path / "missing.onnx", SynthesizerSettings())
    with pytest.raises(EngineFailed, match=r"broken\.onnx"):
        HibariSynthesizer(broken, SynthesizerSettings())


def test_slower_voice_takes_longer_and_leaves_the_other_as_it_is(voice: HibariSynthesizer) -> None:
    """One caller's wish is no other caller's."""
    before = spoken(voice, TEXT)

    slow = spoken(voice.slower(), TEXT)

    assert 1.1 * len(before) < len(slow) < 1.5 * len(before)
    assert np.array_equal(spoken(voice, TEXT), before)
