"""smart-turn tells a finished sentence from one that breaks off, at both of a telephone's rates."""

from __future__ import annotations

import numpy as np
import pytest

from softagent.errors import EngineFailed, ModelMissing
from softagent.speech.smart_turn import RATE_HZ, SmartTurnModel

pytestmark = pytest.mark.engine

FLOOR = 1e-10
RATES = pytest.mark.parametrize("rate_hz", [8000, 16000])


@pytest.fixture(scope="module")
def model(model_path):
    return SmartTurnModel(model_path("smart-turn"))


def reference_features(wave):
    """Whisper's log-mel by its definition (Radford et al. 2022, 2.2), with Slaney's mel filters."""
    wave = (wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)
    padded = np.pad(wave, 200, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    frames = np.stack([padded[at : at + 400] * window for at in range(0, 800 * 160, 160)])
    power = np.abs(np.fft.rfft(frames)) ** 2
    log_step = np.log(6.4) / 27
    mels = np.linspace(0, 15 + np.log(8) / log_step, 82)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp(log_step * (mels - 15)))
    bins = np.linspace(0, 8000, 201)
    filters = [
        np.maximum(0, np.minimum((bins - low) / (mid - low), (high - bins) / (high - mid)))
        * (2 / (high - low))
        for low, mid, high in zip(edges, edges[1:], edges[2:], strict=False)
    ]
    log = np.log10(np.maximum(FLOOR, power @ np.array(filters).T)).T
    return (np.maximum(log, log.max() - 8) + 4) / 4


@pytest.mark.parametrize("seconds", [2.5, 8.0, 9.5])
def test_the_spectrogram_is_whispers_of_the_last_8_seconds(model, seconds):
    """Shorter sound stands at the end, after silence; the level is evened out over all 8 s."""
    sound = np.random.default_rng(3).normal(0, 3000, int(seconds * RATE_HZ)).astype(np.int16)
    last = sound[-8 * RATE_HZ :] / 32768
    wave = np.concatenate((np.zeros(8 * RATE_HZ - last.size), last))

    np.testing.assert_allclose(model._features(sound), reference_features(wave), atol=2e-3)


@pytest.fixture
def at_pause(model, recording):
    """The probability at a pause of 0.2 s after `share` of a recording."""

    def probability(name, rate_hz, share=1.0):
        voice = recording(name).at(rate_hz)
        said = voice[: int(voice.size * share)]
        return model.probability(np.concatenate((said, np.zeros(rate_hz // 5, np.int16))), rate_hz)

    return probability


@RATES
@pytest.mark.parametrize("name", ["check-number-dial-again", "agent-incorrect"])
def test_a_whole_sentence_is_likelier_finished_than_a_part_of_it(at_pause, rate_hz, name):
    whole, part = at_pause(name, rate_hz), at_pause(name, rate_hz, share=0.55)

    assert whole > max(0.5, part)


@RATES
def test_a_sentence_that_the_reader_goes_on_with_is_not_finished(at_pause, rate_hz):
    """In the book "he was not an ill-disposed young man" is followed by "unless": so it is read."""
    assert at_pause("not-ill-disposed", rate_hz) < 0.5


def test_nothing_at_all_has_a_probability(model):
    """No sound yet, and silence only, are no errors."""
    model.warm_up()
    assert 0 <= model.probability(np.zeros(0, np.int16), 8000) <= 1


def test_the_path_may_be_the_file_or_its_folder(model_path):
    file = model_path("smart-turn")
    SmartTurnModel(file.parent).warm_up()


def test_a_missing_model_is_named_with_its_remedy(tmp_path):
    with pytest.raises(ModelMissing, match=r"no such file; run `softagent models pull smart-turn`"):
        SmartTurnModel(tmp_path)


def test_another_model_is_refused(model_path):
    with pytest.raises(EngineFailed, match="smart-turn v3 takes input_features"):
        SmartTurnModel(model_path("silero-vad"))
