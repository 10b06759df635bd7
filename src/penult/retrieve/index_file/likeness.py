"""What tells rows like a gallery's from others, as arrays, and back.

All of it lies in arrays, also what is JSON: older versions read the arrays that they know, and
would refuse a description with a field more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.features.column import Refused
from penult.likeness.stored import read_likeness
from penult.parsing import read_json
from penult.retrieve.index_file.columns import array_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.likeness import Likeness

__all__ = ["likeness_arrays", "stored_likeness"]

_SAID, _ROWS = "likeness/description", "likeness/rows"


def likeness_arrays(likeness: Likeness | None) -> dict[str, NDArray[Any]]:
    """Make arrays of it; none of None."""
    if likeness is None or likeness.rows is None:
        return {}
    said = json.dumps(likeness.to_dict()).encode()
    return {_SAID: np.frombuffer(said, np.uint8), _ROWS: likeness.rows.view(np.uint8)}


def stored_likeness(arrays: Mapping[str, NDArray[Any]], width: int) -> Likeness | None:
    """Take it back; None from a file without, as older versions wrote.

    Parameters
    ----------
    arrays : mapping
        Of a file that anybody may have written.
    width : int
        Numbers of a row.

    Raises
    ------
    Refused, KeyError
    """
    if _SAID not in arrays:
        return None
    said, rows = array_of(_SAID, arrays, "|u1"), array_of(_ROWS, arrays, "|u1", 2)
    try:
        return read_likeness(read_json(said.tobytes()), np.array(rows).view(np.int8), width)
    except (ValueError, TypeError, AttributeError) as error:
        what = "what tells rows like its own from others"
        raise Refused(f"is damaged: {what} cannot be read") from error
