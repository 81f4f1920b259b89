"""What the model writes, as it is read aloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.media.frame import Samples
from softagent.speech.english import english
from softagent.speech.wording import WordedSpeech, wording


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        # times
        ("We open at 9:30 am.", "We open at nine thirty a.m."),
        ("We open at 9:30 a.m. on Mondays.", "We open at nine thirty a.m. on Mondays."),
        ("Come at 9 a.m.", "Come at nine a.m."),
        ("Come at 17:00.", "Come at five p.m."),
        ("Come at 9:00.", "Come at nine o'clock."),
        ("Come at 9:05 or 0:00.", "Come at nine oh five or midnight."),
        ("From 9am to 5pm.", "From nine a.m. to five p.m."),
        ("From 9:00-17:00.", "From nine o'clock to five p.m."),
        ("9 am – 5 pm", "nine a.m. to five p.m."),
        ("Mon-Fri, 9 to 5", "Monday to Friday, nine to five"),
        # money
        ("It costs $5.", "It costs five dollars."),
        ("It costs $1.50.", "It costs one dollar and fifty cents."),
        ("It costs €1,200.", "It costs one thousand, two hundred euros."),
        ("It costs 12.99 EUR.", "It costs twelve euros and ninety-nine cents."),
        ("It costs 45 €.", "It costs forty-five euros."),
        ("It costs £0.50.", "It costs fifty pence."),
        ("It costs $2 million.", "It costs two million dollars."),
        # dates
        ("On 2026-12-25.", "On December twenty-fifth, twenty twenty-six."),
        ("On December 25th.", "On December twenty-fifth."),
        ("On 24 Dec 2026, we close.", "On December twenty-fourth, twenty twenty-six, we close."),
        ("On the 3rd of May.", "On May third."),
        ("On 24.12.2026.", "On December twenty-fourth, twenty twenty-six."),
        ("On 12/24/2026.", "On December twenty-fourth, twenty twenty-six."),
        ("You may have 5 of them.", "You may have five of them."),
        ("In May 2026", "In May twenty twenty-six"),
        ("She came in May 5 years ago", "She came in May five years ago"),
        ("Open 24/7, 1/2 price", "Open twenty-four seven, half price"),
        ("Here since 1998.", "Here since nineteen ninety-eight."),
        # telephone numbers
        ("Call 555-0123.", "Call five five five, zero one two three."),
        (
            "Call +49 30 1234567.",
            "Call plus four nine, three zero, one two three, four five six seven.",
        ),
        (
            "Call (030) 123 456, please.",
            "Call zero three zero, one two three, four five six, please.",
        ),
        ("Call 07712345678.", "Call zero seven seven, one two three, four five six, seven eight."),
        ("That is extension 1003.", "That is extension one zero zero three."),
        (
            "In the years 2024-2026",
            "In the years twenty twenty-four to twenty twenty-six",
        ),
        ("Ext. 12", "Extension one two"),
        # quantities
        ("The 1st, the 2nd and the 23rd", "The first, the second and the twenty-third"),
        ("10-15 minutes", "ten to fifteen minutes"),
        ("It's 5 km.", "It's five kilometres."),
        ("It's 1 km away.", "It's one kilometre away."),
        ("It's 1.5 kg.", "It's one point five kilograms."),
        ("30 min at 60 km/h", "thirty minutes at sixty kilometres an hour"),
        ("It's 20°C.", "It's twenty degrees Celsius."),
        ("20% off", "twenty percent off"),
        ("1,200 people", "one thousand, two hundred people"),
        ("at 12 Mill Lane", "at twelve Mill Lane"),
        ("Berlin 10115", "Berlin one zero one one five"),
        # addresses
        (
            "Write to info@miller-sons.co.uk.",
            "Write to info at miller dash sons dot co dot uk.",
        ),
        ("See www.example.com/shop.", "See W W W dot example dot com slash shop."),
        ("See https://example.com.", "See example dot com."),
        ("See example.org for that.", "See example dot org for that."),
        # abbreviations
        ("Dr. Miller of St. Mary's", "Doctor Miller of Saint Mary's"),
        ("Mrs. Ito and Mr Smith", "Missus Ito and Mister Smith"),
        ("It's at 5 Mill St.", "It's at five Mill Street."),
        ("Room No. 5", "Room number five"),
        ("No. That is wrong.", "No. That is wrong."),
        ("tools, e.g. hammers", "tools, for example hammers"),
        ("Miller & Sons", "Miller and Sons"),
        # spelled names
        ("M-I-L-L-E-R", "M, I, L, L, E, R"),
        ("That is M I L L E R.", "That is M, I, L, L, E, R."),
    ],
)
def test_what_is_written_in_short_is_read_in_words(written: str, spoken: str) -> None:
    assert english(written) == spoken


@pytest.mark.parametrize(
    "text",
    [
        "Hello, how can I help you?",
        "I'm sorry, I don't know that. May I take a message?",
        "A well-kept, old-fashioned T-shirt in I-don't-know-what colour.",
        "I am an assistant. A plan B is none.",
        "We are open from nine to five, Monday to Friday.",
    ],
)
def test_plain_sentences_stay_as_they_are(text: str) -> None:
    assert english(text) == text


def test_a_date_of_figures_is_read_as_the_country_does() -> None:
    assert english("On 05/06/2026.") == "On May sixth, twenty twenty-six."
    assert english("On 05/06/2026.", is_british=True) == "On June fifth, twenty twenty-six."
    assert wording("en-GB")("05/06/2026") == "June fifth, twenty twenty-six"


@given(st.text(st.sampled_from("0123456789.,:-/ +()$€%amp AMStDr@&#"), max_size=40))
def test_no_figures_break_it(text: str) -> None:
    """Whatever a model writes is read, and never in many times its length."""
    assert len(english(text)) <= 40 * (len(text) + 1)


def test_other_languages_are_left_to_their_engines() -> None:
    assert wording("ko")("오전 9:30에 엽니다.") == "오전 9:30에 엽니다."
    assert wording("de")("Um 9:30 Uhr.") == "Um 9:30 Uhr."


def test_a_synthesizer_gets_words() -> None:
    read = []

    class Voice:
        def synthesize(
            self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
        ) -> Iterator[Samples]:
            read.append(text)
            yield np.ones(rate_hz // 50, np.int16)

    speech = WordedSpeech(Voice(), wording("en"))
    [sound] = speech.synthesize("At 9:30.", rate_hz=8000, cancelled=lambda: False)
    assert (read, len(sound)) == (["At nine thirty."], 160)
