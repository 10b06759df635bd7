"""How records show themselves: in a line or two of Python, and as a table in a notebook."""

from __future__ import annotations

import dataclasses
import html
import reprlib
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from penult.messages import printable
from penult.wording import count, times

__all__ = [
    "Records",
    "html_table",
    "one_line",
    "short",
    "short_repr",
    "short_text",
    "what_given",
]

Record = TypeVar("Record")

_ROWS_SHOWN = 30
_CHARACTERS = 500  # of a repr, about
_NAMED = ("layer", "pooling", "normalize", "precision", "resize", "input")


class _Short(reprlib.Repr):
    """Two or three elements of each collection, and of an array its shape alone."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxtuple = self.maxlist = self.maxdict = self.maxset = self.maxfrozenset = 3
        self.maxlong, self.maxstring, self.maxother, self.fillvalue = 30, 220, 220, "…"

    def repr1(self, x: Any, level: int) -> str:
        """See `reprlib.Repr`."""
        if hasattr(x, "shape") and hasattr(x, "dtype") and x.shape != ():
            return f"<{times(x.shape)} {x.dtype}>"
        if isinstance(x, float):
            return f"{x:.6g}"
        if isinstance(x, tuple | list) and len(x) > self.maxtuple:
            shown = ", ".join(self.repr1(one, level - 1) for one in x[:3]) if level > 1 else ""
            return f"({shown}{', ' if shown else ''}… {len(x):,} in all)"
        return super().repr1(x, level)


_shortener = _Short()


def short(value: Any) -> str:
    """Return a value's repr, cut to what fits into a line."""
    return _shortener.repr(value)


def what_given(value: Any) -> str:
    """Say what an argument was, in a message: its repr in short, of an array its type and shape."""
    if hasattr(value, "shape") and hasattr(value, "dtype") and value.shape != ():
        return f"an array of {value.dtype}, shape {tuple(value.shape)}"
    return short_text(short(value), 100)


def short_text(text: str, most: int = 60) -> str:
    """Return a text without what a terminal obeys, its middle left out where it is long."""
    text = printable(text)
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def short_repr(cls: type[Record]) -> type[Record]:
    """Give a dataclass a repr that stays short, whatever is in it; a class decorator.

    Fields that have their defaults are left out.
    """

    def __repr__(self: Any) -> str:  # noqa: N807
        told = {
            field.name: short(value)
            for field in dataclasses.fields(self)
            if field.repr and not _is_default(field, value := getattr(self, field.name))
        }
        if sum(map(len, told.values())) > _CHARACTERS:
            most = max(40, _CHARACTERS // len(told))
            told = {name: short_text(text, most) for name, text in told.items()}
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in told.items())})"

    cls.__repr__ = __repr__  # type: ignore[method-assign]
    return cls


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default is not dataclasses.MISSING:
        return value is field.default or (isinstance(value, str | int) and value == field.default)
    if field.default_factory is not dataclasses.MISSING:
        return not value
    return False


def one_line(name: str, facts: Iterable[tuple[str, str | None]]) -> str:
    """Write facts as a repr: ``Features(17 classes, layer penultimate)``.

    Parameters
    ----------
    name : str
        Of the class.
    facts : iterable of (str, str or None)
        Name and value; those whose value does not say what it is come with their name.
    """
    told = (f"{fact} {v}" if fact in _NAMED else v for fact, v in facts if v is not None)
    return f"{name}({', '.join(told)})"


def html_table(
    title: str, facts: Iterable[tuple[str, object]], table: Sequence[Sequence[object]] = ()
) -> str:
    """Return HTML for a notebook: a title, named facts, and perhaps a table below.

    It has no colours but the notebook's own, so that it is read by day and by night; all text is
    escaped, for names come from other people.

    Parameters
    ----------
    title : str
        In bold.
    facts : iterable of (str, object)
        Name and value; a value of None is left out.
    table : sequence of sequences
        The first is the header; of the others some are shown.
    """
    cell = 'style="text-align:left;padding:1px 12px 1px 0;border:0;background:none"'
    rows = [
        f"<tr><td {cell}>{_text(name)}</td><td {cell}>{_text(value)}</td></tr>"
        for name, value in facts
        if value is not None
    ]
    page = f"<div><b>{_text(title)}</b>{_tabled(rows) if rows else ''}"
    if len(table) > 1:
        header, body = table[0], table[1:]
        below = ["<tr>" + "".join(f"<th {cell}>{_text(c)}</th>" for c in header) + "</tr>"]
        for line in body[:_ROWS_SHOWN]:
            below.append("<tr>" + "".join(f"<td {cell}>{_text(c)}</td>" for c in line) + "</tr>")
        page += _tabled(below)
        if len(body) > _ROWS_SHOWN:
            page += f"<small>and {len(body) - _ROWS_SHOWN:,} more</small>"
    return page + "</div>"


class Records(list[Record]):
    """A list of records, a table in a notebook.

    Parameters
    ----------
    records : iterable of dataclass instances
        Of one kind.
    noun : str
        What one of them is.
    columns : sequence of str
        The fields that the table has.
    """

    def __init__(self, records: Iterable[Record], noun: str, columns: Sequence[str]) -> None:
        super().__init__(records)
        self._noun, self._columns = noun, tuple(columns)

    def __repr__(self) -> str:
        names = [str(getattr(one, self._columns[0])) for one in self[:3]]
        more = ", …" if len(self) > len(names) else ""
        return f"<{count(len(self), self._noun)}: {', '.join(map(short_text, names))}{more}>"

    def _repr_html_(self) -> str:
        header = [name.replace("_", " ") for name in self._columns]
        rows = [[_cell(getattr(one, name)) for name in self._columns] for one in self]
        return html_table(count(len(self), self._noun), (), [header, *rows])


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return " × ".join(map(str, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _tabled(rows: Sequence[str]) -> str:
    style = "border-collapse:collapse;margin:4px 0;font-size:90%"
    return f'<table style="{style}">{"".join(rows)}</table>'


def _text(value: object) -> str:
    text = printable(str(value))
    return html.escape(text if len(text) <= 200 else f"{text[:199]}…")
