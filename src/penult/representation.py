"""How records show themselves: in a line or two of Python, and as a table in a notebook."""

from __future__ import annotations

import dataclasses
import html
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, islice
from numbers import Integral, Real
from typing import Any, TypeVar

from penult.messages import printable
from penult.passwords import without_passwords
from penult.wording import article, count, times

__all__ = [
    "Records",
    "html_table",
    "one_line",
    "short",
    "short_repr",
    "short_text",
    "text_table",
    "what_given",
]

Record = TypeVar("Record")

_ROWS_SHOWN = 30
_FEW = 8  # elements of a list that a message may show
_CHARACTERS = 500  # of a repr, about
_NAMED = ("layer", "pooling", "normalize", "precision", "resize", "input")


class _Short(reprlib.Repr):
    """Some elements of each collection, and of an array its shape alone; nothing is cut through."""

    def __init__(self, most: int = 3) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxtuple = self.maxlist = self.maxdict = self.maxset = self.maxfrozenset = most
        self.maxlong, self.maxstring, self.maxother, self.fillvalue = 30, 220, 220, "…"

    def repr1(self, x: Any, level: int) -> str:
        """See `reprlib.Repr`."""
        if hasattr(x, "shape") and hasattr(x, "dtype") and x.shape != ():
            return f"<{times(x.shape)} {x.dtype}>"
        if isinstance(x, float):
            return f"{x:.6g}"
        if isinstance(x, tuple | list) and len(x) > self.maxtuple:
            return f"({self._some((self.repr1(one, level - 1) for one in x), len(x), level)})"
        if isinstance(x, Mapping) and len(x) > self.maxdict:
            pairs = (
                f"{self.repr1(key, level - 1)}: {self.repr1(value, level - 1)}"
                for key, value in x.items()
            )
            return f"{{{self._some(pairs, len(x), level)}}}"
        return super().repr1(x, level)

    def repr_instance(self, x: Any, level: int) -> str:
        """See `reprlib.Repr`; what is too long is no more than named."""
        try:
            text = repr(x)
        except Exception:
            return object.__repr__(x)
        return text if len(text) <= self.maxother else f"{type(x).__name__}(…)"

    def _some(self, elements: Iterator[str], total: int, level: int) -> str:
        shown = [*islice(elements, self.maxtuple)] if level > 1 else []
        return ", ".join([*shown, f"… {total:,} in all"])


_shortener, _briefer, _briefest = _Short(3), _Short(1), _Short(0)


def short(value: Any) -> str:
    """Return a value's repr, cut to what fits into a line."""
    return _shortener.repr(value)


def what_given(value: Any) -> str:
    """Say what an argument was, in a message: its repr in short, of much data its size alone."""
    shape = getattr(value, "shape", None)
    kind = type(value).__name__
    if isinstance(shape, tuple) and len(shape) == 2 and hasattr(value, "columns"):
        return f"{article(kind)} of {count(shape[0], 'row')}"
    if isinstance(shape, tuple) and shape != () and hasattr(value, "dtype"):
        if not type(value).__module__.startswith(("numpy", "h5py", "torch")) and len(shape) == 1:
            return f"{article(kind)} of {count(shape[0], 'value')}"  # a Series
        return f"an array of {value.dtype}, shape {shape}"
    if isinstance(value, list | tuple) and len(value) > _FEW:
        return f"{article(kind)} of {count(len(value), 'element')}"
    if isinstance(value, Real) and not isinstance(value, Integral):
        return str(value)  # 5.0 is no 5 where a whole number is wanted
    return short_text(short(value), 100)


def short_text(text: str, most: int = 60) -> str:
    """Return a text without what a terminal obeys, its middle left out where it is long."""
    text = printable(without_passwords(text))  # before a password is cut through
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def short_repr(cls: type[Record]) -> type[Record]:
    """Give a dataclass a repr that stays short, whatever is in it; a class decorator.

    Fields that have their defaults are left out. Where there is too much in the others, fewer
    elements are shown of each, and at last fewer fields: what is left out is counted, and no value
    is cut through.
    """

    def __repr__(self: Any) -> str:  # noqa: N807
        values = {
            field.name: value
            for field in dataclasses.fields(self)
            if field.repr and not _is_default(field, value := getattr(self, field.name))
        }
        for shortener in (_shortener, _briefer, _briefest):
            told = [f"{name}={shortener.repr(value)}" for name, value in values.items()]
            if sum(map(len, told)) <= _CHARACTERS:
                break
        return f"{type(self).__name__}({', '.join(_fitting(told))})"

    cls.__repr__ = __repr__  # type: ignore[method-assign]
    return cls


def _fitting(told: Sequence[str]) -> list[str]:
    """As many of them as fit into a repr, at least one, and how many more there are."""
    ends = accumulate(map(len, told))
    fit = max(1, sum(end <= _CHARACTERS for end in ends))
    more = len(told) - fit
    return [*told[:fit], *[f"and {more} more"] * (more > 0)]


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default is not dataclasses.MISSING:
        return value is field.default or (isinstance(value, str | int) and value == field.default)
    if field.default_factory is not dataclasses.MISSING:
        empty = field.default_factory()
        return len(value) == 0 if hasattr(value, "__len__") else bool(value == empty)
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


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Write a table as text: its header, a line, its rows; all but the first column to the right.

    Parameters
    ----------
    rows : sequence of sequences of str
        The first is the header.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
    lines.insert(1, "─" * len(lines[0]))
    return "\n".join(line.rstrip() for line in lines)


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
