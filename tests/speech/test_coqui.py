"""A real Coqui VITS voice, made from a Piper one, speaking while it computes."""

import resource
import sys
from pathlib import Path

import numpy as np
import pytest

from softagent.config import SynthesizerSettings
from softagent.errors import EngineFailed, ModelMissing
from softagent.media.frame import Samples
from softagent.models.store import ModelStore
from softagent.speech.coqui import CoquiSynthesizer
from softagent.speech.vits import WindowedDecoder

pytestmark = pytest.mark.engine

TEXT = "We open at eight on Monday morning, and we close at five."


@pytest.fixture(scope="module")
def voice() -> CoquiSynthesizer:
    return CoquiSynthesizer(ModelStore().path("coqui-joe"), SynthesizerSettings(engine="coqui"))


def pieces_of(voice: CoquiSynthesizer, text: str, rate_hz: int = 8000) -> list[Samples]:
    """The sound of a text as it comes."""
    return list(voice.synthesize(text, rate_hz=rate_hz, cancelled=lambda: False))


@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_sentence_is_spoken(voice: CoquiSynthesizer, rate_hz: int) -> None:
    """Twelve words take some three seconds, at a telephone's level, from the first moment on."""
    samples = np.concatenate(pieces_of(voice, TEXT, rate_hz))

    assert samples.dtype == np.int16
    assert 2.0 < len(samples) / rate_hz < 5.0
    assert np.abs(samples[: rate_hz // 10]).max() > 300
    active = samples[np.abs(samples) > 300].astype(float)
    assert -24 < 20 * np.log10(np.sqrt(np.mean(active**2)) / 32768) < -14


def test_first_piece_comes_before_the_rest(voice: CoquiSynthesizer) -> None:
    """Within a sentence, not only between two."""
    pieces = pieces_of(voice, TEXT)

    assert len(pieces) >= 3
    assert 0.1 < len(pieces[0]) / 8000 < 0.5


def test_slower_voice_takes_longer_and_leaves_the_other_as_it_is(voice: CoquiSynthesizer) -> None:
    """They share the network: what one caller wished for must not stay set in it."""
    slow = sum(map(len, pieces_of(voice.slower(), TEXT)))
    usual = sum(map(len, pieces_of(voice, TEXT)))

    assert 1.1 * usual < slow < 1.5 * usual


def test_pieces_are_the_whole(voice: CoquiSynthesizer) -> None:
    """Decoded window by window or at once, the same latents give the same sound."""
    decoder = voice._decoder
    assert isinstance(decoder, WindowedDecoder)
    latents = voice._latents(TEXT)
    frames = latents.shape[2]

    whole = decoder.decode(latents, 0, frames)
    windows = [decoder.decode(latents, *window) for window in decoder.windows(frames)]

    assert len(windows) >= 3
    assert np.abs(np.concatenate(windows) - whole).max() < 1e-4


def test_context_is_as_wide_as_it_must_be(voice: CoquiSynthesizer) -> None:
    """With less of it the windows' edges would be heard."""
    decoder = voice._decoder
    assert isinstance(decoder, WindowedDecoder)
    latents = voice._latents(TEXT)
    whole = decoder.decode(latents, 0, latents.shape[2])
    window = slice(40 * 256, 60 * 256)
    context = decoder.context_frames
    try:
        decoder.context_frames = 4
        narrow = decoder.decode(latents, 40, 60)
    finally:
        decoder.context_frames = context

    assert np.abs(narrow - whole[window]).max() > 1e-3


def test_converted_voice_sounds_like_its_origin(voice: CoquiSynthesizer) -> None:
    """Without noise, Coqui's samples are Piper's."""
    from piper import PiperVoice, SynthesisConfig

    piper = PiperVoice.load(ModelStore().path("piper-joe"))
    silent = SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0, normalize_audio=False)
    expected = np.concatenate(
        [chunk.audio_float_array for chunk in piper.synthesize("Hello there.", silent)]
    )
    model = voice._tts.synthesizer.tts_model
    noise = model.inference_noise_scale, model.inference_noise_scale_dp
    try:
        model.inference_noise_scale = model.inference_noise_scale_dp = 0.0
        sound = np.concatenate([*next(voice._sentences("Hello there."))])
    finally:
        model.inference_noise_scale, model.inference_noise_scale_dp = noise

    assert len(sound) == len(expected)
    assert np.abs(sound - expected).max() < 1e-3


def test_cancelled_voice_stops(voice: CoquiSynthesizer) -> None:
    """No window is decoded for nobody."""
    is_cancelled = False
    pieces = voice.synthesize(TEXT, rate_hz=8000, cancelled=lambda: is_cancelled)
    next(pieces)
    is_cancelled = True

    assert list(pieces) == []


def test_same_text_is_the_same_sound(voice: CoquiSynthesizer) -> None:
    """The voice's noise has a fixed seed."""
    first, second = (np.concatenate(pieces_of(voice, TEXT)) for _ in range(2))

    assert np.array_equal(first, second)


@pytest.mark.parametrize("text", ["", " ", "?!"])
def test_text_without_words_is_nothing(voice: CoquiSynthesizer, text: str) -> None:
    """No sound, no error."""
    assert pieces_of(voice, text) == []


def test_memory_stays_flat(voice: CoquiSynthesizer) -> None:
    """Sentences of ever new lengths don't make the process grow."""
    words = TEXT.split()

    def resident_mb() -> float:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6

    def speak(times: int) -> None:
        for count in range(times):
            text = " ".join(words[count % 7 : count % 7 + 2 + count % 5]) + f" {count}."
            for _ in voice.synthesize(text, rate_hz=8000, cancelled=lambda: False):
                pass

    speak(30)
    before = resident_mb()
    speak(60)

    assert resident_mb() - before < 60


def test_absent_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without coqui-tts the message says what to install."""
    monkeypatch.setitem(sys.modules, "TTS.api", None)

    with pytest.raises(EngineFailed, match=r"pip install 'softagent\[coqui\]'"):
        CoquiSynthesizer(ModelStore().path("coqui-joe"), SynthesizerSettings(engine="coqui"))


def test_missing_and_broken_voices_are_named(tmp_path: Path) -> None:
    """Each with its own error."""
    with pytest.raises(ModelMissing, match=r"model\.pth"):
        CoquiSynthesizer(tmp_path, SynthesizerSettings(engine="coqui"))
    (tmp_path / "model.pth").write_bytes(b"not a checkpoint")
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(EngineFailed, match="Coqui can't load it"):
        CoquiSynthesizer(tmp_path, SynthesizerSettings(engine="coqui"))
