"""The model's notes in brackets: never spoken, and understood only in a fixed grammar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.dialogue.proposal import (
    LONGEST_NOTE,
    Proposal,
    ProposalFilter,
    parse_proposal,
)


def filtered(*pieces: str) -> tuple[str, Proposal | None]:
    notes = ProposalFilter()
    return "".join(notes.filtered(pieces)), notes.proposal


@pytest.mark.parametrize(
    ("note", "proposal"),
    [
        ("[transfer sales]", Proposal("transfer", "sales")),
        ("[Transfer: Ms Ito]", Proposal("transfer", "Ms Ito")),
        ("[message]", Proposal("message")),
        ("[action booking]", Proposal("action", "booking")),
        ("[transfer]", Proposal("transfer")),
        ("[transfer sip:evil@example.org]", None),
        ("[dial 110]", None),
        ("[transferred]", None),
    ],
)
def test_only_the_grammar_is_understood(note: str, proposal: Proposal | None) -> None:
    assert parse_proposal(note) == proposal


def test_a_note_is_taken_out_of_the_text_wherever_the_pieces_are_cut() -> None:
    text = "I can do that. [transfer sales] Bye."
    whole = ("I can do that.  Bye.", Proposal("transfer", "sales"))
    for cut in range(len(text)):
        assert filtered(text[:cut], text[cut:]) == whole
    assert filtered(*text) == whole


def test_the_first_proposal_counts_and_no_note_is_spoken() -> None:
    said, proposal = filtered("[smiles] Yes. [message][transfer sales]")
    assert (said, proposal) == (" Yes. ", Proposal("message"))


def test_a_bracket_that_is_never_closed_is_not_spoken_at_the_end() -> None:
    assert filtered("All right. [transfer sa") == ("All right. ", None)


def test_a_bracket_that_stays_open_for_long_is_text() -> None:
    text = "See [1 " + "and so on " * LONGEST_NOTE
    assert filtered(text) == (text, None)


@given(st.text(alphabet="[] abtransfer", max_size=200), st.integers(1, 7))
def test_no_text_without_brackets_is_lost(text: str, size: int) -> None:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert filtered(*pieces) == filtered(text)
    plain = text.replace("[", "").replace("]", "")
    assert filtered(plain) == (plain, None)
