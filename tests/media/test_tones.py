"""Fax, voicemail and a line on which nobody is left: recognised through each codec, and in nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from sounds import SPEECH, load
from tone_sounds import Wave, ansam, cadence, carried, frames, noise, silence, tone

from softagent.media.codec import codec_named
from softagent.media.frame import Samples
from softagent.media.resample import resample
from softagent.media.tones import Tone, ToneDetector

CODECS = ("PCMU", "PCMA", "G722")
PROMPT = SPEECH / "basic-pbx-ivr-main.wav"


def recognised(sound: Samples, rate_hz: int) -> list[tuple[int, Tone]]:
    """What is reported, with its tick."""
    detector = ToneDetector(rate_hz)
    found = [(tick, detector.push(frame)) for tick, frame in enumerate(frames(sound, rate_hz))]
    return [(tick, one) for tick, one in found if one is not None]


def tones_in(wave: Wave, codec_name: str, *, noise_level: float = 10.0) -> list[Tone]:
    """What is heard of `wave` a second after the call began, through a codec and with noise."""
    rate_hz = codec_named(codec_name).rate_hz
    wave = np.concatenate((silence(1007, rate_hz), wave, silence(1500, rate_hz)))
    noisy = wave + noise(len(wave), noise_level)
    return [one for _, one in recognised(carried(noisy, codec_name), rate_hz)]


@pytest.fixture(params=CODECS)
def codec(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def rate_of(codec_name: str) -> int:
    return codec_named(codec_name).rate_hz


@pytest.mark.parametrize("noise_level", [5, 600])
def test_a_fax_that_calls_is_known_by_its_second_cry(codec: str, noise_level: float) -> None:
    wave = cadence(1100, parts_ms=(500, 3000), seconds=4.1, rate_hz=rate_of(codec))
    assert tones_in(wave, codec, noise_level=noise_level) == [Tone.FAX_CALLING]


@pytest.mark.parametrize("pitch", [1062, 1138])
@pytest.mark.parametrize("parts", [(425, 2550), (575, 3450)])
def test_t30_allows_a_fax_some_play(pitch: int, parts: tuple[int, int]) -> None:
    wave = cadence(pitch, parts_ms=parts, seconds=4.7, rate_hz=8000)
    assert tones_in(wave, "PCMU") == [Tone.FAX_CALLING]


def test_one_cry_or_another_pace_is_no_fax(codec: str) -> None:
    rate_hz = rate_of(codec)
    for parts in ((500, 5000), (500, 1000), (1200, 3000), (200, 3000)):
        wave = cadence(1100, parts_ms=parts, seconds=4.5, rate_hz=rate_hz)
        assert tones_in(wave, codec) == []


def test_a_fax_that_answers_is_known_after_a_second(codec: str) -> None:
    rate_hz = rate_of(codec)
    assert tones_in(tone(2100, ms=2600, rate_hz=rate_hz), codec) == [Tone.FAX_ANSWERING]
    assert tones_in(ansam(3.0, rate_hz), codec) == [Tone.FAX_ANSWERING]
    assert tones_in(tone(2100, ms=900, rate_hz=rate_hz), codec) == []


@pytest.mark.parametrize(
    ("pitches", "parts"),
    [
        ((480, 620), (500, 500)),  # North America: busy
        ((480, 620), (250, 250)),  # and congestion
        ((400,), (375, 375)),  # United Kingdom
        ((400,), (400, 350, 225, 525)),
        ((425,), (480, 480)),  # Germany
        ((425,), (240, 240)),
        ((440,), (500, 500)),  # France
        ((425,), (200, 200)),  # Spain, Italy
    ],
)
@pytest.mark.parametrize("noise_level", [5, 300])
def test_a_busy_or_congestion_tone_means_that_nobody_is_there(
    codec: str, pitches: tuple[float, ...], parts: tuple[int, ...], noise_level: float
) -> None:
    wave = cadence(*pitches, parts_ms=parts, seconds=3.6, rate_hz=rate_of(codec))
    found = tones_in(wave, codec, noise_level=noise_level)
    assert set(found) == {Tone.BUSY}
    assert found[0].is_line_dead


@pytest.mark.parametrize("pitches", [(350, 440), (425,), (400,)])
def test_a_dial_tone_is_known_after_three_seconds(codec: str, pitches: tuple[float, ...]) -> None:
    rate_hz = rate_of(codec)
    assert tones_in(tone(*pitches, ms=3200, rate_hz=rate_hz), codec) == [Tone.DIAL_TONE]
    assert tones_in(tone(*pitches, ms=2800, rate_hz=rate_hz), codec) == []


@pytest.mark.parametrize(
    ("pitches", "parts"),
    [
        ((440, 480), (2000, 4000)),  # North America
        ((400, 450), (400, 200, 400, 2000)),  # United Kingdom
        ((425,), (1000, 4000)),  # Germany and most of Europe
        ((440,), (1500, 3500)),  # France
    ],
)
def test_a_telephone_that_rings_is_not_busy(
    codec: str, pitches: tuple[float, ...], parts: tuple[int, ...]
) -> None:
    wave = cadence(*pitches, parts_ms=parts, seconds=14, rate_hz=rate_of(codec))
    assert tones_in(wave, codec) == []


@pytest.mark.parametrize(
    "parts",
    [((950, 330), (1400, 330), (1800, 330)), ((985.2, 380), (1428.5, 274), (1776.7, 380))],
)
def test_three_rising_tones_announce_that_a_call_cannot_be_completed(
    codec: str, parts: tuple[tuple[float, int], ...]
) -> None:
    waves = [tone(pitch, ms=ms, rate_hz=rate_of(codec)) for pitch, ms in parts]
    assert tones_in(np.concatenate(waves), codec) == [Tone.SPECIAL_INFORMATION]
    assert tones_in(np.concatenate(waves[::-1]), codec) == []


def spoken(rate_hz: int) -> Wave:
    """Three seconds of a voice."""
    return resample(load(PROMPT)[: 3 * 8000], from_hz=8000, to_hz=rate_hz).astype(float)


@pytest.mark.parametrize(("pitch", "ms"), [(1000, 250), (1400, 1000), (440, 400), (800, 500)])
def test_a_single_tone_after_speech_and_before_silence_is_a_voicemails(
    codec: str, pitch: float, ms: int
) -> None:
    rate_hz = rate_of(codec)
    greeting = (spoken(rate_hz), silence(300, rate_hz))
    beep = tone(pitch, ms=ms, rate_hz=rate_hz)
    assert tones_in(np.concatenate((*greeting, beep)), codec) == [Tone.BEEP]
    assert tones_in(beep, codec) == [], "nobody has spoken"
    assert tones_in(np.concatenate((*greeting, beep, spoken(rate_hz))), codec) == [], "no silence"


def test_speech_and_then_a_busy_tone_is_no_voicemail(codec: str) -> None:
    rate_hz = rate_of(codec)
    busy = cadence(425, parts_ms=(480, 480), seconds=3.6, rate_hz=rate_hz)
    assert tones_in(np.concatenate((spoken(rate_hz), busy)), codec) == [Tone.BUSY]


def test_keys_are_no_tones_of_ours(codec: str) -> None:
    rate_hz = rate_of(codec)
    for low, high in ((697, 1209), (941, 1336), (852, 1477)):
        keys = cadence(low, high, parts_ms=(100, 80), seconds=3, rate_hz=rate_hz)
        held = tone(low, high, ms=4000, rate_hz=rate_hz)
        assert tones_in(np.concatenate((spoken(rate_hz), keys, held)), codec) == []


def test_a_lost_packet_does_not_hide_a_busy_tone() -> None:
    wave = cadence(425, parts_ms=(480, 480), seconds=4.6, rate_hz=8000)
    sound = carried(wave + noise(len(wave), 5), "PCMU")
    sound[4 * 160 : 5 * 160] = 0
    assert [one for _, one in recognised(sound, 8000)] == [Tone.BUSY]


def test_speech_silence_and_noise_are_no_tones(codec: str) -> None:
    """The Asterisk prompts as a whole (31 minutes) hold one: their own beep.wav."""
    rate_hz = rate_of(codec)
    for path in sorted(SPEECH.glob("*.wav")):
        prompt = resample(load(path), from_hz=8000, to_hz=rate_hz).astype(float)
        assert tones_in(prompt, codec) == []
        assert tones_in(prompt, codec, noise_level=float(prompt.std()) / 3) == []
    assert tones_in(silence(5000, rate_hz), codec, noise_level=0) == []
    assert tones_in(silence(5000, rate_hz), codec, noise_level=1000) == []


def test_a_busy_tone_is_reported_again_while_it_lasts() -> None:
    wave = cadence(425, parts_ms=(480, 480), seconds=8, rate_hz=8000)
    ticks = [tick for tick, _ in recognised(carried(wave, "PCMU"), 8000)]
    assert len(ticks) == 2
    assert ticks[0] == 480 * 7 // 20 + 1, "four bursts, and what shows that the last is over"
