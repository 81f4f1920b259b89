"""What the caller hears: every sample of a reply once, and nothing of a stopped one."""

from collections import deque

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from softagent.media.frame import Samples
from softagent.media.playout import Playout

FRAME = 160
FADE = 40


def sound(count: int, value: int = 1000) -> Samples:
    return np.full(count, value, dtype=np.int16)


def ready(turn: int, samples: Samples) -> Playout:
    playout = Playout(8000)
    playout.begin(turn)
    assert playout.put(turn, 0, samples)
    playout.release(turn)
    return playout


def test_nothing_is_heard_before_release() -> None:
    playout = Playout(8000)
    playout.begin(7)
    playout.put(7, 0, sound(FRAME))
    assert playout.pop().turn is None
    playout.release(7)
    assert playout.pop().turn == 7


def test_sound_of_a_turn_that_is_not_current_is_refused() -> None:
    playout = Playout(8000)
    assert not playout.put(1, 0, sound(FRAME))
    playout.begin(2)
    assert not playout.put(1, 0, sound(FRAME))
    assert not playout.finish(1)
    assert not playout.release(1)
    assert playout.pending_frames(1) == 0


def test_another_turn_drops_the_one_before() -> None:
    playout = ready(1, sound(3 * FRAME))
    playout.begin(2)
    playout.put(2, 0, sound(FRAME, 5))
    playout.release(2)
    assert playout.pop().samples.tolist() == [5] * FRAME


def test_beginning_the_current_turn_again_keeps_its_sound() -> None:
    playout = ready(1, sound(FRAME))
    playout.begin(1)
    assert playout.pop().turn == 1


def test_a_frame_belongs_to_the_clause_of_its_first_sample() -> None:
    playout = ready(1, sound(200, 1))
    playout.put(1, 1, sound(200, 2))
    playout.finish(1)
    played = [playout.pop() for _ in range(3)]
    assert [p.clause for p in played] == [0, 0, 1]
    assert played[1].samples.tolist() == [1] * 40 + [2] * 120
    assert played[2].samples.tolist() == [2] * 80 + [0] * 80
    assert [(p.is_first, p.is_last) for p in played] == [(1, 0), (0, 0), (0, 1)]


def test_many_small_pieces_make_whole_frames() -> None:
    playout = Playout(8000)
    playout.begin(1)
    playout.release(1)
    for value in range(FRAME):
        assert playout.pending_frames(1) == (value > 0)
        playout.put(1, 0, sound(1, value))
    assert playout.pop().samples.tolist() == list(range(FRAME))


def test_the_end_of_a_reply_without_sound_is_seen() -> None:
    playout = Playout(8000)
    playout.begin(1)
    playout.finish(1)
    assert playout.pop().turn is None
    playout.release(1)
    played = playout.pop()
    assert (played.turn, played.clause, played.is_first, played.is_last) == (1, None, True, True)
    assert not played.samples.any()
    assert playout.pop().turn is None


def test_the_end_is_seen_when_finish_comes_after_the_last_frame_was_heard() -> None:
    playout = ready(1, sound(FRAME))
    assert not playout.pop().is_last
    playout.finish(1)
    played = playout.pop()
    assert (played.turn, played.clause, played.is_first, played.is_last) == (1, 0, False, True)


def test_silence_inside_a_reply_is_an_underrun() -> None:
    playout = Playout(8000)
    playout.begin(1)
    playout.release(1)
    playout.pop()
    assert playout.underruns == 0, "waiting for the first sound is thinking, not an underrun"
    playout.put(1, 0, sound(FRAME))
    playout.pop()
    assert playout.pop().turn is None
    assert playout.underruns == 1
    playout.put(1, 0, sound(FRAME))
    playout.finish(1)
    assert playout.pop().is_last
    playout.pop()
    assert playout.underruns == 1


def test_a_stopped_reply_fades_out_within_five_milliseconds() -> None:
    playout = ready(1, sound(3 * FRAME))
    playout.pop()
    playout.stop(1)
    played = playout.pop()
    assert played.turn is None
    assert played.samples[0] == 1000
    assert (np.diff(played.samples[: FADE + 1]) < 0).all()
    assert not played.samples[FADE:].any()
    assert not playout.pop().samples.any()


