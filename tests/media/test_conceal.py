"""Made-up sound: the last one again, fading into silence within 60 ms."""

import numpy as np

from softagent.media.conceal import Concealer


def test_nothing_heard_is_nothing_repeated():
    assert not Concealer(8000).conceal(160).any()


def test_it_repeats_and_fades_to_silence_in_three_frames():
    concealer = Concealer(8000)
    concealer.heard(np.full(160, 12000, dtype=np.int16))
    frames = [concealer.conceal(160) for _ in range(4)]
    assert frames[0][0] == 12000
    assert (np.diff(np.concatenate(frames[:3])) < 0).all()
    assert not frames[3].any()
    assert frames[0].dtype == np.int16


def test_what_is_made_up_does_not_depend_on_the_pieces():
    whole, pieces = Concealer(8000), Concealer(8000)
    for concealer in (whole, pieces):
        concealer.heard(np.arange(400, dtype=np.int16))
    parts = [pieces.conceal(count) for count in (1, 79, 200, 120, 400)]
    assert np.array_equal(np.concatenate(parts), whole.conceal(800))


def test_short_packets_add_up_to_a_history():
    concealer = Concealer(8000)
    concealer.heard(np.full(80, 1000, dtype=np.int16))
    concealer.heard(np.full(80, 2000, dtype=np.int16))
    made_up = concealer.conceal(160)
    assert made_up[0] == 1000
    assert made_up[80] > made_up[79]


def test_real_sound_is_loud_again():
    concealer = Concealer(8000)
    concealer.conceal(1000)
    concealer.heard(np.full(160, 500, dtype=np.int16))
    assert concealer.conceal(1)[0] == 500
