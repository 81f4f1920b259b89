"""What the language model writes, cut into clauses worth speaking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.speech.sentences import (
    CLAUSE_PAUSE_MS,
    LONG_CLAUSE_WORDS,
    SENTENCE_PAUSE_MS,
    ClauseSplitter,
    pause_ms,
    speakable,
)


def split(*tokens: str) -> list[str]:
    """All clauses of a reply that arrives in these tokens."""
    splitter = ClauseSplitter()
    clauses = [clause for token in tokens for clause in splitter.push(token)]
    return clauses + splitter.flush()


def test_sentences_come_one_by_one() -> None:
    """A sentence is handed out when the next one begins."""
    splitter = ClauseSplitter()

    assert splitter.push("We open at eight") == []
    assert splitter.push(".") == []
    assert splitter.push(" Anything") == ["We open at eight."]
    assert splitter.push(" else?") == []
    assert splitter.flush() == ["Anything else?"]


def test_first_clause_may_end_at_a_comma() -> None:
    """The caller waits: whatever can be spoken on its own is."""
    assert split("On Monday morning, we open at eight, as always.") == [
        "On Monday morning,",
        "we open at eight, as always.",
    ]


def test_first_clause_may_be_a_single_word() -> None:
    """A prompt "Sure," buys the time in which the rest is written."""
    assert split("Sure, we open at eight, sir.") == ["Sure,", "we open at eight, sir."]


@pytest.mark.parametrize(
    ("sentence", "clauses"),
    [
        ("We open at eight in the morning.", ["We open at eight", "in the morning."]),
        (
            "The dentists are Doctor Harris and Novak.",
            ["The dentists", "are Doctor Harris and Novak."],
        ),
        ("Dogs are welcome in the garden.", ["Dogs are welcome", "in the garden."]),
        ("A check-up costs forty pounds.", ["A check-up costs", "forty pounds."]),
        ("Nobody here speaks French today.", ["Nobody here speaks French", "today."]),
    ],
)
def test_first_clause_may_end_where_a_phrase_begins(sentence: str, clauses: list[str]) -> None:
    """Ten characters are most of a second of speech; a long beginning ends at any word."""
    assert split(sentence) == clauses


def test_a_later_clause_is_cut_there_only_when_the_caller_would_hear_a_gap() -> None:
    """Whole sentences sound better."""
    splitter = ClauseSplitter()
    assert splitter.push("Yes. We open at eight in the") == ["Yes."]
    assert splitter.push(" morning from", is_urgent=True) == ["We open at eight"]
    assert splitter.push(" Monday") == []
    assert splitter.flush() == ["in the morning from Monday"]


def test_later_sentences_stay_whole() -> None:
    """A preposition cuts only the beginning of a reply."""
    assert split("Yes. You may come in. We meet at nine in the hall.") == [
        "Yes.",
        "You may come in.",
        "We meet at nine in the hall.",
    ]


@pytest.mark.parametrize("mark", [",", ";", ":", " -", " –", " —", "...", "…"])
def test_marks_that_may_end_the_first_clause(mark: str) -> None:
    """Any pause in the sentence will do."""
    assert split(f"We are closed today{mark} come back tomorrow.") == [
        f"We are closed today{mark}",
        "come back tomorrow.",
    ]


def test_long_sentence_is_cut_at_a_comma() -> None:
    """Later clauses end at a comma only when they are long."""
    long = " ".join(["Word"] * (LONG_CLAUSE_WORDS + 1))
    assert split(f"Yes. {long}, and more.") == ["Yes.", f"{long},", "and more."]
    assert split("Yes. One, two, three.") == ["Yes.", "One, two, three."]


@pytest.mark.parametrize(
    "sentence",
    [
        "Please ask for Mr. Brown or Dr. Green.",
        "We open at 8 a.m. and close at 5 p.m. on weekdays.",
        "We open at 8 a.m. Monday to Friday.",
        "Bring a document e.g. Your passport.",
        "It is No. 5 on the left.",
        "It costs 3.50 or $1,200.75 a year.",
        "We open at 8:30 and close at 17:00.",
        "J. K. Rowling called.",
        "Our site is www.example.com and our mail is info@example.co.uk today.",
        "See https://example.com/a,b;c:d?e=f.g for more.",
        "It is 1,000 metres away.",
        "Call Smith Inc. 5 minutes before.",
        "1. First you ring.",
        "Wait... what?",
        "It is a well-known nine-to-five office.",
    ],
)
def test_one_sentence_stays_one(sentence: str) -> None:
    """Full stops and commas inside a sentence don't cut it."""
    assert split(f"Right. {sentence}") == ["Right.", sentence]


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("No. We are closed.", ["No.", "We are closed."]),
        ("Until 5 p.m. We then close.", ["Until 5 p.m.", "We then close."]),
        ("We do. Really! Do you? Yes.", ["We do.", "Really!", "Do you?", "Yes."]),
        ('He said "come." Then he left.', ['He said "come."', "Then he left."]),
        ("(We are closed.) Come later.", ["(We are closed.)", "Come later."]),
        ("One line\nAnother line", ["One line", "Another line"]),
        ("월요일은 여덟 시에 엽니다. 감사합니다.", ["월요일은 여덟 시에 엽니다.", "감사합니다."]),
        ("八時に開きます。お待ちしています。", ["八時に開きます。", "お待ちしています。"]),
        ("See you at 17:00. Bye.", ["See you at 17:00.", "Bye."]),
        ("Visit example.com. Bye.", ["Visit example.com.", "Bye."]),
    ],
)
def test_sentence_ends(text: str, clauses: list[str]) -> None:
    """Real sentence ends cut, in scripts with and without spaces."""
    assert split(text) == clauses


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("**We open** at *eight*.", ["We open at eight."]),
        ("# Hours\n- Monday\n* Tuesday\n• Wednesday", ["Hours", "Monday", "Tuesday", "Wednesday"]),
        ("Use `code 12` now.", ["Use code 12 now."]),
        ("Hello! 😀👍🏽 Welcome ☎️.", ["Hello!", "Welcome ."]),
        ("See [our site](https://example.com).", ["See our site."]),
        ("Assistant: Hello.<|im_end|>", ["Hello."]),
        ("<think></think>Hello.", ["Hello."]),
        ("Press # or 5 * 3.", ["Press # or 5 * 3."]),
        ("my_name is __bold__ _here_", ["my_name is bold here"]),
        ("😀", []),
        (" \n\n - \n...", []),
    ],
)
def test_markup_is_not_spoken(text: str, clauses: list[str]) -> None:
    """Markdown, emoji and a model's markers disappear; what they mark stays."""
    assert split(text) == clauses


