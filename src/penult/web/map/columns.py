"""What colours a map: a value for each of its rows, numbers or names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import UsageError
from penult.web.map.arrays import packed_array
from penult.web.map.palette import NOISE, color_order, is_cluster
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["color_range", "packed_column"]

_RANGE = (0.01, 0.99)  # quantiles at the ends of the colour bar: a few extremes do not take it all


def packed_column(
    name: str, values: Sequence[Any], rows: int, *, joined: bool = False
) -> dict[str, Any]:
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
    joined : bool
        Whether a value may be several names, joined by ``|``.

    Returns
    -------
    dict
        ``name`` and ``kind``. Of ``"numeric"``: ``values`` (float32, NaN where there is nothing)
        and ``range``, the two ends of the colour bar. Of ``"categorical"``: ``values`` (each once,
        in order), ``codes`` (places among them, -1 where there is nothing), and ``boolean``,
        whether they are "no" and "yes". Where a legend has other names than these, ``names``; where
        a value is several names, also ``sets``, of each value the places of its names, the rarest
        first; where one is noise, ``noise``, its place among the names.

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
    packed = {"name": name, **_categorical(name, given)}
    if joined:
        packed |= _names(name, [None if one is None else str(one) for one in given])
    elif is_cluster(name) and str(NOISE) in packed["values"]:
        noise = packed["values"].index(str(NOISE))
        named = [*packed["values"]]
        named[noise] = "noise"
        packed |= {"names": named, "noise": noise}
    return packed


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
    return {"kind": "numeric", "values": packed_array(numbers), "range": [*color_range(numbers)]}


def color_range(values: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """Find the two ends of a bar of colours, which a few extremes do not stretch.

    Parameters
    ----------
    values : float array, shape (n,)
        NaN where there is nothing.

    Returns
    -------
    tuple of float
        The first and the last percentile, or the extremes where those are one.
    """
    known = values[np.isfinite(values)].astype(np.float64)
    if not len(known):
        return 0.0, 1.0
    low, high = np.quantile(known, _RANGE).tolist()
    return (low, high) if low < high else (float(known.min()), float(known.max()))


def _categorical(name: str, values: Sequence[Any]) -> dict[str, Any]:
    known = {one for one in values if one is not None}
    boolean = bool(known) and all(isinstance(one, bool) for one in known)
    order = [False, True] if boolean else color_order(name, known)
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


def _names(name: str, values: Sequence[str | None]) -> dict[str, Any]:
    """The single names of values that may be several, and which of them each value is."""
    given = [one for one in values if one is not None]
    counts = Counter(part for one in given for part in one.split("|"))
    order = [str(one) for one in color_order(name, counts)]
    place = {one: k for k, one in enumerate(order)}
    sets = [
        sorted({place[part] for part in one.split("|")}, key=lambda k: (counts[order[k]], k))
        for one in map(str, color_order(name, given))
    ]
    return {"names": order, "sets": sets}