def test_a_reply_stopped_at_the_end_of_its_sound_fades_from_its_last_sample() -> None:
    playout = ready(1, sound(FRAME))
    playout.pop()
    playout.stop(1)
    assert playout.pop().samples[:2].tolist() == [1000, 975]


def test_a_reply_that_was_not_heard_yet_stops_without_a_trace() -> None:
    playout = ready(1, sound(FRAME))
    playout.stop(1)
    assert not playout.pop().samples.any()


def test_the_fade_comes_before_the_next_reply() -> None:
    playout = ready(1, sound(2 * FRAME))
    playout.pop()
    playout.begin(2)
    playout.put(2, 0, sound(FRAME, 5))
    playout.release(2)
    assert playout.pop().samples[0] == 1000
    assert playout.pop().turn == 2


def test_the_sound_may_be_changed_after_it_was_put() -> None:
    samples = sound(FRAME)
    playout = ready(1, samples)
    samples[:] = 0
    assert playout.pop().samples.all()


def test_sound_longer_than_a_second_is_heard_whole():
    samples = np.arange(20000, dtype=np.int16)
    playout = ready(1, samples)
    assert playout.pending_frames(1) == 125
    assert np.array_equal(np.concatenate([playout.pop().samples for _ in range(125)]), samples)


def test_wideband_frames_are_twice_as_long() -> None:
    playout = Playout(16000)
    assert playout.pop().samples.shape == (320,)


