"""When a filler is due: once a turn, and only when nothing has been heard for so long."""

from softagent.dialogue.filler import FillerPolicy

PHRASES = ("One moment.", "Let me see.")
WAIT = 75


def due(policy: FillerPolicy, turn: int | None, ticks: int) -> list[str | None]:
    return [policy.push(turn) for _ in range(ticks)]


def test_a_filler_is_due_at_the_tick_in_which_the_wait_is_over() -> None:
    policy = FillerPolicy(PHRASES, wait_ticks=WAIT)
    assert due(policy, 1, WAIT) == [None] * (WAIT - 1) + ["One moment."]


def test_it_stays_due_until_it_is_said_and_is_said_once() -> None:
    policy = FillerPolicy(PHRASES, wait_ticks=WAIT)
    due(policy, 1, WAIT)
    assert policy.push(1) == "One moment."
    policy.note_said()
    assert due(policy, 1, 10 * WAIT) == [None] * 10 * WAIT


def test_the_next_slow_turn_has_the_next_phrase() -> None:
    policy = FillerPolicy(PHRASES, wait_ticks=WAIT)
    heard = []
    for turn in (1, 2, 3):
        heard.append(due(policy, turn, WAIT)[-1])
        policy.note_said()
        policy.push(None)
    assert heard == ["One moment.", "Let me see.", "One moment."]


def test_the_wait_begins_anew_with_each_turn() -> None:
    policy = FillerPolicy(PHRASES, wait_ticks=WAIT)
    for turn in (1, None, 2, 3):
        assert due(policy, turn, WAIT - 1) == [None] * (WAIT - 1)


def test_none_is_due_where_none_is_wanted() -> None:
    for policy in (FillerPolicy(PHRASES, wait_ticks=0), FillerPolicy((), wait_ticks=WAIT)):
        assert due(policy, 1, 3 * WAIT) == [None] * 3 * WAIT
