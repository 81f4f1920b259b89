"""Opening hours: how they are written, when the office is open, and what is said and told about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_call import account

from softagent.accounts import read_office
from softagent.config import Account
from softagent.dialogue.guard import Guard
from softagent.dialogue.office_hours import OfficeHours, Standing, daypart
from softagent.dialogue.prompt import LIMITS
from softagent.errors import ConfigError
from softagent.hours import (
    Holiday,
    HoursSettings,
    parse_country,
    parse_holiday,
    parse_spans,
    parse_zone,
)
from softagent.reception import greeting, greetings, note, office_hours, tellable
from softagent.talk import opening_of

WEEKDAYS = "9:00-12:30, 13:30-17:00"
HOURS = HoursSettings(
    monday=WEEKDAYS,
    tuesday=WEEKDAYS,
    wednesday=WEEKDAYS,
    thursday=WEEKDAYS,
    friday="18:00-2:00",
    timezone="Europe/Berlin",
    holidays=("2026-12-25", "12-26", "2026-12-24 9:00-12:00"),
)
MINIMAL = """
[[account]]
name = "reception"
registrar = "pbx.lan"
username = "100"
password = "hunter2"
"""


def at(text: str) -> datetime:
    """A moment by a clock in Berlin: "2026-11-25 09:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=parse_zone("Europe/Berlin"))


def office(settings: HoursSettings = HOURS) -> OfficeHours:
    return OfficeHours(settings.week, tuple(map(parse_holiday, settings.holidays)), settings.zone)


def receiving(**options: str) -> Account:
    return replace(account(), hours=HOURS, **options)


# How they are written


def test_spans_are_minutes_of_the_day() -> None:
    assert parse_spans("9:00-12:30, 13.30 – 17:00") == ((540, 750), (810, 1020))
    assert parse_spans("18:00-2:00") == ((1080, 1560),)
    assert parse_spans("0:00-24:00") == ((0, 1440),)
    assert parse_spans("closed") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9-17", 'expected times, e.g. "9:00-12:30, 13:30-17:00" or "closed"'),
        ("9:00-9:00", 'expected two different times; all day is "0:00-24:00"'),
        ("9:60-10:00", "expected times from 0:00 to 24:00"),
        ("9:00-24:01", "expected times from 0:00 to 24:00"),
        ("9:00-13:00, 12:00-17:00", "expected times one after the other, none within another"),
    ],
)
def test_spans_that_are_none(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        parse_spans(text)
    assert str(caught.value) == expected


def test_holidays_are_of_one_year_or_of_all() -> None:
    assert parse_holiday("2026-12-25") == Holiday(2026, 12, 25)
    assert parse_holiday("12-26") == Holiday(None, 12, 26)
    assert parse_holiday("12-24 9:00-12:00") == Holiday(None, 12, 24, ((540, 720),))


@pytest.mark.parametrize("text", ["2026-02-29", "13-01", "Christmas", "12-24 9-12", ""])
def test_days_that_there_are_not(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_holiday(text)


def test_mistakes_in_the_accounts_file_are_named(tmp_path: Path) -> None:
    """Each with its option, all at once."""
    file = tmp_path / "accounts.toml"
    file.write_text(
        MINIMAL + 'greeting = "Hello {name}"\n[account.hours]\nmonday = "9-17"\n'
        'timezone = "Europe/Bonn"\nholidays = ["2026-13-01"]\nmondya = "9:00-17:00"\n'
    )
    with pytest.raises(ConfigError) as caught:
        read_office(file)
    problems = "\n".join(caught.value.problems)
    assert 'greeting "Hello {name}": expected words' in problems
    assert 'hours.monday "9-17": expected times, e.g.' in problems
    assert 'hours.timezone "Europe/Bonn": expected a time zone, e.g. "Europe/Berlin"' in problems
    assert "hours.holidays (a list): expected days that there are" in problems
    assert 'unknown option "hours.mondya": did you mean "monday"?' in problems


def test_what_has_no_effect_is_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(
        MINIMAL + 'greeting_closed = "Closed."\n[account.hours]\nholidays = ["12-25"]\n'
    )
    with pytest.raises(ConfigError) as caught:
        read_office(file)
    problems = "\n".join(caught.value.problems)
    assert "hours.holidays: have an effect with opening hours only" in problems
    assert "greeting_closed: has an effect with [account.hours] only" in problems


def test_a_day_may_not_run_into_the_next() -> None:
    hours = HoursSettings(sunday="20:00-3:00", monday="2:00-4:00")
    assert list(hours.contradictions()) == ["sunday: ends after monday has begun"]


def test_hours_are_read_from_the_accounts_file(tmp_path: Path) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(
        MINIMAL + '[account.hours]\nmonday = "9:00-17:00"\nholidays = ["12-26"]\ntimezone = "UTC"\n'
    )
    [read] = read_office(file).accounts
    assert read.hours == HoursSettings(monday="9:00-17:00", holidays=("12-26",), timezone="UTC")


# When it is open


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-25 08:59", False),
        ("2026-11-25 09:00", True),
        ("2026-11-25 12:29", True),
        ("2026-11-25 12:30", False),
        ("2026-11-25 16:59", True),
        ("2026-11-25 17:00", False),
        ("2026-11-27 17:59", False),
        ("2026-11-27 18:00", True),
        ("2026-11-28 01:59", True),  # Saturday, still Friday's hours
        ("2026-11-28 02:00", False),
        ("2026-11-29 12:00", False),
    ],
)
def test_open_from_the_first_minute_to_the_last(moment: str, is_open: bool) -> None:
    assert office().standing(at(moment)).is_open is is_open


