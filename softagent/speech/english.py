"""English as it is read aloud: figures, times, money and abbreviations become words.

What a model writes goes through `english` on its way to the synthesizer; the history keeps
it as it was written. Engines have rules of their own, each different ones: after these
there is nothing left for them to get wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from num2words import num2words

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_MONTH_NUMBERS = {month[:3].lower(): number for number, month in enumerate(_MONTHS, 1)}
_MONTH = (
    r"(?P<month>Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?"
    r"|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)(?!\w)"
)
_DAYS = {
    day[:3]: day
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
}
_DAY = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:s|rs?|nes|ur)?(?:day)?"
_FIGURES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_CURRENCIES = {
    "$": ("dollar", "cent"),
    "€": ("euro", "cent"),
    "£": ("pound", "penny"),
    "EUR": ("euro", "cent"),
    "USD": ("dollar", "cent"),
    "GBP": ("pound", "penny"),
}
_UNITS = {
    "km": "kilometre",
    "m": "metre",
    "cm": "centimetre",
    "mm": "millimetre",
    "kg": "kilogram",
    "g": "gram",
    "l": "litre",
    "ml": "millilitre",
    "h": "hour",
    "hr": "hour",
    "hrs": "hour",
    "min": "minute",
    "mins": "minute",
    "sec": "second",
    "km/h": "kilometre an hour",
    "mph": "mile an hour",
    "m²": "square metre",
    "sqm": "square metre",
    "ft": "foot",
    "lb": "pound",
    "lbs": "pound",
    "GB": "gigabyte",
    "MB": "megabyte",
    "kWh": "kilowatt hour",
    "°C": "degree Celsius",
    "°F": "degree Fahrenheit",
    "°": "degree",
}
_ABBREVIATIONS = {
    "Dr": "Doctor",
    "Mr": "Mister",
    "Mrs": "Missus",
    "Ms": "Miz",
    "Prof": "Professor",
    "Rd": "Road",
    "Ave": "Avenue",
    "Blvd": "Boulevard",
    "Ln": "Lane",
    "Sq": "Square",
    "Dept": "Department",
    "dept": "department",
    "approx": "approximately",
    "Approx": "Approximately",
    "ext": "extension",
    "Ext": "Extension",
    "tel": "telephone",
    "Tel": "Telephone",
    "incl": "including",
    "etc": "et cetera",
    "Ltd": "Limited",
    "Inc": "Incorporated",
    "vs": "versus",
    "Jr": "Junior",
    "Sr": "Senior",
}
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_TOP_LEVEL = (
    "com|org|net|de|uk|eu|io|info|fr|at|ch|us|edu|gov|biz|shop|app|co|it|es|nl|be|ie|ca|au|kr|jp"
)


def english(text: str, *, is_british: bool = False) -> str:
    """`text` with everything in words that is not read as it is written."""
    text = _SLASHED_DATE.sub(lambda match: _slashed_date(match, is_british=is_british), text)
    for pattern, replace in _RULES:
        text = pattern.sub(replace, text)
    return " ".join(text.split()).replace(".m..", ".m.")


def _cardinal(figures: str) -> str:
    plain = figures.replace(",", "")
    return str(num2words(float(plain) if "." in plain else int(plain)))


def _digits(figures: str) -> str:
    return " ".join(_FIGURES[int(figure)] for figure in figures if figure.isdigit())


def _plural(noun: str, figures: str) -> str:
    """The unit of so many, "kilometre an hour" and all."""
    if figures in ("1", "1.0"):
        return noun
    first, *rest = noun.split(" ", 1)
    if first in ("square", "kilowatt"):
        return f"{noun}s"
    first = {"foot": "feet", "penny": "pence"}.get(first, f"{first}s")
    return " ".join([first, *rest])


# Addresses and spelled names


def _address(match: re.Match[str]) -> str:
    """An e-mail or web address, sign by sign: its full stop at the end of a sentence is not part of it."""
    text = re.sub(r"^https?://", "", match[0])
    text = text.rstrip("/")
    text = re.sub(r"^www\.", "W W W dot ", text)
    for sign, word in (
        ("@", "at"),
        (".", "dot"),
        ("/", "slash"),
        ("-", "dash"),
        ("_", "underscore"),
        ("+", "plus"),
    ):
        text = text.replace(sign, f" {word} ")
    return re.sub(r"\d+", lambda found: f" {_digits(found[0])} ", text)


def _spelled(match: re.Match[str]) -> str:
    return ", ".join(re.findall(r"\w", match[0]))


# Times and dates


def _time(match: re.Match[str]) -> str:
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    half = (match["half"] or "").lower()
    if hour > 24 or minute > 59 or (half and hour > 12):
        return match[0]
    if (hour, minute) in ((0, 0), (24, 0)) and not half:
        return "midnight"
    if not half and (hour > 12 or hour == 0):
        half = "p" if 12 <= hour < 24 else "a"
    spoken = _cardinal(str((hour - 1) % 12 + 1))
    if minute:
        spoken += f" oh {_cardinal(str(minute))}" if minute < 10 else f" {_cardinal(str(minute))}"
    elif not half:
        return f"{spoken} o'clock"
    # hibari reads "A M" as the article and an M, and "a.m." as it should.
    return f"{spoken} {half}.m." if half else spoken


def _date(year: str, month: int, day: int, original: str) -> str:
    try:
        date(int(year or 2000), month, day)
    except ValueError:
        return original
    spoken = f"{_MONTHS[month - 1]} {num2words(day, to='ordinal')}"
    return f"{spoken}, {_year(year)}" if year else spoken


def _year(figures: str) -> str:
    return str(num2words(int(figures), to="year")).replace(" oh-", " oh ")


def _named_date(match: re.Match[str]) -> str:
    month = _MONTH_NUMBERS[match["month"][:3].lower()]
    return _date(match["year"] or "", month, int(match["day"]), match[0])


def _slashed_date(match: re.Match[str], *, is_british: bool) -> str:
    first, second = int(match[1]), int(match[2])
    day_first = is_british if first <= 12 and second <= 12 else first > 12
    month, day = (second, first) if day_first else (first, second)
    return _date(match[3], month, day, match[0])


# Money, telephone numbers, quantities


def _money(match: re.Match[str]) -> str:
    sign = match["before"] or match["after"]
    whole, cent = _CURRENCIES[sign]
    figures, _, cents = match["amount"].replace(",", "").partition(".")
    if scale := match["scale"]:
        return f"{_cardinal(match['amount'])} {scale} {_plural(whole, '2')}"
    if len(cents) > 2:
        return f"{_cardinal(match['amount'])} {_plural(whole, '2')}"
    spoken = f"{_cardinal(figures)} {_plural(whole, str(int(figures)))}"
    parts = int(cents.ljust(2, "0") or 0)
    if not parts:
        return spoken
    small = f"{_cardinal(str(parts))} {_plural(cent, str(parts))}"
    return small if int(figures) == 0 else f"{spoken} and {small}"


def _telephone(match: re.Match[str]) -> str:
    """Figure by figure, with a pause between the groups; a long group in threes."""
    written = match[0]
    groups = re.findall(r"\d+", written)
    is_range = re.fullmatch(r"[1-9]\d{3} ?[-–] ?[1-9]\d{3}", written) is not None
    if is_range or sum(map(len, groups)) < 7:
        return written
    shorter = [part for group in groups for part in _in_threes(group)]
    return ("plus " if written.startswith("+") else "") + ", ".join(map(_digits, shorter))


def _in_threes(group: str) -> list[str]:
    """Groups of three, the last of two to four."""
    parts = []
    while len(group) > 4:
        parts.append(group[:3])
        group = group[3:]
    return [*parts, group]


def _measure(match: re.Match[str]) -> str:
    unit = _UNITS[match["unit"]]
    return f"{_cardinal(match['amount'])} {_plural(unit, match['amount'])}"


def _plain_number(match: re.Match[str]) -> str:
    figures = match[0]
    is_code = re.fullmatch(r"0\d+|\d{5,}", figures) and not figures.endswith("000")
    return _digits(figures) if is_code else _cardinal(figures)


_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

_SLASHED_DATE = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{4})(?![\d/])")
_TIME = re.compile(
    r"(?<![\d:.,$€£])(?:(?P<hour>\d{1,2}):(?P<minute>\d{2})(?![\d:])"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?(?!\w))?)"
)
_BARE_TIME = re.compile(
    r"(?<![\d:.,$€£])(?P<hour>\d{1,2})(?:\.(?P<minute>\d{2}))?\s?(?P<half>[AaPp])\.?[Mm]\.?(?!\w)"
)
_RULES: tuple[_Rule, ...] = (
    (re.compile(r"\b[A-Z0-9](?:-[A-Z0-9])*-[A-Z](?:-[A-Z0-9])*\b"), _spelled),
    (re.compile(r"(?<![\w'])[A-Z](?: [A-Z]){2,}(?![\w'])"), _spelled),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), _address),
    (re.compile(r"https?://[^\s,;!?]*[^\s,;!?.)]|\bwww\.[^\s,;!?]*[^\s,;!?.)]"), _address),
    (
        re.compile(
            rf"\b(?:[a-z0-9][\w-]*\.)+(?:{_TOP_LEVEL})\b(?:/[\w/-]*)?(?!\.?\w)", re.IGNORECASE
        ),
        _address,
    ),
    (re.compile(rf"\b{_DAY}\.?\s?[-–]\s?{_DAY}\b\.?"), lambda m: f"{_DAYS[m[1]]} to {_DAYS[m[2]]}"),
    (re.compile(r"(?<=[\dMm.])\s?[-–—]\s?(?=\d{1,2}(?::\d\d|\s?[AaPp]\.?[Mm]\b))"), " to "),
    (_TIME, _time),
    (_BARE_TIME, _time),
    (
        re.compile(r"(?<![\d-])(\d{4})-(\d{2})-(\d{2})(?![\d-])"),
        lambda m: _date(m[1], int(m[2]), int(m[3]), m[0]),
    ),
    (
        re.compile(r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)"),
        lambda m: _date(m[3], int(m[2]), int(m[1]), m[0]),
    ),
    (
        re.compile(
            rf"(?:\bthe )?(?<![\d.,])(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? (?P<year>\d{{4}})(?!\d))?"
        ),
        _named_date,
    ),
    (
        re.compile(
            rf"\b{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:]| (?:years?|months?|weeks?|days?|hours?|people|times)\b)(?:,? (?P<year>\d{{4}})(?!\d))?"
        ),
        _named_date,
    ),
    (
        re.compile(rf"\b{_MONTH},? (?P<year>(?:19|20)\d\d)\b"),
        lambda m: f"{_MONTHS[_MONTH_NUMBERS[m['month'][:3].lower()] - 1]} {_year(m['year'])}",
    ),
    (
        re.compile(r"\b((?:19|20)\d\d)\s?[-–]\s?((?:19|20)\d\d)\b(?!-)"),
        lambda m: f"{_year(m[1])} to {_year(m[2])}",
    ),
    (re.compile(r"\b24/7\b"), "twenty-four seven"),
    (re.compile(r"(?<![\w/.,])1/2(?![\w/])"), "half"),
    (re.compile(r"(?<![\w/.,])1/4(?![\w/])"), "a quarter"),
    (re.compile(r"(?<![\w/.,])3/4(?![\w/])"), "three quarters"),
    (
        re.compile(
            rf"(?:(?P<before>[$€£])\s?(?P<amount>{_NUMBER})(?: (?P<scale>thousand|million|billion))?)(?P<after>)"
        ),
        _money,
    ),
    (
        re.compile(
            rf"(?P<before>)(?<![\d.,])(?P<amount>{_NUMBER})\s?(?:(?P<scale>thousand|million|billion) )?(?P<after>[€£$]|(?:EUR|USD|GBP)\b)"
        ),
        _money,
    ),
    (
        re.compile(
            r"(?<![\w.,])(?:\+|\(0?)?\d[\d()]*(?:[ /.–-]{1,2}\(?\d{2,}\)?|\(\d+\) ?\d+)*(?![\w])"
        ),
        _telephone,
    ),
    (
        re.compile(r"\b(ext(?:ension)?|Ext(?:ension)?)\.? (\d{2,6})\b"),
        lambda m: f"{m[1][0]}xtension {_digits(m[2])}",
    ),
    (re.compile(r"\bNo\. ?(?=\d)|\bNr\. ?(?=\d)|#(?=\d)"), "number "),
    (re.compile(r"\bNos\. ?(?=\d)"), "numbers "),
    (re.compile(r"(?<=[a-z]) St\.(?=\s*$)"), " Street."),
    (re.compile(r"\b([A-Z][a-z]+) St\b\.?"), r"\1 Street"),
    (re.compile(r"\bSt\. (?=[A-Z])"), "Saint "),
    (re.compile(r"\be\.g\.,?"), "for example"),
    (re.compile(r"\bi\.e\.,?"), "that is"),
    (
        re.compile(rf"\b({'|'.join(_ABBREVIATIONS)})\.(?=\s*$)"),
        lambda m: f"{_ABBREVIATIONS[m[1]]}.",
    ),
    (re.compile(rf"\b({'|'.join(_ABBREVIATIONS)})\.(?=[\s,;:])"), lambda m: _ABBREVIATIONS[m[1]]),
    (re.compile(r"\b(Dr|Mr|Mrs|Ms|Prof)(?= [A-Z])"), lambda m: _ABBREVIATIONS[m[1]]),
    (re.compile(r"\s&\s"), " and "),
    (re.compile(rf"(?<![\w.,])({_NUMBER})\s?[-–]\s?(?={_NUMBER}(?!\w*-))"), r"\1 to "),
    (
        re.compile(
            rf"(?<![\w.,])(?P<amount>{_NUMBER})\s?(?P<unit>{'|'.join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))})(?![\w/²])"
        ),
        _measure,
    ),
    (re.compile(rf"({_NUMBER})\s?%"), lambda m: f"{_cardinal(m[1])} percent"),
    (
        re.compile(r"\b(\d{1,4})(?:st|nd|rd|th)\b"),
        lambda m: str(num2words(int(m[1]), to="ordinal")),
    ),
    (
        re.compile(r"(?<=\b[Ii]n )(1[1-9]\d\d|20\d\d)\b|(?<=\b[Ss]ince )(1[1-9]\d\d|20\d\d)\b"),
        lambda m: _year(m[0]),
    ),
    (re.compile(rf"(?<![\w.])(?<!\d,){_NUMBER}(?!\w)"), _plain_number),
)
