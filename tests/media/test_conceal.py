"""Made-up sound: nearer to what was said than silence, or than the last frame again, and cut smoothly."""

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.media.codec import codec_named
from softagent.media.conceal import FADE_MS, Concealer
from softagent.media.resample import resample

SPEECH = Path(__file__).parents[1] / "data" / "speech"
RECORDINGS = ("agent-incorrect", "basic-pbx-ivr-main", "check-number-dial-again")


def recorded(name, rate_hz):
    with wave.open(str(SPEECH / f"{name}.wav")) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
        return resample(sound, from_hz=file.getframerate(), to_hz=rate_hz)


class Silence:
    """Zero fill."""

    def __init__(self, rate_hz):
        self.size = rate_hz // 50

    def heard(self, samples):
        return samples

    def conceal(self, count):
        return np.zeros(count, dtype=np.int16)


class LastFrame(Silence):
    """The last 20 ms again, fading to silence within 60 ms."""

    def heard(self, samples):
        self.last, self.position = samples, 0
        return samples

    def conceal(self, count):
        position = np.arange(self.position, self.position + count)
        self.position += count
        gain = np.maximum(1 - position / (3 * self.size), 0)
        return (self.last[position % self.size] * gain).astype(np.int16)


def distance_db(reference, heard, size):
    """Log-spectral distance in windows of 20 ms, one every 10 ms: shape (windows,)."""
    hop = size // 2
    starts = range(0, len(reference) - size, hop)
    window = np.hanning(size)

    def spectra(sound):
        frames = np.array([sound[start : start + size] * window for start in starts])
        return 10 * np.log10(np.abs(np.fft.rfft(frames)) ** 2 + 1e4)

    return np.sqrt(np.mean((spectra(reference) - spectra(heard)) ** 2, axis=1))


def through_loss(concealer_class, codec_name, loss, burst):
    """Mean distance in dB of the windows that a lost frame of speech touches."""
    distances = []
    for name in RECORDINGS:
        sending, whole, lossy = (codec_named(codec_name) for _ in range(3))
        size = sending.rate_hz // 50
        sound = recorded(name, sending.rate_hz)
        frames = [sound[i : i + size] for i in range(0, len(sound) - size, size)]
        payloads = [sending.encode(frame) for frame in frames]
        reference = np.concatenate([whole.decode(payload) for payload in payloads])
        lost = np.zeros(len(frames), dtype=bool)
        for begin in np.flatnonzero(np.random.default_rng(5).random(len(frames)) < loss / burst):
            lost[max(begin, 1) : begin + burst] = True
        concealer = concealer_class(sending.rate_hz)
        heard = np.concatenate(
            [
                concealer.conceal(size) if gone else concealer.heard(lossy.decode(payload))
                for payload, gone in zip(payloads, lost, strict=True)
            ]
        )
        distance = distance_db(reference, heard, size)
        for number in np.flatnonzero(lost):
            if np.abs(reference[number * size : (number + 1) * size]).max() > 300:
                distances += list(distance[max(2 * number - 1, 0) : 2 * number + 2])
    return float(np.mean(distances))


@pytest.mark.parametrize("codec", ["PCMU", "G722"])
@pytest.mark.parametrize("loss", [0.03, 0.05, 0.10])
@pytest.mark.parametrize("burst", [1, 2])
def test_speech_with_losses_is_nearer_to_the_original(codec, loss, burst):
    made_up = through_loss(Concealer, codec, loss, burst)
    assert made_up < 0.95 * through_loss(LastFrame, codec, loss, burst)
    assert made_up < 0.65 * through_loss(Silence, codec, loss, burst)