@pytest.mark.parametrize(
    ("moment", "is_open", "is_holiday"),
    [
        ("2026-12-24 11:59", True, True),
        ("2026-12-24 14:00", False, True),
        ("2026-12-25 10:00", False, True),
        ("2028-12-26 10:00", False, True),
        ("2025-12-25 10:00", True, False),  # a Thursday; the entry is of 2026
    ],
)
def test_holidays_go_over_the_week(moment: str, is_open: bool, is_holiday: bool) -> None:
    standing = office().standing(at(moment))
    assert (standing.is_open, standing.is_holiday) == (is_open, is_holiday)


def test_public_holidays_of_a_country_are_closed_days() -> None:
    """Epiphany is one in Bavaria only; a day written down goes before it."""
    bavaria = replace(HOURS, country="DE-BY", holidays=("2027-01-01 10:00-12:00",))
    reception = replace(account(), hours=bavaria)
    hours = office_hours(reception)
    assert hours is not None
    assert hours.standing(at("2026-01-06 10:00")) == Standing(is_open=False, is_holiday=True)
    assert hours.standing(at("2027-01-01 10:00")) == Standing(is_open=True, is_holiday=True)
    assert "Tuesday, 6 January is a holiday: closed." in hours.note(at("2026-01-05 10:00"))
    elsewhere = office_hours(replace(account(), hours=replace(bavaria, country="DE")))
    assert elsewhere is not None
    assert elsewhere.standing(at("2026-01-06 10:00")).is_open


@pytest.mark.parametrize("country", ["XX", "DE-XX", "Atlantis"])
def test_countries_that_are_not_known(country: str) -> None:
    with pytest.raises(ValueError, match="expected a country"):
        parse_country(country)


def test_the_office_opens_by_the_clock_on_its_wall_when_clocks_change() -> None:
    """9:00 in Berlin is 8:00 UTC in winter and 7:00 UTC in summer time (from 29 March 2026)."""
    for moment, is_open in (
        (datetime(2026, 3, 27, 17, 0, tzinfo=UTC), True),  # Friday 18:00
        (datetime(2026, 3, 26, 7, 59, tzinfo=UTC), False),  # Thursday 8:59
        (datetime(2026, 3, 26, 8, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 30, 6, 59, tzinfo=UTC), False),  # Monday 8:59
        (datetime(2026, 3, 30, 7, 0, tzinfo=UTC), True),
    ):
        assert office().standing(moment).is_open is is_open


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    """On 25 October 2026 the clock shows 2:30 in summer time and an hour later in winter time."""
    hours = office(HoursSettings(sunday="2:00-2:45", timezone="Europe/Berlin"))
    for hour, minute, is_open in ((0, 30, True), (0, 50, False), (1, 30, True), (1, 50, False)):
        moment = datetime(2026, 10, 25, hour, minute, tzinfo=UTC)
        assert hours.standing(moment).is_open is is_open


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_the_note_never_contradicts_the_standing(moment: datetime) -> None:
    hours = office()
    is_open = hours.standing(moment).is_open
    assert ("The office is open now, until" in hours.note(moment)) is is_open
    assert ("The office is closed now. It opens" in hours.note(moment)) is not is_open


