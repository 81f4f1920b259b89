"""An account's opening hours: [account.hours], and how days, times and holidays are written."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from softagent.rules import Readable

MINUTES_A_DAY = 24 * 60
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Span = tuple[int, int]
"""From one minute of the day to another (exclusive); beyond 24:00 where it ends the next day."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which other hours count; every year where `year` is None."""

    year: int | None
    month: int
    day: int
    spans: tuple[Span, ...] = ()

    def is_on(self, day: date) -> bool:
        return (self.month, self.day) == (day.month, day.day) and self.year in (None, day.year)


def parse_spans(text: str) -> tuple[Span, ...]:
    """The times of "9:00-12:30, 13:30-17:00", none of "closed"; raises ValueError.

    A time that ends before it begins ends the next day: "18:00-2:00".
    """
    if text.strip().lower() in ("", "closed"):
        return ()
    spans: list[Span] = []
    for part in text.split(","):
        match = re.fullmatch(
            r"([0-9]{1,2})[:.]([0-9]{2})\s*[-–]\s*([0-9]{1,2})[:.]([0-9]{2})", part.strip()
        )
        if match is None:
            raise ValueError('expected times, e.g. "9:00-12:30, 13:30-17:00" or "closed"')
        first, last = _minute(match[1], match[2]), _minute(match[3], match[4])
        if first == last:
            raise ValueError('expected two different times; all day is "0:00-24:00"')
        spans.append((first, last if last > first else last + MINUTES_A_DAY))
    for before, after in itertools.pairwise(spans):
        if before[1] > after[0]:
            raise ValueError("expected times one after the other, none within another")
    return tuple(spans)


def _minute(hours: str, minutes: str) -> int:
    minute = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or minute > MINUTES_A_DAY:
        raise ValueError("expected times from 0:00 to 24:00")
    return minute


def parse_holiday(text: str) -> Holiday:
    """The day of "2026-12-25", "12-26" (every year) or "12-24 9:00-12:00" (open then); raises ValueError."""
    match = re.fullmatch(r"\s*(?:([0-9]{4})-)?([0-9]{1,2})-([0-9]{1,2})(?:\s+(.+))?", text)
    if match is None:
        raise ValueError('expected days, e.g. "2026-12-25", "12-26" or "12-24 9:00-12:00"')
    year = int(match[1]) if match[1] else None
    try:
        date(year or 2000, int(match[2]), int(match[3]))  # 2000 has a 29 February
    except ValueError:
        raise ValueError(
            "expected days that there are, e.g. 2026-12-25, month before day"
        ) from None
    return Holiday(year, int(match[2]), int(match[3]), parse_spans(match[4] or ""))


def parse_zone(text: str) -> ZoneInfo:
    """The time zone called `text`; raises ValueError."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('expected a time zone, e.g. "Europe/Berlin"') from None


def parse_country(text: str) -> Container[date]:
    """The public holidays of "DE" or "DE-BY", any year; raises ValueError."""
    import holidays  # takes half a second, and most offices write their holidays down

    country, _, region = text.partition("-")
    try:
        return holidays.country_holidays(country, subdiv=region or None)
    except NotImplementedError:
        raise ValueError(
            'expected a country, with or without a part of it, e.g. "DE" or "DE-BY"'
        ) from None


Hours = Annotated[str, Readable(parse_spans)]
HolidayText = Annotated[str, Readable(parse_holiday)]
Zone = Annotated[str, Readable(parse_zone)]
Country = Annotated[str, Readable(parse_country)]


@dataclass(frozen=True, slots=True)
class HoursSettings:
    """[account.hours]: when the office is open; a day without hours is closed."""

    monday: Hours = ""
    """From and until, local time: "9:00-12:30, 13:30-17:00"."""
    tuesday: Hours = ""
    wednesday: Hours = ""
    thursday: Hours = ""
    friday: Hours = ""
    saturday: Hours = ""
    sunday: Hours = ""
    timezone: Zone = ""
    """Where the office is, "Europe/Berlin"; this machine's unless set."""
    holidays: tuple[HolidayText, ...] = ()
    """Closed days: "2026-12-25", "12-26" for every year, "12-24 9:00-12:00" for other hours."""
    country: Country = ""
    """Whose public holidays are closed days as well: "DE", or "DE-BY" for a part of it."""

    @property
    def is_given(self) -> bool:
        """Whether the office has hours at all."""
        return any(getattr(self, day) for day in WEEKDAYS)

    @property
    def week(self) -> tuple[tuple[Span, ...], ...]:
        """The spans of each day, Monday first."""
        return tuple(parse_spans(getattr(self, day)) for day in WEEKDAYS)

    @property
    def public_holidays(self) -> Container[date]:
        """Those of the country; none unless one is set."""
        return parse_country(self.country) if self.country else ()

    @property
    def zone(self) -> tzinfo | None:
        """None for this machine's."""
        return parse_zone(self.timezone) if self.timezone else None

    def contradictions(self) -> Iterator[str]:
        """What can't be true together, one sentence each."""
        if self.country and not self.is_given:
            yield 'country: has an effect with opening hours only, e.g. monday = "9:00-17:00"'
        if self.holidays and not self.is_given:
            yield 'holidays: have an effect with opening hours only, e.g. monday = "9:00-17:00"'
        days = [(known.year, known.month, known.day) for known in map(parse_holiday, self.holidays)]
        if len(set(days)) != len(days):
            yield "holidays: expected each day only once"
        week = self.week
        for number, spans in enumerate(week):
            after = week[(number + 1) % 7]
            if spans and after and spans[-1][1] - MINUTES_A_DAY > after[0][0]:
                yield f"{WEEKDAYS[number]}: ends after {WEEKDAYS[(number + 1) % 7]} has begun"
