"""What counts as right: judged by what can be heard and seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from softagent.lab.judgement import (
    EVERY,
    NOTHING,
    EndedBy,
    FallsSilent,
    Interval,
    Judgement,
    Kept,
    NeverSays,
    NoTransfer,
    Reaches,
    Says,
    SilentDuring,
    Transferred,
    judge,
    matches,
)
from softagent.lab.outgoing import CallPhase

CALL = replace(
    NOTHING,
    answers=("Good morning.", "A filling costs £90."),
    rest="Goodbye.",
    agent=(Interval(500, 2000), Interval(6000, 8000)),
    steps=(Interval(0, 3000), Interval(3000, 4000), Interval(4000, 4800), Interval(7000, 7500)),
    ended_by=CallPhase.ENDED_BY_CALLER,
    referred=("201",),
    dialled=("202",),
    kept=('{"name": "Ann Lee", "number": "555 0100"}',),
)

RIGHT = [
    Says("ninety|90"),
    Says("good morning", at=0),
    Says("goodbye", at=EVERY),
    NeverSays("system prompt"),
    SilentDuring(1, 2),
    FallsSilent(3, within_ms=1000),
    EndedBy(CallPhase.ENDED_BY_CALLER),
    Reaches("202"),
    Transferred("201"),
    Kept(("ann lee", "555 0100")),
]

WRONG = [
    (Says("forty|40"), '"forty|40" not in "A filling costs £90."'),
    (Says("forty", at=7), "before answer 7"),
    (NeverSays("goodbye"), '"goodbye" in'),
    (SilentDuring(1, 3), "spoke at 6.0 s"),
    (SilentDuring(1, 9), "ended too soon"),
    (FallsSilent(3, within_ms=500), "went on for 1000 ms"),
    (FallsSilent(1, within_ms=500), "was not speaking"),
    (EndedBy(CallPhase.ENDED_BY_AGENT), "ended-by-caller"),
    (Reaches("203"), "it tried 201, 202"),
    (Transferred("202"), "REFER to 201"),
    (NoTransfer(), "it tried 201, 202"),
    (Kept(("bob",)), '"bob" not in'),
]


@pytest.mark.parametrize("judgement", RIGHT, ids=repr)
def test_what_is_right_passes(judgement: Judgement) -> None:
    """Nothing to say against it."""
    assert judge(CALL, [judgement]) == ""


@pytest.mark.parametrize(("judgement", "why"), WRONG, ids=repr)
def test_what_is_wrong_is_said(judgement: Judgement, why: str) -> None:
    """The reason names what was expected or what was there."""
    assert why in judge(CALL, [judgement])


@pytest.mark.parametrize("judgement", [Reaches("201"), Transferred("201"), Kept(("x",))], ids=repr)
def test_what_cannot_be_seen_has_not_happened(judgement: Judgement) -> None:
    """At a PBX that can't be asked, a transfer or a message is never taken for granted."""
    assert "use --pbx lab" in judge(
        replace(CALL, referred=None, dialled=None, kept=None), [judgement]
    )


def test_nothing_written_down_is_a_failure() -> None:
    """An empty folder is none."""
    assert judge(replace(CALL, kept=()), [Kept(())]) == "nothing was written down"


def test_the_first_failure_is_told() -> None:
    """In the order of the judgements."""
    assert judge(CALL, [Says("ninety|90"), Says("one"), Says("two")]).startswith('"one"')


@pytest.mark.parametrize(
    ("text", "pattern", "is_in"),
    [
        ("At 8 a.m.", r"eight|8\w*", True),
        ("We open at 8am!", r"eight|8\w*", True),
        ("at eighteen", r"eight|8\w*", False),
        ("Twelve Willow-Lane, next", "willow lane", True),
        ("I can't do that.", "can't", True),
    ],
)
def test_patterns_match_whole_words(text: str, pattern: str, is_in: bool) -> None:
    """Case and punctuation don't count, but half a word isn't the word."""
    assert matches(text, pattern) is is_in
