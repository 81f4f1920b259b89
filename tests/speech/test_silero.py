"""Silero tells speech from its absence, at both of a telephone's rates."""

import numpy as np
import pytest

from softagent.errors import EngineFailed, ModelMissing
from softagent.media.window import WindowChunker
from softagent.speech.silero import SileroModel

pytestmark = pytest.mark.engine

RATES = pytest.mark.parametrize("rate_hz", [8000, 16000])


@pytest.fixture(scope="module")
def model(model_path):
    return SileroModel(model_path("silero-vad"))


def probabilities(detector, sound):
    return np.array(
        [
            detector.probability(window)
            for window in WindowChunker(detector.window_samples).push(sound)
        ]
    )


@RATES
def test_a_window_is_32_ms(model, rate_hz):
    assert model.detector(rate_hz).window_samples == rate_hz * 32 // 1000


@RATES
@pytest.mark.parametrize("name", ["agent-incorrect", "not-ill-disposed"])
def test_speech_is_likely_where_somebody_speaks_and_nowhere_else(model, recording, rate_hz, name):
    """A sentence between two seconds of silence: sure inside, sure outside."""
    voice = recording(name).at(rate_hz)
    silence = np.zeros(2 * rate_hz, np.int16)
    detector = model.detector(rate_hz)

    found = probabilities(detector, np.concatenate([silence, voice, silence]))

    second = rate_hz / detector.window_samples
    begin, end = 2 * second, 2 * second + voice.size / detector.window_samples
    assert found[: int(begin)].max() < 0.1
    assert found[int(end + 0.5 * second) :].max() < 0.1
    assert np.mean(found[int(begin) : int(end)] > 0.6) > 0.75


@RATES
@pytest.mark.parametrize("rms", [10, 300])
def test_noise_is_not_speech(model, rate_hz, rms):
    """White noise, as faint as a line's own and as loud as a fan."""
    noise = np.random.default_rng(1).normal(0, rms, 5 * rate_hz).astype(np.int16)

    assert probabilities(model.detector(rate_hz), noise).max() < 0.6


def test_a_short_word_is_heard(model, recording):
    """One digit at 8 kHz gives several windows in a row."""
    word = recording("seven").samples

    found = probabilities(model.detector(8000), np.concatenate([np.zeros(4096, np.int16), word]))

    assert np.count_nonzero(found > 0.6) >= 5


@RATES
def test_the_past_matters_until_reset(model, recording, rate_hz):
    """After `reset` the detector answers exactly like a fresh one; without it, it doesn't."""
    voice = recording("check-number-dial-again").at(rate_hz)
    detector = model.detector(rate_hz)

    fresh = probabilities(detector, voice)
    carried_on = probabilities(detector, voice)
    detector.reset()
    again = probabilities(detector, voice)

    assert not np.array_equal(carried_on, fresh)
    np.testing.assert_array_equal(again, fresh)


def test_calls_do_not_hear_each_other(model, recording):
    """Two detectors of one model, fed in turns, answer as if each were alone."""
    voice = recording("check-number-dial-again").samples
    alone = probabilities(model.detector(8000), voice)
    one, other = model.detector(8000), model.detector(8000)
    noise = np.random.default_rng(2).normal(0, 3000, 256).astype(np.int16)

    together = []
    for window in WindowChunker(256).push(voice):
        together.append(one.probability(window))
        other.probability(noise)

    np.testing.assert_array_equal(np.array(together), alone)


def test_the_path_may_be_the_file_or_its_folder(model_path):
    """The catalogue names the file; a folder of one's own is as good."""
    file = model_path("silero-vad")

    for path in (file, file.parent):
        model = SileroModel(path)
        model.warm_up()
        assert model.detector(8000).probability(np.zeros(256, np.int16)) < 0.1


def test_a_missing_model_is_named_with_its_remedy(tmp_path):
    with pytest.raises(
        ModelMissing, match=r"silero_vad\.onnx: no such file; run `softagent models"
    ):
        SileroModel(tmp_path)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "silero_vad.onnx").write_bytes(b"<html>404</html>")

    with pytest.raises(EngineFailed, match=r"silero_vad\.onnx: can't be loaded"):
        SileroModel(tmp_path)


def test_other_rates_are_refused(model):
    with pytest.raises(EngineFailed, match="at 44100 Hz: Silero hears only 8000 or 16000 Hz"):
        model.detector(44100)


def test_a_window_of_another_length_is_refused(model):
    with pytest.raises(EngineFailed, match=r"shape \(160,\): expected \(256,\)"):
        model.detector(8000).probability(np.zeros(160, np.int16))
