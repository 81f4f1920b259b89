"""Facts that don't fit: cut into passages, and looked up by what the caller asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_call import account, engines

from softagent.accounts import read_office
from softagent.config import Account
from softagent.dialogue.history import KNOWN_ABOUT, History
from softagent.dialogue.passages import PASSAGE_CHARACTERS, passages
from softagent.errors import ConfigError
from softagent.handbook import MOST_PASSAGES, Handbook, terms_of
from softagent.hours import HoursSettings
from softagent.reception import wall_clock
from softagent.talk import LOOKED_UP, conversation, handbook_of, opening_of

TOPICS = {
    "Parking": "Visitors park behind the building, in the bays marked with a blue V. The barrier opens when you press the bell.",
    "Returning goods": "Goods may be returned within thirty days, unused and with the receipt. The refund arrives after a week.",
    "Dogs": "Dogs are welcome in the showroom as long as they are kept on a lead. Cats have to wait outside.",
    "Wheelchairs": "The side entrance in Canal Street has a ramp, and the lift takes wheelchairs up to every floor.",
    "Paying": "We take cash, bank cards and cheques. Invoices above five hundred euros can be settled in three instalments.",
    "Sharpening knives": "Knives are sharpened on Tuesdays while you wait, and cost four euros a blade.",
    "Guarantee": "Every lawn mower carries a warranty of five years, batteries excepted, which have two.",
    "Lost property": "Umbrellas and gloves that were found are kept at the front desk for a month.",
    "Apprentices": "Applications for an apprenticeship go to Ms Ito before the end of March.",
    "Delivery": "Within the city parcels are delivered the next working day; islands take a week longer.",
}


def handbook_text() -> str:
    """About 30 pages: ten chapters, each with its topic among twenty sections about nothing that is asked for."""
    chapters = []
    for number, (topic, text) in enumerate(TOPICS.items(), start=1):
        chapters.append(f"# Chapter {number}\n")
        for section in range(20):
            chapters.append(
                f"## Regulation {number}.{section}\n\nThe committee of department {section} reviews"
                f" form {number}{section:02} every quarter and archives the minutes. Members sign the"
                " register, and the secretary forwards a copy to the board, which approves it."
                " Exceptions are listed in the annex, together with their date of expiry.\n"
            )
            if section == (number * 7) % 20:
                chapters.append(f"## {topic}\n\n{text}\n")
    return "\n".join(chapters)


@pytest.fixture(scope="module")
def handbook() -> Handbook:
    return Handbook(handbook_text(), language="en", budget_tokens=600)


# Cutting


def test_a_passage_carries_the_headings_above_it() -> None:
    text = "# Office\n\nWe are open.\n\n## Prices ##\n\nA cut is 20 euros.\n\n# Other\n\nNothing."
    assert passages(text) == [
        "Office: We are open.",
        "Office, Prices: A cut is 20 euros.",
        "Other: Nothing.",
    ]


def test_underlined_headings_count_and_text_needs_none() -> None:
    assert passages("Opening\n=======\nAt nine.\n\nPrices\n---\nTen.") == [
        "Opening: At nine.",
        "Opening, Prices: Ten.",
    ]
    assert passages("Just a line.\nAnd another.") == ["Just a line. And another."]
    assert passages(" \n\n") == []


def test_a_list_stays_with_the_sentence_before_it() -> None:
    assert passages("We sell:\n\n- shoes\n- hats") == ["We sell: - shoes. - hats"]


def test_long_paragraphs_are_cut_at_sentences() -> None:
    sentence = "The quick brown fox jumps over the lazy dog again and again. "
    cut = passages(sentence * 30)
    assert all(len(piece) <= PASSAGE_CHARACTERS and piece.endswith("again.") for piece in cut)
    assert " ".join(cut) == (sentence * 30).strip()


@given(st.text(st.sampled_from("ab .#-=\n:가。"), max_size=3000))
def test_nothing_is_lost_but_marks(text: str) -> None:
    """Every letter of a text is in a passage, or in a heading with nothing under it."""
    found = "".join(passages(text))
    headings = sum(line.lstrip().startswith("#") for line in text.splitlines())
    if not headings and "=" not in text and "-" not in text:
        assert [c for c in found if c in "ab가"] == [c for c in text if c in "ab가"]


# Looking up


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("Hi, where can I park my car?", "Parking"),
        ("Can I return something I bought?", "Returning goods"),
        ("How do I get a refund?", "Returning goods"),
        ("May I bring my dog?", "Dogs"),
        ("Is there a ramp for a wheelchair?", "Wheelchairs"),
        ("Um, can I pay by bank card?", "Paying"),
        ("Could I settle an invoice in instalments, please?", "Paying"),
        ("What does it cost to have a knife sharpened?", "Sharpening knives"),
        ("How long is the warranty for the batteries of a mower?", "Guarantee"),
        ("I've left my umbrella at your place.", "Lost property"),
        ("I'd like to apply for an apprenticeship.", "Apprentices"),
        ("When will my parcel be delivered to the islands?", "Delivery"),
    ],
)
def test_the_passage_about_a_question_comes_first(
    handbook: Handbook, question: str, topic: str
) -> None:
    assert len(handbook.passages) > 200
    best, *_ = handbook.look_up(question)
    assert TOPICS[topic] in best


@pytest.mark.parametrize(
    "question",
    ["", "Hello, how are you?", "Do you sell helicopters?", "Tell me about Napoleon.", "42?"],
)
def test_a_question_about_nothing_in_it_gets_nothing(handbook: Handbook, question: str) -> None:
    assert handbook.look_up(question) == []


def test_a_question_that_says_little_is_looked_up_with_the_one_before(handbook: Handbook) -> None:
    assert handbook.look_up("And how much is it?", "Do you sharpen knives?")[0].endswith(
        TOPICS["Sharpening knives"]
    )
    both = handbook.look_up("And cats?", "May I bring my dog?")
    assert TOPICS["Dogs"] in both[0]


def test_what_is_found_keeps_to_its_room() -> None:
    text = "\n\n".join(f"# {n}\n\n" + "Bread rises. " * 30 for n in range(9))
    found = Handbook(text, language="en", budget_tokens=300).look_up("bread")
    assert 0 < sum(len(passage.encode()) for passage in found) <= 900
    assert len(Handbook(text, language="en", budget_tokens=9000).look_up("bread")) == MOST_PASSAGES


def test_korean_is_compared_by_pairs_of_syllables() -> None:
    """Endings hang on the word: 주차장은, 주차장이 and 주차 have the stem's pair in common."""
    assert set(terms_of("ko")("주차장은")) & set(terms_of("ko")("주차 되나요")) == {"주차"}
    text = "# 주차\n\n주차장은 건물 뒤에 있습니다.\n\n# 환불\n\n환불은 삼십일 안에 됩니다."
    book = Handbook(text, language="ko", budget_tokens=300)
    assert book.look_up("주차할 수 있나요?")[0].endswith("건물 뒤에 있습니다.")
    assert book.look_up("코끼리") == []


