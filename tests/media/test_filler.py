"""Sound for what isn't there: seams that can't be heard, pauses that begin and end as they are."""

import numpy as np

from softagent.media.filler import SPLICE_MS, Filler

FRAME = 160
RAMP = np.linspace(-9000, 9000, FRAME).astype(np.int16)


def constant(value):
    return np.full(FRAME, value, dtype=np.int16)


def test_a_frame_that_is_left_out_gives_way_to_the_next_without_a_step():
    filler = Filler(8000)
    spliced = filler.splice(constant(1000), constant(-1000))
    assert spliced[0] > 900
    assert (np.diff(spliced.astype(int)) <= 0).all()
    assert (spliced[8 * SPLICE_MS :] == -1000).all()


def test_what_is_spliced_is_left_as_it_was():
    frame, following = constant(1000), RAMP.copy()
    Filler(8000).splice(frame, following)
    assert np.array_equal(following, RAMP)


def test_after_a_pause_sound_begins_as_it_is_and_after_a_loss_it_is_blended():
    filler = Filler(8000)
    filler.heard(constant(8000))
    filler.conceal(FRAME)
    assert not np.array_equal(filler.heard(RAMP), RAMP)
    filler.conceal(FRAME)
    filler.pause(FRAME)
    assert np.array_equal(filler.heard(RAMP), RAMP)


def test_another_source_has_no_noise_of_the_one_before():
    filler = Filler(8000)
    filler.tell(b"\x3c")
    assert filler.pause(8000).any()
    filler.restart()
    assert not filler.pause(8000).any()


def test_no_samples_are_none():
    filler = Filler(8000)
    filler.conceal(FRAME)
    assert filler.heard(RAMP[:0]).shape == filler.conceal(0).shape == filler.pause(0).shape == (0,)
