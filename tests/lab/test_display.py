"""What the demonstration shows, line by line."""

from __future__ import annotations

from softagent.lab.display import Display, stage_line, table
from softagent.lab.witness import mentions
from softagent.report import Heard, Said, TurnMeasured


def test_both_sides_words_come_in_order() -> None:
    """The label stands at the first clause only; what was said is kept by line."""
    shown: list[str] = []
    display = Display(lambda line, _is_dim: shown.append(line))
    display.report(Said("lab", "c", 0, "Good morning."))
    display.caller_speaks(0, "Are you open?")
    display.report(Heard("lab", "c", 1, "are you open"))
    display.report(Said("lab", "c", 1, "Yes,"))
    display.report(TurnMeasured("lab", "c", 1, {"paused": 200.0, "heard": 640.4}))
    display.report(Said("lab", "c", 1, "we are."))
    assert shown == [
        "  agent   Good morning.",
        "",
        "  caller  Are you open?",
        "          (understood: are you open)",
        "  agent   Yes,",
        "  ms      heard 640",
        "          we are.",
    ]
    assert display.said(None) == "Good morning."
    assert display.said(0) == "Yes, we are."
    assert display.marks(0) == {"paused": 200.0, "heard": 640.4}
    assert display.said(7) == ""


def test_stages_stand_in_order_of_time() -> None:
    """`ended` comes before or after the stages in the middle."""
    marks = {"first_token": 700.0, "ended": 560.0, "heard": 900.0}
    assert stage_line(marks) == "end 560, token 700, heard 900"


def test_a_table_lines_up() -> None:
    """First column left, the others right."""
    assert table(["", "p50"], [["response", "640"], ["drift", "1"]]) == [
        "          p50",
        "--------  ---",
        "response  640",
        "drift       1",
    ]


def test_a_fact_is_a_word_of_its_own() -> None:
    """Eight is in "at eight" and "8 a.m.", not in "weighty" or "18"."""
    expected = ("eight", "8")
    assert mentions("We open at Eight.", expected)
    assert mentions("From 8a.m. on", expected)
    assert not mentions("A weighty matter, from 18 on", expected)
