"""What colours a map: a value for each of its rows, numbers or names."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import UsageError
from penult.web.map.arrays import packed_array
from penult.web.map.palette import color_order
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["packed_column"]

_RANGE = (0.01, 0.99)  # quantiles at the ends of the colour bar: a few extremes do not take it all


def packed_column(name: str, values: Sequence[Any], rows: int) -> dict[str, Any]:
    """Write a column as what JSON can hold.

    Floats are measured, and shown on a colour bar. All else names: texts, True and False, and
    integers, such as the numbers of clusters and of groups.

    Parameters
    ----------
    name : str
        What the column is called.
    values : sequence of str, bool, int or float, length `rows`
        None and NaN where there is nothing.
    rows : int
        Of the map.

    Returns
    -------
    dict
        ``name`` and ``kind``. Of ``"numeric"``: ``values`` (float32, NaN where there is nothing)
        and ``range``, the two ends of the colour bar. Of ``"categorical"``: ``values`` (each once,
        in order), ``codes`` (places among them, -1 where there is nothing), and ``boolean``,
        whether they are "no" and "yes".

    Raises
    ------
    UsageError
        If there are more or fewer values than rows.
    """
    if len(values) != rows:
        raise UsageError(
            f"column {name!r} has {count(len(values), 'value')} for {count(rows, 'row')} of the "
            "map; give one for each, None where there is none"
        )
    given = [_plain(one) for one in values]
    known = [one for one in given if one is not None]
    if known and all(isinstance(one, float) for one in known):
        return {"name": name, **_numeric(given)}
    return {"name": name, **_categorical(name, given)}


def _plain(value: Any) -> str | bool | int | float | None:
    """A value as Python has it: columns come from NumPy and pandas as well."""
    try:
        if value is None or value != value:
            return None
    except TypeError:  # pandas' NA is neither equal nor unequal
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if np.isfinite(float(value)) else None
    return str(value)


def _numeric(values: Sequence[Any]) -> dict[str, Any]:
    numbers = np.array([np.nan if one is None else one for one in values], np.float32)
    known = numbers[np.isfinite(numbers)].astype(np.float64)
    low, high = np.quantile(known, _RANGE).tolist() if len(known) else (0.0, 0.0)
    if low == high:
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    return {"kind": "numeric", "values": packed_array(numbers), "range": [low, high]}


def _categorical(name: str, values: Sequence[Any]) -> dict[str, Any]:
    known = {one for one in values if one is not None}
    boolean = bool(known) and all(isinstance(one, bool) for one in known)
    # Numbers in their order, before texts.
    texts = color_order(name, (one for one in known if isinstance(one, str)))
    order = [*sorted(one for one in known if not isinstance(one, str)), *texts]
    if boolean:
        order = [False, True]
    place = {one: k for k, one in enumerate(order)}
    codes: NDArray[Any] = np.array([-1 if one is None else place[one] for one in values], np.int32)
    if len(order) < 1 << 15:
        codes = codes.astype(np.int16)
    return {
        "kind": "categorical",
        "values": ["no", "yes"] if boolean else [str(one) for one in order],
        "boolean": boolean,
        "codes": packed_array(codes),
    }
