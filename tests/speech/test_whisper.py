"""Whisper's short window: the words of real voices, and none where nobody speaks."""

import re

import numpy as np
import pytest

from softagent.errors import EngineFailed, ModelMissing
from softagent.speech.whisper import (
    Decoding,
    WhisperModel,
    WhisperRecognizer,
    has_speech,
    spoken_words,
)

engine = pytest.mark.engine
RATES = pytest.mark.parametrize("rate_hz", [8000, 16000])


class CountingModel:
    """Stands in for the network: says how long each piece was, and counts the decodings."""

    def __init__(self):
        self.pieces = []

    def transcribe(self, sound):
        self.pieces.append(sound.size)
        return f"{sound.size / 16000:g}s" if sound.size else ""


@pytest.fixture(scope="module")
def model(model_path):
    model = WhisperModel(model_path("whisper-tiny.en"))
    model.warm_up()
    return model


@pytest.fixture
def counting():
    return CountingModel()


def words(text):
    return re.sub(r"[^a-z' ]", " ", text.lower().replace("-", " ")).split()


def missed(expected, heard):
    """Word errors: the edit distance between two texts."""
    row = list(range(len(words(heard)) + 1))
    for count, want in enumerate(words(expected), 1):
        diagonal, row[0] = row[0], count
        for column, got in enumerate(words(heard), 1):
            diagonal, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, diagonal + (want != got)),
            )
    return row[-1]


