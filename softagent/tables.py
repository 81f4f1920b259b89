"""One table of accounts.toml: from TOML to the values of a settings dataclass.

Mistakes are collected, never raised, so that the user sees all of them at once. Nothing
that might be a password is repeated in them.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softagent.config import Secret
from softagent.options import Option, Unfit, keys_of, options_of, shown

Table = Mapping[str, Any]
"""A TOML table as `tomllib` gives it."""
Values = dict[str, Any]
"""Field name -> value, or Values of a nested table; only fields that the file sets."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file a table stands, and the list that its mistakes go to."""

    label: str
    """What the user calls it, e.g. `account "reception"`."""
    folder: Path
    """Relative paths start here."""
    problems: list[str]
    root: type
    """The settings dataclass of the outermost table."""
    table: str = ""
    """Name of the nested table, e.g. "llm"; empty for the account itself."""

    def report(self, option: str, expected: str, *, value: str = "") -> None:
        """Note that `option` is wrong; `value` is what stands there, fit to be shown."""
        path = f"{self.table}.{option}" if self.table else option
        self.problems.append(f"{self.label}: {' '.join(filter(None, (path, value)))}: {expected}")

    def report_unknown(self, option: str, value: object, hint: str) -> None:
        """Note that there is no such option."""
        kind = "table" if isinstance(value, dict) else "option"
        path = f"{self.table}.{option}" if self.table else option
        self.problems.append(f"{self.label}: unknown {kind} {shown(path)}{hint}")

    def inside(self, table: str) -> Place:
        """The same account's nested table."""
        return dataclasses.replace(self, table=table)


def read_table(schema: type, table: Table, place: Place) -> Values:
    """The values that `table` sets, by field name; its mistakes go to `place`."""
    values: Values = {}
    for option in options_of(schema):
        given = [spelling for spelling in option.spellings if spelling in table]
        if len(given) > 1:
            place.report(option.name, f"set only one of {', '.join(given)}")
        elif option.item is not None and given:
            tables = table[given[0]]
            values[option.name] = _read_each(option.item, given[0], tables, option, place)
        elif option.is_table and given:
            values[option.name] = _read_nested(option, table[option.name], place)
        elif given:
            _read_value(option, given[0], table[given[0]], place, values)
    for key in table:
        if key not in keys_of(schema):
            place.report_unknown(key, table[key], _suggestion(key, schema, place.root))
    return values


def given_fields(schema: type, table: Table) -> set[str]:
    """Names of the fields that `table` sets, rightly or wrongly."""
    return {
        option.name
        for option in options_of(schema)
        if any(spelling in table for spelling in option.spellings)
    }


def merged(defaults: Values, values: Values) -> Values:
    """`values` over `defaults`, nested tables option by option."""
    result = dict(defaults)
    for name, value in values.items():
        result[name] = merged(result.get(name, {}), value) if isinstance(value, dict) else value
    return result


def build_tables(schema: type, values: Values, place: Place) -> Values:
    """`values` with every nested table made into its dataclass; contradictions go to `place`."""
    built = dict(values)
    for option in options_of(schema):
        if option.is_table:
            inner = values.get(option.name, {})
            table = built[option.name] = option.type(**inner)
            _check_engine(option, table, inner, place.inside(option.name))
            if hasattr(table, "contradictions"):
                prefix = f"{place.label}: {option.name}."
                place.problems.extend(prefix + sentence for sentence in table.contradictions())
    return built


def _check_engine(option: Option, table: Any, given: Values, place: Place) -> None:
    """A default model fits the default engine only: another engine must name its own."""
    engine = getattr(table, "engine", None)
    if engine != getattr(option.default, "engine", None) and "model" not in given:
        place.report("model", f'missing: the engine "{engine}" needs a model of its own')


def _read_nested(option: Option, table: object, place: Place) -> Values:
    if isinstance(table, dict):
        return read_table(option.type, table, place.inside(option.name))
    place.report(option.name, f"expected a table, [account.{option.name}]", value=shown(table))
    return {}


def _read_value(option: Option, spelling: str, value: object, place: Place, values: Values) -> None:
    try:
        values[option.name] = option.read(spelling, value, place.folder)
    except Unfit as unfit:
        place.report(spelling, str(unfit), value="" if option.type is Secret else shown(value))


def _read_each(
    schema: type, key: str, tables: object, option: Option, place: Place
) -> tuple[Any, ...]:
    """The settings of each of a list of tables, all of which have a name or a key; those without mistakes."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        layout = f"tables, [[account.{key}]]" if option.is_one_each else "a list of tables"
        place.report(key, f"expected {layout}", value=shown(tables))
        return ()
    items = []
    for number, table in enumerate(tables, start=1):
        before = len(place.problems)
        name = table.get("name", table.get("key"))
        which = shown(name) if isinstance(name, str) and name else str(number)
        label = f"{place.label}: {key.removesuffix('s')} {which}"
        inner = Place(label, place.folder, place.problems, schema)
        report_missing(given_fields(schema, table), inner)
        values = read_table(schema, table, inner)
        if len(place.problems) > before:
            continue
        items.append(item := schema(**values))
        if hasattr(item, "contradictions"):
            place.problems.extend(f"{label}: {sentence}" for sentence in item.contradictions())
    return tuple(items)


def report_missing(given: set[str], place: Place) -> None:
    """Note each option that the place's table must set and that is not in `given`."""
    for option in options_of(place.root):
        if option.is_required and option.name not in given:
            spellings = " or ".join(option.spellings)
            place.problems.append(f"{place.label}: missing option: {spellings}")


def _suggestion(key: str, schema: type, root: type) -> str:
    """The rest of the sentence about an unknown option: where it belongs, or what was meant."""
    tables = {
        f"[account.{option.name}]": option.type for option in options_of(root) if option.is_table
    }
    for option in options_of(root):
        if option.item is not None and option.is_one_each:
            tables[f"[[account.{option.spellings[0]}]]"] = option.item
    homes = [
        name for name, table in {"[[account]]": root, **tables}.items() if key in keys_of(table)
    ]
    if homes:
        return f": it belongs in {' or '.join(homes)}"
    near = difflib.get_close_matches(key, keys_of(schema), n=1)
    return f": did you mean {shown(near[0])}?" if near else ""
