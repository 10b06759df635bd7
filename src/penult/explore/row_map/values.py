"""Values of a column: numbers that are measured, and all else, which names."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Value", "plain_values"]

Value: TypeAlias = "str | bool | int | float | None"

_WHOLE = r"(0|[1-9][0-9]{0,17})"  # 007 is a name
_INTEGER = re.compile(rf"[+-]?{_WHOLE}")
_NUMBER = re.compile(
    rf"[+-]?({_WHOLE}(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?|nan|[+-]?inf", re.IGNORECASE
)
_TRUE_OR_FALSE = {"true": True, "false": False}
_MEASURED = frozenset(
    {"confidence", "cosine", "distance", "percentile", "probability", "score", "similarity"}
)
"""Words by which a column is measured even where all of its numbers happen to be whole."""


def plain_values(name: str, values: Sequence[Any]) -> list[Value]:
    """Give a column Python's own types, one for all of it.

    Texts, as CSV has them, become numbers, or True and False, where all of them can be read so.

    Parameters
    ----------
    name : str
        What the column is called.
    values : sequence
        Of whatever a table may hold; lists of names are joined by ``|``.

    Returns
    -------
    list of (str, bool, int, float or None)
        All but None have one type. None is where a cell is empty, or no finite number.
    """
    known = [_plain(one) for one in values]
    texts = [one for one in known if isinstance(one, str)]
    if texts and len(texts) == len(known) - known.count(None) and _same(texts):
        known = [None if one is None else _read(str(one)) for one in known]
    there = {type(one) for one in known if one is not None}
    if there == {int} and _is_measured(name):
        there = {float}
    if there <= {int, float} and float in there:
        return [_finite(one) for one in known]
    if len(there) > 1:
        return [None if one is None else str(one) for one in known]
    return known


def _plain(value: Any) -> Value:
    try:
        if value is None or value != value:
            return None
    except (TypeError, ValueError):  # pandas' NA; an array in a cell
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        number = int(value)
        return number if abs(number) < 1 << 63 else str(number)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, list | tuple):
        return "|".join(str(one) for one in value) or None
    return str(value) or None


def _same(texts: Sequence[str]) -> bool:
    """Whether texts are all numbers, or all true or false."""
    return all(map(_NUMBER.fullmatch, map(str.strip, texts))) or all(
        one.strip().lower() in _TRUE_OR_FALSE for one in texts
    )


def _read(text: str) -> Value:
    text = text.strip()
    if text.lower() in _TRUE_OR_FALSE:
        return _TRUE_OR_FALSE[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text)


def _is_measured(name: str) -> bool:
    return not _MEASURED.isdisjoint(re.split(r"[^a-z]+", name.lower()))


def _finite(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
