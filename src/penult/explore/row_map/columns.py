"""What else is known of the rows of a map: columns of tables keyed by id, typed and named."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from penult.errors import FileFormatError, UsageError
from penult.explore.row_map.known_tables import columns_of, known_table
from penult.explore.row_map.values import plain_values
from penult.explore.tables import read_table
from penult.interface import option
from penult.representation import short_text
from penult.tabular import text_columns
from penult.wording import count, listed

if TYPE_CHECKING:
    from penult.explore.row_map.values import Value
    from penult.records import (
        Clustering,
        Duplicates,
        Features,
        HeldOut,
        Outliers,
        Predictions,
    )

__all__ = ["AddedColumns", "Source", "add_columns"]

Source: TypeAlias = (
    "str | Path | Mapping[str, Sequence[Any]]"
    " | Clustering | Duplicates | HeldOut | Outliers | Predictions"
)

_IN_MEMORY = "columns"  # what a mapping is called
_PLACES = frozenset({"id", "x", "y"})  # columns that every map has


@dataclass(frozen=True)
class AddedColumns:
    """Columns beside those that features have.

    Attributes
    ----------
    values : mapping of str to list, length N each
        A value for each row of the features, None where there is none.
    joined : frozenset of str
        Those of whose values each may be several names, joined by ``|``.
    renamed : mapping of str to tuple of str
        What columns that have another name here are called in their tables, to their names here.
    """

    values: Mapping[str, Sequence[Value]]
    joined: frozenset[str] = frozenset()
    renamed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def add_columns(sources: Sequence[Source], features: Features) -> AddedColumns:
    """Read tables, and give each row of the features what they say of it.

    What penult's own tables call ``label`` or ``probability`` gets the name of what it is, see
    `known_tables`. A column without any value is left out, and so is one that says what the
    features say under its name; one that says something else is called after its file,
    ``FILE_NAME``.

    Parameters
    ----------
    sources : sequence of path, mapping, or a result
        Tables, CSV or Parquet, with a column ``id``. A mapping is a table in memory, of names to
        columns; without ``id`` it has a value for each row, in their order. A `Clustering`,
        `Duplicates`, `HeldOut`, `Outliers` or `Predictions` is the table that penult writes of it.
    features : Features

    Raises
    ------
    UsageError
        If a table has none of the ids, contradicts itself, or two of them a name.
    PathNotFoundError, FileFormatError, MissingExtraError
        If one cannot be read.
    """
    ids = [str(one) for one in features.ids]
    own: dict[str, Sequence[Any]] = {
        name: values
        for name, values in text_columns(features).items()
        if name != "id" and any(values)
    }
    found: dict[str, Sequence[Value]] = {}
    joined: set[str] = set()
    renamed: dict[str, tuple[str, ...]] = {}
    for source in sources:
        name, stem = _named(source)
        columns, told_apart, known_names = _columns(source, name, ids)
        for column, values in columns.items():
            nothing = all(one is None for one in values)
            if nothing or (column in own and _says_the_same(values, own[column])):
                continue
            chosen = column
            if chosen in (_PLACES | own.keys() | found.keys()):
                chosen = f"{stem}_{column}"
            if chosen in (_PLACES | own.keys() | found.keys()):
                raise UsageError(
                    f"{name} has the column {short_text(column)}, and so has another table of "
                    f"{option('columns')} whose file is called {stem} as well; rename one"
                )
            found[chosen] = values
            theirs = known_names.get(column, column)
            if chosen != theirs:
                renamed[theirs] = (*renamed.get(theirs, ()), chosen)
            if column in told_apart:
                joined.add(chosen)
    return AddedColumns(found, frozenset(joined), renamed)


def _named(source: Source) -> tuple[str, str]:
    if isinstance(source, Mapping):
        return _IN_MEMORY, _IN_MEMORY
    if isinstance(source, str | Path):
        return str(source), Path(source).stem
    return f"the {type(source).__name__}", type(source).__name__.lower()


def _columns(
    source: Source, name: str, ids: Sequence[str]
) -> tuple[dict[str, list[Value]], frozenset[str], Mapping[str, str]]:
    """The columns of one table, a value for each id; which hold several names; their old names."""
    if isinstance(source, Mapping):
        table = {str(column): _as_list(column, values) for column, values in source.items()}
        wanted = len(table.get("id", ids))
        of = "id" if "id" in table else "row"
        for column, values in table.items():
            if len(values) != wanted:
                raise UsageError(
                    f"{name} has {count(len(values), 'value')} of {short_text(column)} for "
                    f"{count(wanted, of)}; give one for each {of}"
                    f"{'' if of == 'id' else ', or a column id beside them'}"
                )
        if "id" not in table:
            typed = {column: plain_values(column, values) for column, values in table.items()}
            return typed, frozenset(), {}
        told: Mapping[str, Sequence[Any]] = table
    elif (result := columns_of(source)) is not None:
        told = result
    else:
        path = Path(cast("str | Path", source))
        hint = "give a table with a column id, as penult writes them"
        read = read_table(
            path, lambda names: _every(path, names, hint), what="a table of ids", hint=hint
        )
        told = read.columns
    known = known_table({**told, "id": [str(one) for one in told["id"]]})
    if known.message:
        logging.getLogger("penult").warning("penult: %s: %s", name, known.message)
    given = known.columns["id"]
    typed = {
        column: plain_values(column, values)
        for column, values in known.columns.items()
        if column != "id"
    }
    if not typed:
        raise FileFormatError(f"{name} has no column beside id; there is nothing to colour by")
    places = _places(name, given, typed)
    # As a table has an id whose formulas were escaped.
    at = [places.get(one, places.get(f"'{one}", -1)) for one in ids]
    _tell(name, given, ids, at)
    columns = {
        column: [None if k < 0 else values[k] for k in at] for column, values in typed.items()
    }
    return columns, known.joined, known.renamed


def _as_list(name: object, values: object) -> list[Any]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise UsageError(
            f"{option('columns')} has {short_text(repr(values))} under {short_text(str(name))}; "
            "give a list of values"
        )
    try:
        return [*values]
    except TypeError as error:  # an array of no axes
        raise UsageError(
            f"{option('columns')} has no values under {short_text(str(name))}; give a list of them"
        ) from error


def _every(path: Path, names: Sequence[str], hint: str) -> dict[str, int]:
    """All columns but those without a name, which spreadsheets leave behind."""
    has = listed([short_text(name, 30) for name in names if name]) or "none"
    if "id" not in names:
        raise FileFormatError(f"{path} has no column id (it has {has}); {hint}")
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise FileFormatError(f"{path} has the column {short_text(twice)} twice; rename one")
    return {name: place for place, name in enumerate(names) if name}


def _places(
    name: str, given: Sequence[str], columns: Mapping[str, Sequence[Value]]
) -> dict[str, int]:
    """From an id to its row; one that comes again has to say the same again."""
    places: dict[str, int] = {}
    for place, one in enumerate(given):
        first = places.setdefault(one, place)
        if first == place:
            continue
        for column, values in columns.items():
            if values[first] != values[place]:
                raise UsageError(
                    f"{name} has the id {short_text(one)} twice, with the {short_text(column)} "
                    f"{short_text(str(values[first]), 30)} and "
                    f"{short_text(str(values[place]), 30)}; leave one out"
                )
    return places


def _tell(name: str, given: Sequence[str], ids: Sequence[str], at: Sequence[int]) -> None:
    """Say which rows have no value, and which ids no row."""
    warn = logging.getLogger("penult").warning
    missing, used = sum(k < 0 for k in at), {given[k] for k in at if k >= 0}
    if not given:
        raise FileFormatError(f"{name} has no rows; give another table")
    if not used:
        raise UsageError(
            f"{name} has none of the ids of the features: it has e.g. {short_text(given[0])}, and "
            f"they have e.g. {short_text(ids[0])}; give a table that was made of the same images"
        )
    if missing:
        warn(
            "penult: %s has nothing on %s of %s, which get no value",
            *(name, f"{missing:,}", count(len(ids), "image")),
        )
    if others := len({*given} - used):
        warn(
            "penult: %s has %s that the features do not have; they are left out",
            *(name, count(others, "id")),
        )


def _says_the_same(values: Sequence[Value], own: Sequence[Any]) -> bool:
    return all(
        one is None or str(one) == (other or "") for one, other in zip(values, own, strict=True)
    )
