"""Codecs at another rate than their own: the same sound, sample for sample as long, at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtp_source import Source

from softagent.media.bridged import TAPS, RateDoubler, RateHalver, codec_at
from softagent.media.codec import codec_named
from softagent.media.jitter import JitterBuffer

BRIDGES = [("G722", 8000), ("PCMU", 16000), ("PCMA", 16000)]


def sine(hertz, rate_hz, seconds=1.0, level=8000):
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(
        np.int16
    )


def level_db(sound, reference):
    """Power against that of `reference`, its beginning left out."""
    quiet = sound[len(sound) // 4 :].astype(float), reference[len(reference) // 4 :].astype(float)
    return 10 * np.log10(np.mean(quiet[0] ** 2) / np.mean(quiet[1] ** 2) + 1e-12)


@pytest.mark.parametrize(("name", "rate_hz"), BRIDGES)
def test_a_frame_is_exactly_a_frame_from_the_first_one_on(name, rate_hz):
    codec = codec_at(name, rate_hz)
    assert (codec.name, codec.rate_hz, codec.clock_hz) == (name, rate_hz, 8000)
    assert codec.payload_type == codec_named(name).payload_type
    for _ in range(50):
        payload = codec.encode(np.zeros(rate_hz // 50, dtype=np.int16))
        assert len(payload) == codec.duration(payload) == 160
        assert codec.decode(payload).shape == (rate_hz // 50,)


@settings(deadline=None)
@given(st.lists(st.integers(0, 500), max_size=20))
def test_pieces_of_any_length_make_the_same_sound(lengths):
    """Exactly twice and exactly half as many samples, and no seam."""
    sound = np.random.default_rng(2).integers(-9000, 9000, 2 * sum(lengths)).astype(np.int16)
    doubler, halver, position = RateDoubler(), RateHalver(), 0
    doubled, halved = [sound[:0]], [sound[:0]]
    for length in lengths:
        piece = sound[position : position + 2 * length]
        position += 2 * length
        doubled.append(doubler.process(piece))
        halved.append(halver.process(piece))
        assert (len(doubled[-1]), len(halved[-1])) == (4 * length, length)
    assert np.array_equal(np.concatenate(doubled), RateDoubler().process(sound))
    assert np.array_equal(np.concatenate(halved), RateHalver().process(sound))


@pytest.mark.parametrize("hertz", [100, 1000, 3000, 3400])
def test_the_telephone_band_passes_both_ways(hertz):
    wide, narrow = sine(hertz, 16000), sine(hertz, 8000)
    assert abs(level_db(RateHalver().process(wide), narrow)) < 0.2
    assert abs(level_db(RateDoubler().process(narrow), wide)) < 0.2


def test_what_eight_kilohertz_cannot_hold_is_kept_out():
    """5 kHz would come back as 3 kHz, and a doubled 1 kHz would have an image at 7 kHz."""
    wide = sine(5000, 16000)
    assert level_db(RateHalver().process(wide), wide) < -55
    doubled = RateDoubler().process(sine(1000, 8000))[2000:14000]
    spectrum = np.abs(np.fft.rfft(doubled * np.hanning(len(doubled)))) ** 2
    hertz = np.fft.rfftfreq(len(doubled), 1 / 16000)
    assert spectrum[hertz > 4500].sum() < 1e-5 * spectrum.sum()


def test_full_scale_does_not_turn_over():
    square = np.where(np.arange(1600) // 40 % 2, 32767, -32768).astype(np.int16)
    doubled = RateDoubler().process(square)[TAPS // 2 + 160 :]
    low, high = doubled[40::160], doubled[120::160]
    assert (low < -30000).all()
    assert (high > 30000).all()


@pytest.mark.parametrize(("ours", "theirs"), [("G722", "PCMU"), ("PCMU", "G722")])
def test_a_call_that_changes_its_codec_goes_on_at_its_rate(ours, theirs):
    """Tone through the other codec, bridged to the first one's rate, within 5 ms."""
    rate_hz = codec_named(ours).rate_hz
    far, near = codec_named(theirs), codec_at(theirs, rate_hz)
    tone = sine(800, far.rate_hz)
    tone[: far.rate_hz // 2] = 0
    size = far.rate_hz // 50
    heard = np.concatenate(
        [near.decode(far.encode(tone[i : i + size])) for i in range(0, len(tone), size)]
    ).astype(float)
    assert len(heard) == rate_hz
    assert rate_hz // 2 < np.argmax(np.abs(heard) > 4000) < rate_hz // 2 + 5 * rate_hz // 1000
    steady = heard[rate_hz * 6 // 10 :]
    angle = 2 * np.pi * 800 * np.arange(len(steady)) / rate_hz
    waves = np.column_stack((np.sin(angle), np.cos(angle)))
    amplitudes = np.linalg.lstsq(waves, steady, rcond=None)[0]
    error = steady - waves @ amplitudes
    assert 7800 < np.hypot(*amplitudes) < 8200
    assert 10 * np.log10(np.mean(steady**2) / np.mean(error**2)) > 30


@pytest.mark.parametrize(("name", "rate_hz"), BRIDGES)
def test_the_jitter_buffer_hears_a_bridged_codec(name, rate_hz):
    buffer = JitterBuffer(codec_at(name, rate_hz))
    source = Source()
    for _ in range(20):
        buffer.push(source.packet())
        assert buffer.pop().shape == (rate_hz // 50,)
    assert buffer.counters.concealed == 0


def test_the_codecs_own_rate_needs_no_bridge():
    assert codec_at("PCMU", 8000) is not codec_at("PCMU", 8000)
    assert type(codec_at("PCMU", 8000)) is type(codec_named("PCMU"))
    assert type(codec_at("G722", 16000)) is type(codec_named("G722"))


def test_other_rates_are_refused():
    with pytest.raises(
        ValueError, match="codec PCMU at 24000 Hz: expected half or twice its 8000 Hz"
    ):
        codec_at("PCMU", 24000)
