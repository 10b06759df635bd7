"""All that the page of a map knows, as one block of JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.web.map.arrays import packed_array
from penult.web.map.columns import packed_column
from penult.web.map.palette import CATEGORICAL, CATEGORICAL_ON_DARK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Neighbors
    from penult.web.map.pictures import MapPictures

__all__ = ["map_data", "map_json", "with_pictures"]


def map_data(
    name: str,
    ids: Sequence[str],
    xy: NDArray[np.float32],
    columns: Mapping[str, Sequence[Any]],
    neighbors: Neighbors,
    *,
    joined: Collection[str] = (),
    color_by: str | None = None,
    notes: Mapping[str, str] | None = None,
    escape_formulas: bool = False,
) -> dict[str, Any]:
    """Put together what a map shows, but for its pictures.

    Parameters
    ----------
    name : str
        What exported files are named after.
    ids : sequence of str, length N
    xy : float32 array, shape (N, 2)
        y points upwards.
    columns : mapping of str to sequence, length N each
        What may colour it, see `columns.packed_column`.
    neighbors : Neighbors
        Of each row, in the full space.
    joined : collection of str
        Columns of which a value may be several names, joined by ``|``.
    color_by : str, optional
        The column that colours at first; by default the first one.
    notes : mapping of str to str, optional
        What stands in the legend of a column, in a sentence.
    escape_formulas : bool, default=False
        Put an apostrophe before names that a spreadsheet would run, in CSV that is saved.

    Returns
    -------
    dict
        ``format``, 1; ``name``; ``ids``; ``xy``; ``columns``; ``color_by``, the place among them of
        the one that colours at first; ``neighbors``, with ``metric``, ``places`` and ``values``;
        ``palette`` and ``palette_on_dark``; ``escape_formulas``. Arrays are as
        `arrays.packed_array` has them.

    Raises
    ------
    UsageError
        If a column has more or fewer values than there are rows.
    """
    return {
        "format": 1,
        "name": name,
        "ids": [str(one) for one in ids],
        "xy": packed_array(np.asarray(xy, np.float32)),
        "columns": [
            packed_column(key, values, len(ids), joined=key in joined)
            | {"note": (notes or {}).get(key, "")}
            for key, values in columns.items()
        ],
        "color_by": next((k for k, one in enumerate(columns) if one == color_by), 0),
        "neighbors": {
            "metric": neighbors.metric,
            "places": packed_array(neighbors.places.astype(np.int32)),
            "values": packed_array(neighbors.values.astype(np.float32)),
        },
        "palette": list(CATEGORICAL),
        "palette_on_dark": list(CATEGORICAL_ON_DARK),
        "escape_formulas": escape_formulas,
    }


def map_json(data: Mapping[str, Any]) -> str:
    r"""Write it as JSON that can stand in a page: in ASCII, and without any character of HTML.

    Returns
    -------
    str
        Names of files are in it as they are, escaped as ``\uXXXX``.
    """
    text = json.dumps(data, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def with_pictures(text: str, pictures: MapPictures) -> str:
    """Add pictures to what `map_json` wrote, as ``pictures``: see `pictures.MapPictures`."""
    return f'{text[:-1]},"pictures":{json.dumps(pictures.to_dict(), separators=(",", ":"))}}}'
