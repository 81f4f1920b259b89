"""G.722 from packet to engine and back: 16 kHz, real models, and a network that loses packets."""

import re
import wave
from dataclasses import replace

import numpy as np
import pytest
from aiortp import RtpPacket

from softagent.config import SynthesizerSettings
from softagent.media.bridged import codec_at
from softagent.media.codec import codec_named
from softagent.media.comfort import ComfortNoise
from softagent.media.description import MediaDescription
from softagent.media.playout import Playout
from softagent.media.receiver import RtpReceiver
from softagent.media.recorder import StereoRecorder
from softagent.media.resample import resample
from softagent.media.speaker import RtpSpeaker
from softagent.media.window import WindowChunker
from softagent.speech.hibari import HibariSynthesizer
from softagent.speech.silero import SileroModel
from softagent.speech.whisper import WhisperModel

pytestmark = pytest.mark.engine

CALLER = ("192.0.2.1", 4000)
WIDE = MediaDescription(
    codec="G722",
    payload_type=9,
    remote_host=CALLER[0],
    remote_port=CALLER[1],
    local_host="192.0.2.2",
    local_port=4000,
    event_payload_type=101,
)
SENTENCE = "We open at eight on Monday morning, and we close at five."


@pytest.fixture(scope="module")
def whisper(model_path):
    model = WhisperModel(model_path("whisper-tiny.en"))
    model.warm_up()
    return model


@pytest.fixture(scope="module")
def silero(model_path):
    return SileroModel(model_path("silero-vad"))


@pytest.fixture(scope="module")
def voice(model_path):
    return HibariSynthesizer(model_path("hibari-heart"), SynthesizerSettings())


def words(text):
    return set(re.sub(r"[^a-z ]", " ", text.lower().replace("-", " ")).split())


def carried(sound, *, rate_hz=16000, ptime_ms=20, loss=0.0, heard_at=16000, change=None):
    """What a receiver at `heard_at` makes of `sound`, said by a speaker at `rate_hz` in G.722."""
    media = replace(WIDE, ptime_ms=ptime_ms)
    speaker = RtpSpeaker(media, rate_hz=rate_hz)
    receiver = RtpReceiver(media, rate_hz=heard_at)
    lost = np.random.default_rng(7).random(len(sound)) < loss
    playout, frames = Playout(rate_hz), []
    playout.begin(1)
    playout.put(1, 0, sound)
    playout.finish(1)
    playout.release(1)
    for tick in range(len(sound) * 50 // rate_hz + 25):
        if change is not None and tick == 25:
            speaker.change(change)
            receiver.change(change)
        played = playout.pop()
        speaker.put(played.samples, is_silent=played.turn is None)
        for half in range(2):
            for datagram in speaker.pop(slots=1):
                assert RtpPacket.parse(datagram).payload_type in (9, 0)
                if not lost[tick * 2 + half]:
                    receiver.push(datagram, source=CALLER, arrival_seconds=tick * 0.02)
        frames.append(receiver.pop()[0])
    return np.concatenate(frames)


def understood(whisper, sound, rate_hz=16000):
    recognizer = whisper.recognizer(rate_hz, 400)
    for frame in np.split(sound, range(rate_hz // 50, sound.size, rate_hz // 50)):
        recognizer.accept(frame)
    return recognizer.finish()


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 60])
def test_a_caller_is_understood_through_g722(whisper, recording, ptime_ms):
    said = recording("not-ill-disposed")
    heard = understood(whisper, carried(said.at(16000), ptime_ms=ptime_ms))
    assert len(words(said.text) - words(heard)) <= 2, heard


@pytest.mark.parametrize("loss", [0.03, 0.1])
def test_a_caller_is_understood_though_packets_are_lost(whisper, recording, loss):
    said = recording("not-ill-disposed")
    heard = understood(whisper, carried(said.at(16000), loss=loss))
    assert len(words(said.text) - words(heard)) <= 3, heard


def test_the_voice_detector_finds_the_speech_in_g722(silero, recording):
    said = recording("not-ill-disposed").at(16000)
    silence = np.zeros(16000, np.int16)
    sound = carried(np.concatenate((silence, said, silence)))
    detector = silero.detector(16000)
    found = np.array(
        [detector.probability(w) for w in WindowChunker(detector.window_samples).push(sound)]
    )
    second = 16000 / detector.window_samples
    assert found[: int(second)].max() < 0.1
    assert found[-int(second * 0.7) :].max() < 0.2
    assert np.mean(found[int(second) : -int(1.5 * second)] > 0.6) > 0.7


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("level_dbov", [0, 50, 60, 75])
def test_comfort_noise_is_not_speech(silero, rate_hz, level_dbov):
    comfort = ComfortNoise(rate_hz)
    comfort.tell(bytes([level_dbov]))
    detector = silero.detector(rate_hz)
    sound = comfort.noise(10 * rate_hz)
    windows = WindowChunker(detector.window_samples).push(sound)
    assert max(detector.probability(window) for window in windows) < 0.3


def test_a_synthesized_reply_is_understood_at_the_far_end_of_g722(whisper, voice, tmp_path):
    """Playout, packets, decoder and recording, all at 16 kHz."""
    pieces = voice.synthesize(SENTENCE, rate_hz=16000, cancelled=lambda: False)
    heard = carried(np.concatenate(list(pieces)))
    recorder = StereoRecorder(tmp_path / "call.wav", 16000)
    for frame in heard[: len(heard) // 320 * 320].reshape(-1, 320):
        recorder.write(np.zeros_like(frame), frame)
    recorder.close()

    with wave.open(str(tmp_path / "call.wav")) as file:
        assert file.getframerate() == 16000
        stereo = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    text = understood(whisper, stereo[:, 1].copy())
    assert words(SENTENCE) - words(text) <= {"and", "eight", "five"}, text
    spectrum = np.abs(np.fft.rfft(heard)) ** 2
    hertz = np.fft.rfftfreq(len(heard), 1 / 16000)
    assert spectrum[hertz > 4200].sum() > 1e-4 * spectrum.sum(), "it is wideband"


def test_a_call_that_began_in_g711_understands_g722(whisper, recording):
    """8 kHz to the end: the codec is bridged."""
    said = recording("not-ill-disposed")
    heard = carried(said.at(16000), heard_at=8000)
    assert len(words(said.text) - words(understood(whisper, heard, 8000))) <= 3


def test_a_codec_that_changes_within_a_sentence_costs_no_word(whisper, recording):
    said = recording("not-ill-disposed")
    narrow = replace(WIDE, codec="PCMU", payload_type=0)
    heard = understood(whisper, carried(said.at(16000), change=narrow))
    assert len(words(said.text) - words(heard)) <= 3, heard


def test_bridged_sound_is_as_good_as_resampled(recording):
    """G.722 heard at 8 kHz against soxr's conversion of what the decoder says."""
    said = recording("not-ill-disposed").at(16000)
    sending, bridged, plain = codec_named("G722"), codec_at("G722", 8000), codec_named("G722")
    payload = sending.encode(said)
    expected = resample(plain.decode(payload), from_hz=16000, to_hz=8000).astype(float)
    heard = bridged.decode(payload).astype(float)
    size = len(expected) - 100
    best = max(np.corrcoef(expected[:size], heard[lag : lag + size])[0, 1] for lag in range(40))
    assert best > 0.99