class AnyOrder(RuleBasedStateMachine):
    """Threads may call in any order; each sample put has a value of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.playout = Playout(8000)
        self.turn: int | None = None
        self.waiting: deque[tuple[int, int]] = deque()
        self.is_released = self.is_finished = False
        self.firsts: list[int] = []
        self.was_cut = self.was_heard = self.is_audible = False
        self.next_value = 1
        self.lives = 0

    def forget(self) -> None:
        self.was_cut |= self.was_heard and self.is_audible
        self.turn, self.was_heard = None, False
        self.waiting.clear()
        self.is_released = self.is_finished = False

    @rule(turn=st.integers(-1, 2))
    def begin(self, turn: int) -> None:
        self.playout.begin(turn)
        if turn != self.turn:
            self.forget()
            self.turn = turn

    @rule(turn=st.integers(-1, 2), clause=st.integers(0, 3), count=st.integers(0, 400))
    def put(self, turn: int, clause: int, count: int) -> None:
        values = 1 + (self.next_value + np.arange(count)) % 30000
        taken = self.playout.put(turn, clause, values.astype(np.int16))
        assert taken == (turn == self.turn and not self.is_finished)
        if taken:
            self.waiting.extend((int(value), clause) for value in values)
            self.next_value += count

    @rule(turn=st.integers(-1, 2))
    def finish(self, turn: int) -> None:
        assert self.playout.finish(turn) == (turn == self.turn and not self.is_finished)
        self.is_finished |= turn == self.turn

    @rule(turn=st.integers(-1, 2))
    def release(self, turn: int) -> None:
        assert self.playout.release(turn) == (turn == self.turn)
        self.is_released |= turn == self.turn

    @rule(turn=st.integers(-1, 2))
    def stop(self, turn: int) -> None:
        self.playout.stop(turn)
        if turn == self.turn:
            self.forget()

    @rule(count=st.integers(1, 4))
    def pop(self, count: int) -> None:
        for _ in range(count):
            self.pop_one()

    def pop_one(self) -> None:
        played = self.playout.pop()
        assert played.samples.shape == (FRAME,)
        if self.was_cut:
            self.was_cut = self.is_audible = False
            assert played.turn is None
            assert not played.samples[FADE:].any()
            return
        is_due = self.is_released and (self.is_finished or len(self.waiting) >= FRAME)
        assert played.turn == (self.turn if is_due else None)
        self.is_audible = is_due
        if not is_due:
            assert not played.samples.any()
            return
        due = [self.waiting.popleft() for _ in range(min(FRAME, len(self.waiting)))]
        assert played.samples.tolist() == [v for v, _ in due] + [0] * (FRAME - len(due))
        if due:
            assert played.clause == due[0][1]
        assert played.is_first == (not self.was_heard)
        assert played.is_last == (self.is_finished and not self.waiting)
        self.was_heard = True
        if played.is_last:
            self.was_heard = False
            self.forget()

    @precondition(lambda self: self.turn is not None)
    @invariant()
    def frames_are_counted(self) -> None:
        assert self.playout.pending_frames(self.turn or 0) == -(-len(self.waiting) // FRAME)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_a_paused_reply_fades_out_waits_and_goes_on_where_it_was() -> None:
    playout = Playout(8000)
    spoken = np.full(FRAME * 4, 8000, dtype=np.int16)
    playout.begin(1)
    playout.put(1, 0, spoken)
    playout.finish(1)
    playout.release(1)
    playout.pop()
    playout.pause(1)
    playout.pause(1)
    faded = playout.pop()
    assert faded.turn is None
    assert abs(int(faded.samples[0])) > 7000
    assert not faded.samples[50:].any()
    assert [playout.pop().turn for _ in range(20)] == [None] * 20
    assert playout.underruns == 0
    playout.resume(1)
    rest = [playout.pop() for _ in range(3)]
    assert [played.turn for played in rest] == [1, 1, 1]
    assert rest[-1].is_last
    assert rest[0].samples[0] == 0
    assert (rest[0].samples[50:] == 8000).all()


def test_sound_of_a_paused_reply_is_still_accepted() -> None:
    playout = Playout(8000)
    playout.begin(1)
    playout.release(1)
    playout.pause(1)
    assert playout.put(1, 0, np.ones(FRAME, dtype=np.int16))
    assert playout.finish(1)
    assert playout.pop().turn is None
    playout.resume(1)
    assert playout.pop().is_last


def test_another_turn_is_not_paused_by_an_old_command() -> None:
    playout = Playout(8000)
    playout.begin(2)
    playout.put(2, 0, np.ones(FRAME, dtype=np.int16))
    playout.release(2)
    playout.pause(1)
    assert playout.pop().turn == 2


def test_a_filler_is_heard_before_the_reply_and_is_no_part_of_it() -> None:
    playout = Playout(8000)
    playout.begin(1)
    playout.release(1)
    assert playout.interject(1, sound(FRAME + 1, 7))
    playout.put(1, 0, sound(FRAME))
    assert playout.pending_frames(1) == 1
    heard = [playout.pop() for _ in range(3)]
    assert [one.turn for one in heard] == [None, None, 1]
    assert [one.filler_of for one in heard] == [1, 1, None]
    assert heard[1].samples.tolist() == [7] + [0] * (FRAME - 1)
    assert heard[2].is_first
    assert playout.underruns == 0


def test_no_filler_is_taken_by_a_reply_that_is_there_hidden_foreign_or_filled_before() -> None:
    assert not ready(1, sound(FRAME)).interject(1, sound(FRAME))
    playout = Playout(8000)
    playout.begin(1)
    assert not playout.interject(1, sound(FRAME)), "not released"
    playout.release(1)
    assert not playout.interject(2, sound(FRAME)), "not current"
    assert playout.interject(1, sound(FRAME))
    playout.pop()
    assert not playout.interject(1, sound(FRAME)), "one is enough"


def test_a_filler_that_is_cut_off_fades() -> None:
    playout = Playout(8000)
    playout.begin(1)
    playout.release(1)
    playout.interject(1, sound(3 * FRAME))
    playout.pop()
    playout.stop(1)
    faded = playout.pop()
    assert (faded.samples[0], faded.filler_of) == (1000, None)
    assert not faded.samples[FADE:].any()
    assert not playout.pop().samples.any()


def test_a_paused_filler_goes_on_where_it_was() -> None:
    playout = Playout(8000)
    playout.begin(1)
    playout.release(1)
    playout.interject(1, sound(3 * FRAME))
    playout.pop()
    playout.pause(1)
    assert [playout.pop().filler_of for _ in range(3)] == [None] * 3
    playout.resume(1)
    assert [playout.pop().filler_of for _ in range(3)] == [1, 1, None]
