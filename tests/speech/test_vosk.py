"""Vosk's real path through the adapter, with the Korean model.

There is no Korean recording to be had: English voices stand in. What the model makes of
them is no sentence and differs from run to run (Kaldi dithers), but it is Hangul and
grows with the sound.
"""

import json

import numpy as np
import pytest
import vosk
from korean_call import GREETING, KoreanCall

from softagent.errors import EngineFailed, ModelMissing
from softagent.speech.vosk import VoskModel, VoskRecognizer, is_language_name

RATES = pytest.mark.parametrize("rate_hz", [8000, 16000])
engine = pytest.mark.engine


@pytest.fixture(scope="module")
def model(model_path):
    model = VoskModel(model_path("vosk-ko"))
    model.warm_up()
    return model


def frames(sound, rate_hz):
    return np.split(sound, range(rate_hz // 50, sound.size, rate_hz // 50))


def has_hangul(text):
    return any("가" <= character <= "힣" for character in text)


@engine
@RATES
def test_words_come_while_the_caller_speaks(model, recording, rate_hz):
    """Partials appear before the end, grow, and are Hangul."""
    recognizer = model.recognizer(rate_hz, 400)
    partials = []

    for frame in frames(recording("agent-incorrect").at(rate_hz), rate_hz):
        recognizer.accept(frame)
        partials.append(recognizer.partial())
    final = recognizer.finish()

    assert has_hangul(partials[len(partials) // 2])
    assert len(partials[-1]) > len(partials[len(partials) // 2])
    assert len(set(partials)) > 4
    assert has_hangul(final)


@engine
def test_what_it_hears_is_a_question_of_a_korean_call(model, recording):
    """From the sound to the model's prompt and the answer heard, nothing takes Hangul amiss."""
    recognizer = model.recognizer(8000, 400)
    for frame in frames(recording("agent-incorrect").at(8000), 8000):
        recognizer.accept(frame)
    heard = recognizer.finish()
    call = KoreanCall()
    call.hear(heard, "네, 알겠습니다. 더 궁금하신 점이 있으세요?")

    assert call.asked == [heard]
    assert call.said == [GREETING, "네, 알겠습니다. 더 궁금하신 점이 있으세요?"]
    assert call.talk.history.messages[-2]["content"] == heard


class FakeKaldi:
    """Closes a segment at the pieces it is told to; keeps what it hears."""

    def __init__(self, ends_at=()):
        self.heard = []
        self._ends_at = ends_at

    def AcceptWaveform(self, data):  # noqa: N802 - vosk's name
        self.heard.append(data)
        return len(self.heard) in self._ends_at

    def PartialResult(self):  # noqa: N802
        return json.dumps({"partial": f"p{len(self.heard)}"} if self.heard else {"text": ""})

    def Result(self):  # noqa: N802
        return json.dumps({"text": f"r{len(self.heard)}"})

    def FinalResult(self):  # noqa: N802
        return json.dumps({"text": f"f{len(self.heard)}"})


def test_every_sample_reaches_vosk_once(recording):
    """Little-endian 16-bit, in order, in the pieces of the call."""
    sound = recording("seven").samples
    kaldi = FakeKaldi()
    recognizer = VoskRecognizer(kaldi, 400)

    for frame in frames(sound, 8000):
        recognizer.accept(frame)

    assert b"".join(kaldi.heard) == sound.astype("<i2").tobytes()


def test_segments_are_joined_in_order():
    """Those that Vosk closes by its own rules, those that `finish` closes, and the running one."""
    recognizer = VoskRecognizer(FakeKaldi(ends_at=(2, 4)), 400)
    frame = np.zeros(160, np.int16)

    said = [recognizer.partial()]
    for _ in range(5):
        recognizer.accept(frame)
        said.append(recognizer.partial())
    final = recognizer.finish()
    recognizer.accept(frame)

    assert said == ["", "p1", "r2 p2", "r2 p3", "r2 r4 p4", "r2 r4 p5"]
    assert final == "r2 r4 f5"
    assert recognizer.partial() == "r2 r4 f5 p6"


@engine
def test_going_on_after_finish_extends_the_words(model, recording):
    """A pause that looked like the end: what was heard before stays, the rest follows."""
    sound = recording("agent-incorrect").samples
    recognizer = model.recognizer(8000, 400)

    recognizer.accept(sound[: 2 * 8000])
    before = recognizer.finish()
    unchanged = recognizer.finish()
    recognizer.accept(sound[2 * 8000 :])
    after = recognizer.finish()

    assert before == unchanged != ""
    assert after.startswith(before)
    assert len(after) > len(before)


@engine
def test_vosks_own_ends_lose_no_words(model, recording):
    """Three seconds of silence make Vosk close a segment; its words stay in partial and final."""
    voice = recording("check-number-dial-again").samples
    silence = np.random.default_rng(1).normal(0, 4, 3 * 8000).astype(np.int16)
    recognizer = model.recognizer(8000, 400)

    for frame in frames(np.concatenate([voice, silence]), 8000):
        recognizer.accept(frame)
    first = recognizer.partial()
    for frame in frames(voice, 8000):
        recognizer.accept(frame)

    assert has_hangul(first)
    assert recognizer.partial().startswith(first)
    assert len(recognizer.finish()) > len(first)


@engine
def test_reset_begins_anew(model, recording):
    recognizer = model.recognizer(8000, 400)
    recognizer.accept(recording("agent-incorrect").samples)
    assert recognizer.partial() != ""

    recognizer.reset()

    assert recognizer.partial() == ""
    assert recognizer.finish() == ""


@engine
def test_calls_do_not_hear_each_other(model, recording):
    """Two recognizers share the model and nothing else."""
    voice = recording("check-number-dial-again").samples
    one, other = model.recognizer(8000, 400), model.recognizer(8000, 400)

    one.accept(voice)

    assert other.partial() == ""
    assert other.finish() == ""
    assert has_hangul(one.finish())


@engine
def test_a_senseless_rate_is_refused(model):
    with pytest.raises(EngineFailed, match="at 0 Hz"):
        model.recognizer(0, 400)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ModelMissing, match=r"nowhere: no such folder"):
        VoskModel(tmp_path / "nowhere")


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(EngineFailed, match=r"not a Vosk model: no am/final\.mdl in it"):
        VoskModel(tmp_path)


def test_a_broken_model_is_refused(tmp_path):
    (tmp_path / "am").mkdir()
    (tmp_path / "am" / "final.mdl").write_bytes(b"<html>404</html>")

    with pytest.raises(EngineFailed, match="can't be loaded"):
        VoskModel(tmp_path)


def test_a_language_that_cannot_be_fetched_says_what_to_bring(monkeypatch):
    """Without network vosk's own download fails; the message leads to the models' page."""
    monkeypatch.setattr(vosk, "MODEL_DIRS", [])
    monkeypatch.setattr(vosk, "MODEL_LIST_URL", "http://127.0.0.1:9/model-list.json")

    with pytest.raises(ModelMissing, match=r'"en-us": not on this machine.*set recognizer\.model'):
        VoskModel("en-us")


def test_a_language_on_the_machine_is_found(monkeypatch, tmp_path):
    """`en` is `en-us` to vosk, which looks in its folders before it asks the network."""
    (tmp_path / "vosk-model-small-en-us-0.15").mkdir()
    monkeypatch.setattr(vosk, "MODEL_DIRS", [str(tmp_path)])

    with pytest.raises(ModelMissing, match=r'"en": .*\(Exception\)'):
        VoskModel("en")


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("en", True),
        ("en-us", True),
        ("ko", True),
        ("vosk-ko", False),
        ("models/en", False),
        ("/srv/vosk-model-small-en-us-0.15", False),
        ("whisper-tiny.en", False),
    ],
)
def test_language_names_are_told_from_models_and_paths(reference, expected):
    assert is_language_name(reference) is expected