def test_an_office_open_all_day_is_always_open() -> None:
    day = "0:00-24:00"
    hours = office(HoursSettings(day, day, day, day, day, day, day))
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    assert all(hours.standing(begin + timedelta(hours=n)).is_open for n in range(24 * 8))


# What is said and told


@pytest.mark.parametrize(
    ("hour", "part"), [(4, 2), (5, 0), (11, 0), (12, 1), (17, 1), (18, 2), (23, 2)]
)
def test_parts_of_the_day(hour: int, part: int) -> None:
    assert daypart(datetime(2026, 1, 1, hour)) == part


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-25 09:30", "Good morning, Miller's."),
        ("2026-11-25 15:30", "Good afternoon, Miller's."),
        ("2026-11-25 19:30", "Good evening, we are closed."),
        ("2026-12-24 11:00", "Good morning, Miller's."),
        ("2026-12-25 11:00", "Merry Christmas."),
    ],
)
def test_the_greeting_goes_by_the_time(moment: str, expected: str) -> None:
    reception = receiving(
        greeting="{daypart}, Miller's.",
        greeting_closed="{daypart}, we are closed.",
        greeting_holiday="Merry Christmas.",
    )
    assert greeting(reception, at(moment)) == expected
    assert expected in greetings(reception), "it is spoken ahead"


def test_greetings_that_are_not_set_are_those_before_them() -> None:
    assert greeting(receiving(greeting="Hello."), at("2026-12-25 11:00")) == "Hello."
    closed = receiving(greeting="Hello.", greeting_closed="Closed.")
    assert greeting(closed, at("2026-12-25 11:00")) == "Closed."


def test_the_model_is_told_when_it_is_and_whether_the_office_is_open() -> None:
    assert office().note(at("2026-11-25 09:30")) == (
        "It is Wednesday, 25 November 2026, 9:30 am. The office is open now, until 12:30 pm."
        " Today's opening hours: 9:00 am to 12:30 pm and 1:30 pm to 5:00 pm."
    )
    assert office().note(at("2026-12-24 13:00")) == (
        "It is Thursday, 24 December 2026, 1:00 pm. The office is closed now."
        " It opens on Monday, 28 December at 9:00 am."
        " Today's opening hours (a holiday): 9:00 am to noon."
        " Friday, 25 December is a holiday: closed. Saturday, 26 December is a holiday: closed."
    )
    assert "It is Saturday, 28 November 2026, 1:00 am. The office is open now, until 2:00 am." in (
        office().note(at("2026-11-28 01:00"))
    )


def test_the_week_is_told_with_days_that_are_alike_together() -> None:
    assert office().week_text() == (
        "We are open on Monday to Thursday, 9:00 am to 12:30 pm and 1:30 pm to 5:00 pm."
        " We are open on Friday, 6:00 pm to 2:00 am. We are closed on Saturday and Sunday."
    )


def test_the_time_comes_after_the_beginning_that_every_call_shares() -> None:
    """So that its evaluation is kept; the week's hours are part of that beginning."""
    beginning = opening_of(receiving())
    asked, told, _, state = note(receiving(), at("2026-11-25 09:30"))
    assert state["content"] == "Yes, we are open now."
    assert note(receiving(), at("2026-11-25 12:45"))[-1]["content"] == "No, we are closed now."
    assert "closed on Saturday and Sunday" in beginning[0]["content"]
    assert "2026" not in str(beginning)
    assert (asked["role"], told["role"]) == ("user", "assistant")
    [told] = note(replace(receiving(), language="ko"), at("2026-11-25 09:30"))
    assert told["role"] == "system", "an example in English would be answered like in English"


def test_the_hours_may_be_told_word_for_word() -> None:
    """They stand where the instructions stand, which may not."""
    office, now = receiving(), at("2026-11-25 09:30")
    instructions = (*opening_of(office), *note(office, now))
    guard = Guard(instructions, persona="", facts=tellable(office, now))
    for clause in (
        "We are open on Monday to Thursday, 9:00 am to 12:30 pm and 1:30 pm to 5:00 pm.",
        "The office is open now, until 12:30 pm. Today's opening hours: 9:00 am to 12:30 pm.",
    ):
        assert list(guard.check([clause], ())) == [clause]
    [refused] = guard.check([LIMITS], ())
    assert refused != LIMITS


def test_without_hours_nothing_changes() -> None:
    assert note(account(), at("2026-11-25 09:30")) == ()
    assert "We are open" not in opening_of(account())[0]["content"]
    assert greetings(account()) == (account().greeting,)