# In the prompt


def with_facts(text: str) -> Account:
    return replace(account(), facts=text)


def test_facts_that_fit_stand_in_the_prompt_as_they_are() -> None:
    office = with_facts("We sell shoes.")
    assert handbook_of(office) is None
    assert "We sell shoes." in opening_of(office)[0]["content"]


def test_facts_that_do_not_fit_are_looked_up() -> None:
    office = with_facts(handbook_text())
    [system, *_] = opening_of(office)
    book = handbook_of(office)
    assert LOOKED_UP in system["content"]
    assert "committee" not in system["content"]
    assert book is not None
    talk = conversation(
        office,
        engines(),
        opening_of(office),
        takes_messages=False,
        now=wall_clock(),
        look_up=book.look_up,
    )
    *_, known, asked = talk.history.prompt("May I bring my dog?")
    assert known["role"] == "system"
    assert TOPICS["Dogs"] in known["content"]
    assert asked == {"role": "user", "content": "May I bring my dog?"}


def test_opening_hours_stand_beside_what_was_found() -> None:
    """A small model goes by what is next to the question."""
    office = replace(account(), hours=HoursSettings(monday="9:00-17:00"))
    talk = conversation(
        office,
        engines(),
        (),
        takes_messages=False,
        now=wall_clock(),
        look_up=lambda words, before: ["The barrier opens."] if "open" in words else [],
    )
    known, _ = talk.history.prompt("Are you open?")
    lines = known["content"].splitlines()
    assert lines[1].startswith("We are open on Monday, 9:00 am to 5:00 pm.")
    assert "The office is" in lines[2]
    assert lines[3:] == ["The barrier opens."]
    assert len(talk.history.prompt("Hello")) == 1


def test_a_prompt_holds_what_was_found_for_its_own_question_only() -> None:
    history = History(
        (), budget_tokens=1000, look_up=lambda words, before: [f"{before}>{words}"] if words else []
    )
    history.add_caller("first")
    history.add_agent("answer")
    before, answer, known, asked = history.prompt("second")
    assert (before["content"], answer["content"]) == ("first", "answer")
    assert known["content"] == f"{KNOWN_ABOUT}\nfirst>second"
    assert asked["content"] == "second"
    assert [message["content"] for message in history.messages] == ["first", "answer"]


def test_older_exchanges_make_room_for_what_was_found() -> None:
    history = History((), budget_tokens=300, look_up=lambda words, before: ["x" * 600])
    for number in range(10):
        history.add_caller(f"question {number}")
        history.add_agent("answer")
    prompt = history.prompt("last")
    assert prompt[-2]["content"].endswith("x" * 600)
    assert len(prompt) < 22


# In the accounts file


def test_facts_come_from_several_files(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A\n\nOne.\n")
    (tmp_path / "b.txt").write_text("Two.\n")
    file = tmp_path / "accounts.toml"
    start = '[[account]]\nname = "a"\nregistrar = "pbx"\nusername = "1"\npassword = "p"\n'
    file.write_text(start + 'facts_file = ["a.md", "b.txt"]\n')
    assert read_office(file).accounts[0].facts == "# A\n\nOne.\n\nTwo."
    file.write_text(start + 'facts_file = ["a.md", "c.txt"]\n')
    with pytest.raises(ConfigError, match="file 2: the file can't be read: No such file"):
        read_office(file)
    file.write_text(start + "facts_file = []\n")
    with pytest.raises(ConfigError, match="expected a path, or a list of them"):
        read_office(file)
