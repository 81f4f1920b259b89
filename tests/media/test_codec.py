"""G.711 against an implementation that no one here wrote, and against its own definition."""

import warnings

import numpy as np
import pytest

from softagent.media.codec import codec_named

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

ALL_LINEAR = np.arange(-32768, 32768, dtype=np.int16)
ALL_CODES = bytes(range(256))


def test_every_mu_law_code_expands_as_audioop_says() -> None:
    expected = np.frombuffer(audioop.ulaw2lin(ALL_CODES, 2), dtype=np.int16)
    assert np.array_equal(codec_named("PCMU").decode(ALL_CODES), expected)


def test_every_a_law_code_expands_as_audioop_says() -> None:
    expected = np.frombuffer(audioop.alaw2lin(ALL_CODES, 2), dtype=np.int16)
    assert np.array_equal(codec_named("PCMA").decode(ALL_CODES), expected)


def test_every_linear_value_compresses_to_a_law_as_audioop_says() -> None:
    assert codec_named("PCMA").encode(ALL_LINEAR) == audioop.lin2alaw(ALL_LINEAR.tobytes(), 2)


def test_every_positive_value_compresses_to_mu_law_as_audioop_says() -> None:
    positive = ALL_LINEAR[ALL_LINEAR >= 0]
    assert codec_named("PCMU").encode(positive) == audioop.lin2ulaw(positive.tobytes(), 2)


def test_negative_mu_law_mirrors_positive() -> None:
    """G.191 takes the one's complement of a negative value; audioop rounds it the other way."""
    codec = codec_named("PCMU")
    positive = np.frombuffer(codec.encode(ALL_LINEAR[ALL_LINEAR >= 0]), dtype=np.uint8)
    negative = np.frombuffer(codec.encode(~ALL_LINEAR[ALL_LINEAR >= 0]), dtype=np.uint8)
    assert np.array_equal(negative, positive & 0x7F)


def test_silence_has_the_codes_of_the_recommendation() -> None:
    silence = np.zeros(160, dtype=np.int16)
    assert codec_named("PCMU").encode(silence) == b"\xff" * 160
    assert codec_named("PCMA").encode(silence) == b"\xd5" * 160


def test_codes_survive_a_round_trip() -> None:
    """Tandem coding adds no noise. Mu-law has two zeros; the negative one becomes positive."""
    a_law, mu_law = codec_named("PCMA"), codec_named("PCMU")
    assert a_law.encode(a_law.decode(ALL_CODES)) == ALL_CODES
    assert mu_law.encode(mu_law.decode(ALL_CODES)) == ALL_CODES.replace(b"\x7f", b"\xff")


@pytest.mark.parametrize("name", ["PCMU", "PCMA"])
@pytest.mark.parametrize(("level_dbfs", "least_snr_db"), [(-6, 36), (-18, 36), (-33, 34)])
def test_speech_levels_keep_their_quality(name: str, level_dbfs: int, least_snr_db: int) -> None:
    noise = np.random.default_rng(1).normal(size=32000) * 32768 * 10 ** (level_dbfs / 20) / 2
    samples = np.clip(noise, -32768, 32767).astype(np.int16)
    codec = codec_named(name)
    error = codec.decode(codec.encode(samples)).astype(float) - samples
    snr_db = 10 * np.log10(np.mean(samples.astype(float) ** 2) / np.mean(error**2))
    assert snr_db > least_snr_db


def test_payloads_of_any_length_decode() -> None:
    codec = codec_named("PCMU")
    assert codec.decode(b"").shape == (0,)
    assert codec.decode(b"\x00\xff\x80").tolist() == [-32124, 0, 32124]
    assert codec.duration(bytes(80)) == 80


def test_slices_of_a_larger_sound_encode() -> None:
    """Frames are views into longer arrays, also with a step."""
    stereo = np.arange(-320, 320, dtype=np.int16).reshape(320, 2)
    codec = codec_named("PCMA")
    assert codec.encode(stereo[:, 1]) == codec.encode(stereo[:, 1].copy())


def test_unknown_codec_is_refused() -> None:
    with pytest.raises(ValueError, match='codec "GSM": expected PCMU, PCMA or G722'):
        codec_named("GSM")