def test_nothing_heard_is_nothing_made_up():
    assert not Concealer(8000).conceal(160).any()


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("hertz", [70, 110, 137.5, 190])
def test_a_voice_goes_on_in_its_pitch(rate_hz, hertz):
    """A glottal pulse train: the first 10 ms made up are what would have come."""
    time = np.arange(rate_hz // 5) / rate_hz
    voice = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, 8)) * 6000
    voice = voice.astype(np.int16)
    cut = rate_hz // 10
    concealer = Concealer(rate_hz)
    concealer.heard(voice[:cut])
    size = rate_hz // 100
    made_up, truth = concealer.conceal(size).astype(float), voice[cut : cut + size].astype(float)
    snr_db = 10 * np.log10(np.mean(truth**2) / np.mean((made_up - truth) ** 2))
    assert snr_db > 14


def test_no_seam_is_wider_than_the_voice_itself_moves():
    """Into the loss, from stage to stage, and back to real sound."""
    voice = recorded("basic-pbx-ivr-main", 8000)[16000:32000]
    steepest = np.abs(np.diff(voice.astype(int))).max()
    for lost_frames in (1, 2, 3, 5):
        concealer = Concealer(8000)
        parts = []
        for start in range(0, 16000, 160):
            frame = voice[start : start + 160]
            is_lost = start // 160 % 20 < lost_frames and start > 3200
            parts.append(concealer.conceal(160) if is_lost else concealer.heard(frame))
        heard = np.concatenate(parts).astype(int)
        assert np.abs(np.diff(heard)).max() < 1.3 * steepest


def test_it_fades_to_silence():
    concealer = Concealer(8000)
    concealer.heard(recorded("basic-pbx-ivr-main", 8000)[16000:16800])
    frames = [concealer.conceal(160).astype(float) for _ in range(5)]
    loudness = [np.sqrt(np.mean(frame**2)) for frame in frames]
    assert loudness[0] > loudness[1] > loudness[2] > 0
    assert len(frames) * 20 > FADE_MS
    assert not frames[3].any()
    assert not frames[4].any()


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 200), max_size=12),
    st.sampled_from([8000, 16000]),
    st.integers(0, 1000),
)
def test_what_is_made_up_does_not_depend_on_the_pieces(counts, rate_hz, seed):
    sound = np.random.default_rng(seed).integers(-32768, 32768, 2000).astype(np.int16)
    whole, pieces = Concealer(rate_hz), Concealer(rate_hz)
    whole.heard(sound)
    pieces.heard(sound)
    parts = [pieces.conceal(count) for count in (1, *counts)]
    assert [len(part) for part in parts] == [1, *counts]
    assert np.array_equal(np.concatenate(parts), whole.conceal(1 + sum(counts)))


def test_short_packets_add_up_to_a_history():
    sound = recorded("basic-pbx-ivr-main", 8000)[16000:17600]
    whole, pieces = Concealer(8000), Concealer(8000)
    whole.heard(sound)
    for start in range(0, 1600, 80):
        pieces.heard(sound[start : start + 80])
    assert np.array_equal(whole.conceal(160), pieces.conceal(160))


def test_real_sound_takes_over_within_five_milliseconds():
    concealer = Concealer(8000)
    concealer.heard(np.full(480, 8000, dtype=np.int16))
    concealer.conceal(160)
    frame = np.full(160, -8000, dtype=np.int16)
    heard = concealer.heard(frame)
    assert heard[0] > 6000
    assert (np.diff(heard.astype(int)) <= 0).all()
    assert (heard[40:] == -8000).all()
    assert (frame == -8000).all(), "what was given is left as it was"
    assert np.array_equal(concealer.heard(frame), frame)


def test_after_a_pause_sound_begins_as_it_is():
    concealer = Concealer(8000)
    concealer.heard(np.full(480, 8000, dtype=np.int16))
    concealer.conceal(160)
    concealer.pause()
    frame = np.full(160, 500, dtype=np.int16)
    assert np.array_equal(concealer.heard(frame), frame)
    concealer.pause()
    assert not concealer.conceal(160).any(), "what was before the pause is forgotten"
