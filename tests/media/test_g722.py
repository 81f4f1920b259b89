"""G.722 against sound that someone else encoded, and across packets of every length."""

import wave
from pathlib import Path

import numpy as np
import pytest

from softagent.media.codec import codec_named
from softagent.media.resample import resample

SPEECH = Path(__file__).parents[1] / "data" / "speech"


def recorded(name):
    with wave.open(str(SPEECH / name)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)


def snr_db(reference, heard, longest_delay=80):
    """The signal-to-noise ratio at the delay where it is best: G.722's filters take 22 samples."""
    size = len(reference) - longest_delay
    signal = reference[:size].astype(float)
    noise = [np.mean((heard[delay : delay + size] - signal) ** 2) for delay in range(longest_delay)]
    return 10 * np.log10(np.mean(signal**2) / min(noise))


def frames(sound, length):
    return [sound[start : start + length] for start in range(0, len(sound), length)]


def test_it_is_told_as_rfc_3551_says() -> None:
    codec = codec_named("G722")
    assert (codec.name, codec.payload_type) == ("G722", 9)
    assert (codec.rate_hz, codec.clock_hz) == (16000, 8000)
    payload = codec.encode(np.zeros(320, dtype=np.int16))
    assert len(payload) == codec.duration(payload) == 160
    assert codec.decode(payload).shape == (320,)


def test_a_recording_that_asterisk_ships_as_g722_is_heard() -> None:
    """The same prompt as `seven.wav`, encoded by others from the wideband master, upside down."""
    codec = codec_named("G722")
    payload = (SPEECH / "seven.g722").read_bytes()
    sound = np.concatenate([codec.decode(piece) for piece in frames(payload, 160)])
    narrow = -resample(sound, from_hz=16000, to_hz=8000).astype(float)
    original = recorded("seven.wav").astype(float)
    size = min(len(narrow), len(original)) - 200
    best = max(
        np.corrcoef(narrow[100 + lag : 100 + lag + size], original[100 : 100 + size])[0, 1]
        for lag in range(-100, 100)
    )
    assert best > 0.8, "the narrow one went through another filter"
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / 16000)
    assert spectrum[hertz > 4200].sum() > 0.001 * spectrum.sum(), "an s has more above 4 kHz"


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 60])
def test_speech_survives_in_packets_of_any_length(ptime_ms: int) -> None:
    """The state goes on from packet to packet: no seam, whatever the length."""
    speech = recorded("not-ill-disposed.wav")
    sending, hearing = codec_named("G722"), codec_named("G722")
    pieces = frames(speech[: len(speech) // 960 * 960], 16 * ptime_ms)
    heard = np.concatenate([hearing.decode(sending.encode(piece)) for piece in pieces])
    whole = codec_named("G722")
    assert np.array_equal(heard, whole.decode(whole.encode(np.concatenate(pieces))))
    assert snr_db(np.concatenate(pieces), heard) > 18


def test_a_lost_packet_is_forgotten_soon() -> None:
    """The decoder's state differs after a loss, and closes up within 100 ms."""
    speech = recorded("not-ill-disposed.wav")
    sending, whole, lossy = codec_named("G722"), codec_named("G722"), codec_named("G722")
    payloads = [sending.encode(piece) for piece in frames(speech[:32000], 320)]
    reference = np.concatenate([whole.decode(payload) for payload in payloads])
    heard = np.concatenate(
        [
            lossy.decode(payload) if number != 40 else np.zeros(320, np.int16)
            for number, payload in enumerate(payloads)
        ]
    )
    after = slice(41 * 320 + 1600, 41 * 320 + 6400)
    error = heard[after].astype(float) - reference[after]
    signal = reference[after].astype(float)
    assert 10 * np.log10(np.mean(signal**2) / np.mean(error**2)) > 15


def test_the_two_directions_share_no_state() -> None:
    speech = recorded("not-ill-disposed.wav")[3200:9600]
    alone, busy = codec_named("G722"), codec_named("G722")
    for piece in frames(speech, 320):
        expected = alone.encode(piece)
        assert busy.encode(piece) == expected
        busy.decode(expected[::-1])


def test_payloads_of_any_length_decode() -> None:
    codec = codec_named("G722")
    assert codec.decode(b"").shape == (0,)
    assert codec.decode(b"\xff").shape == (2,)
    assert codec.decode(bytes(range(256))).dtype == np.int16


def test_slices_of_a_larger_sound_encode() -> None:
    """Frames are views into longer arrays, also with a step."""
    stereo = np.arange(-640, 640, dtype=np.int16).reshape(640, 2)
    one, other = codec_named("G722"), codec_named("G722")
    assert one.encode(stereo[:, 1]) == other.encode(stereo[:, 1].copy())