def frames(sound, rate_hz):
    return np.split(sound, range(rate_hz // 50, sound.size, rate_hz // 50))


@engine
@RATES
@pytest.mark.parametrize(
    ("name", "allowed"),
    [("agent-incorrect", 1), ("check-number-dial-again", 1), ("not-ill-disposed", 3)],
)
def test_a_sentence_is_understood(model, recording, rate_hz, name, allowed):
    """Frame by frame, at both rates of a telephone."""
    voice = recording(name)
    recognizer = model.recognizer(rate_hz, 400)

    for frame in frames(voice.at(rate_hz), rate_hz):
        recognizer.accept(frame)

    assert missed(voice.text, recognizer.finish()) <= allowed


@engine
def test_a_single_word_is_understood(model, recording):
    """Less than a second, and said once: no repetitions."""
    recognizer = model.recognizer(8000, 400)
    recognizer.accept(recording("seven").samples)

    assert recognizer.finish().lower().strip(".!") in ("seven", "7")


@engine
def test_partials_grow_while_the_caller_speaks(model, recording):
    """Words before the end; the first ones are there by the middle."""
    voice = recording("agent-incorrect")
    recognizer = model.recognizer(8000, 400)
    partials = []

    for piece in np.split(voice.samples, range(3200, voice.samples.size, 3200)):
        recognizer.accept(piece)
        partials.append(recognizer.partial())

    assert "incorrect" in partials[len(partials) // 2].lower()
    assert len(words(partials[-1])) > len(words(partials[len(partials) // 2]))
    assert "pound key" in recognizer.finish()


@engine
def test_going_on_after_finish_covers_both_parts(model, recording):
    sound = recording("agent-incorrect").samples
    recognizer = model.recognizer(8000, 400)

    recognizer.accept(sound[: 2 * 8000])
    before = recognizer.finish().lower()
    recognizer.accept(sound[2 * 8000 :])
    after = recognizer.finish().lower()

    assert "incorrect" in before
    assert "pound" not in before
    assert "incorrect" in after
    assert "pound key" in after


@engine
def test_a_pause_does_not_end_the_words(model, recording):
    """Twelve seconds of three sentences: left alone, the model stops after the first."""
    recognizer = model.recognizer(8000, 400)

    recognizer.accept(recording("basic-pbx-ivr-main").samples[: 12 * 8000])

    assert "party's extension" in recognizer.finish()


@engine
def test_half_a_minute_loses_nothing(model, recording):
    """31 s in three pieces, with partials on the way: beginning, middle and end are all there."""
    first, second = recording("basic-pbx-ivr-main"), recording("agent-incorrect")
    recognizer = model.recognizer(8000, 4000)

    for frame in frames(np.concatenate([first.samples, second.samples]), 8000):
        recognizer.accept(frame)
        recognizer.partial()
    heard = recognizer.finish()

    assert missed(f"{first.text} {second.text}", re.sub(r"\d", "number", heard)) < 18
    for phrase in ("Super Awesome Company", "sales partnership", "company directory", "pound key"):
        assert phrase.lower() in heard.lower()


def white_noise(rms):
    return np.random.default_rng(7).normal(0, rms, 2 * 8000)


def hum():
    time = np.arange(2 * 8000) / 8000
    return 1000 * np.sin(2 * np.pi * 50 * time) + 500 * np.sin(2 * np.pi * 150 * time)


def breath():
    """Noise of the mouth's band that swells and falls every second and a half."""
    time = np.arange(2 * 8000) / 8000
    spectrum = np.fft.rfft(white_noise(3000))
    pitch = np.fft.rfftfreq(time.size, 1 / 8000)
    spectrum[(pitch < 300) | (pitch > 3000)] = 0
    return np.fft.irfft(spectrum) * np.clip(np.sin(2 * np.pi * time / 1.5), 0, 1) ** 2


def clicks():
    click = 6000 * np.exp(-np.arange(160) / 15) * white_noise(1)[:160]
    return np.concatenate([np.concatenate([click, np.zeros(2500)]) for _ in range(6)])


def ringing():
    time = np.arange(8000) / 8000
    return 3000 * (np.sin(2 * np.pi * 440 * time) + np.sin(2 * np.pi * 480 * time))


@engine
@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(np.zeros(0), id="nothing"),
        pytest.param(np.zeros(80), id="ten milliseconds"),
        pytest.param(np.zeros(16000), id="silence"),
        pytest.param(white_noise(5), id="open line"),
        pytest.param(white_noise(50), id="hiss"),
        pytest.param(white_noise(3000), id="roar"),
        pytest.param(hum(), id="hum"),
        pytest.param(breath(), id="breath"),
        pytest.param(clicks(), id="clicks"),
        pytest.param(ringing(), id="ringing"),
    ],
)
def test_no_words_where_nobody_speaks(model, sound):
    recognizer = model.recognizer(8000, 400)
    recognizer.accept(sound.astype(np.int16))

    assert recognizer.finish() == ""


def test_partials_are_decoded_only_when_enough_is_new(counting):
    """At 400 ms: nineteen frames change nothing, the twentieth does."""
    recognizer = WhisperRecognizer(counting, 8000, 400)
    frame = np.full(160, 500, np.int16)

    said = []
    for _ in range(45):
        recognizer.accept(frame)
        said.append(recognizer.partial())

    assert said == [""] * 19 + ["0.4s"] * 20 + ["0.8s"] * 6
    assert len(counting.pieces) == 2


def test_finish_decodes_only_what_is_new(counting):
    """Right after a partial with nothing new the answer is ready; new sound is decoded."""
    recognizer = WhisperRecognizer(counting, 8000, 400)

    recognizer.accept(np.zeros(3200, np.int16))
    assert recognizer.partial() == "0.4s"
    assert recognizer.finish() == "0.4s"
    assert len(counting.pieces) == 1
    recognizer.accept(np.zeros(160, np.int16))

    assert recognizer.finish() == "0.42s"


def test_a_long_speech_costs_no_more_per_partial(counting):
    """A minute: closed pieces are decoded once each, the open one never exceeds 12 s."""
    recognizer = WhisperRecognizer(counting, 16000, 1000)

    for _ in range(60):
        recognizer.accept(np.full(16000, 500, np.int16))
        recognizer.partial()

    seconds = [float(piece[:-1]) for piece in recognizer.finish().split()]
    assert sum(seconds) == pytest.approx(60)
    assert max(counting.pieces) <= 12 * 16000
    assert len(counting.pieces) == 60 + len(seconds) - 1


def test_reset_begins_anew(counting):
    recognizer = WhisperRecognizer(counting, 8000, 400)
    recognizer.accept(np.zeros(8000, np.int16))
    assert recognizer.finish() == "1s"

    recognizer.reset()

    assert recognizer.partial() == ""
    assert recognizer.finish() == ""
    recognizer.accept(np.zeros(4000, np.int16))
    assert recognizer.finish() == "0.5s"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Yes.", "Yes."),
        ("[BLANK_AUDIO]", ""),
        (" (music)", ""),
        (" *sighs* Well, (upbeat music) yes", "Well, yes"),
        (" ♪ ♪", ""),
        (". . . . .", ""),
        ("Call (555) 123-4567.", "Call (555) 123-4567."),
        ("Five * six", "Five * six"),
    ],
)
def test_notes_about_sounds_are_no_words(text, expected):
    assert spoken_words(text) == expected


@pytest.mark.parametrize(
    ("no_speech", "mean_log_probability", "expected"),
    [
        (0.05, -0.2, True),
        (0.69, -0.75, True),  # "five five" at 16 kHz
        (0.2, -1.2, True),
        (0.91, -0.9, False),  # "Thank you." out of clicks
        (0.55, -1.7, False),  # "I'm not going to do that." out of breath
        (0.3, -1.9, False),
    ],
)
def test_a_voice_is_told_from_noise_by_the_models_doubts(no_speech, mean_log_probability, expected):
    decoding = Decoding("words", no_speech, mean_log_probability, tokens=1)

    assert has_speech(decoding) is expected


def test_a_missing_model_is_named_with_its_remedy(tmp_path):
    with pytest.raises(ModelMissing, match=r"no model\.bin, config\.json, tokenizer\.json; run"):
        WhisperModel(tmp_path)


@engine
def test_a_broken_model_is_refused(model_path, tmp_path):
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / name).symlink_to(model_path("whisper-tiny.en") / name)
    (tmp_path / "model.bin").write_bytes(b"<html>404</html>")

    with pytest.raises(EngineFailed, match="can't be loaded"):
        WhisperModel(tmp_path)


@engine
def test_an_english_model_refuses_other_languages(model_path):
    with pytest.raises(EngineFailed, match='does not know language "ko"; it knows en'):
        WhisperModel(model_path("whisper-tiny.en"), language="ko")


@engine
def test_a_senseless_rate_is_refused(model):
    with pytest.raises(EngineFailed, match="at 0 Hz"):
        model.recognizer(0, 400)