def test_flush_begins_a_new_reply() -> None:
    """After a flush the next clause is a first clause again."""
    splitter = ClauseSplitter()
    splitter.push("Yes, of course. Bye")

    assert splitter.flush() == ["Bye"]
    assert splitter.push("On Monday morning, we") == ["On Monday morning,"]


def test_pause_follows_the_mark() -> None:
    """A sentence is followed by a longer pause than part of one."""
    assert pause_ms("We open at eight.") == SENTENCE_PAUSE_MS
    assert pause_ms('He said "come in."') == SENTENCE_PAUSE_MS
    assert pause_ms("On Monday morning,") == CLAUSE_PAUSE_MS


PIECES = """
We open at eight . , ; : ? ! ... … - — 3.50 8:30 1,000 Mr. a.m. p.m. e.g. No. no. J. Monday
www.example.com me@example.org it's (yes) “yes.” 여덟 시에 。 네！
"""
PLAIN_TEXT = st.lists(st.sampled_from([*PIECES.split(), "\n"]), max_size=40).map(" ".join)
ANY_TEXT = PLAIN_TEXT | st.text(
    alphabet=st.sampled_from("aB1. ,;:!?…-—–*#`_~<>|()[]\"'’\n\t。！😀é네") | st.characters(),
    max_size=60,
)


@given(text=ANY_TEXT, data=st.data())
def test_clauses_dont_depend_on_the_tokens(text: str, data: st.DataObject) -> None:
    """However the text is cut into tokens, the clauses are the same."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=20)))
    tokens = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    assert split(*tokens) == split(text) == split(*text)


@given(text=PLAIN_TEXT)
def test_nothing_is_lost(text: str) -> None:
    """The clauses together are the text, but for space and marks that stand alone."""
    clauses = split(text)

    assert all(clause == clause.strip() and clause for clause in clauses)
    spoken = [character for character in "".join(clauses) if character.isalnum()]
    assert spoken == [character for character in text if character.isalnum()]


@given(words=st.lists(st.sampled_from(["We", "open", "at", "8:30,", "daily.", "Bye!"]), min_size=1))
def test_joined_clauses_are_the_text(words: list[str]) -> None:
    """Plain sentences come back word for word."""
    assert " ".join(split(" ".join(words))) == " ".join(words)


@given(text=st.text())
def test_cleaning_is_done_once(text: str) -> None:
    """Clean text has no space at its ends, nor two in a row."""
    assert speakable(text) == " ".join(speakable(text).split())
