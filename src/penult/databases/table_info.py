"""What a table says of all its rows."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from penult.content_keys import keys_to_bytes, parse_keys
from penult.errors import FileFormatError
from penult.features.origin import read_origin
from penult.parsing import read_json, to_record
from penult.recipe import Projection, Recipe
from penult.records import Failure
from penult.representation import short_repr

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FORMAT", "TableInfo"]

FORMAT = 1
"""Of what `TableInfo.to_json` writes, and of the tables' columns."""

_ARRAYS = ("mean", "components", "explained_variance")


@short_repr
@dataclass(frozen=True, kw_only=True)
class TableInfo:
    """What travels once a table.

    Attributes
    ----------
    recipe : Recipe
        How the rows were made, the arrays of its projections within.
    name : str
        What the rows are called in their file, as `penult.Features.name`.
    shape : tuple of int
        Of one row in its file.
    dtype : {"float32", "float16"}
        Of the rows in their file.
    label_names : tuple of str
        Sorted.
    several : bool
        Whether some image may have several labels.
    splits, groups : bool
        Whether the file has such a column.
    origin : mapping
        Where the images came from, as `penult.Features.origin`.
    failures : tuple of Failure
        The images that have no row.
    trained_on : uint64 array or None
        Keys of the images that trained the network, as `penult.content_keys` has them; None where
        that is not known.
    rows : int
        How many the table has; counted when it is asked, and not stored.
    """

    recipe: Recipe
    name: str
    shape: tuple[int, ...]
    dtype: Literal["float32", "float16"]
    label_names: tuple[str, ...] = ()
    several: bool = False
    splits: bool = False
    groups: bool = False
    origin: Mapping[str, Any] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    trained_on: NDArray[np.uint64] | None = field(default=None, compare=False)
    rows: int = field(default=0, compare=False)

    @property
    def width(self) -> int:
        """How many numbers a row has."""
        return int(np.prod(self.shape, dtype=np.int64))

    def widened(self, more: TableInfo) -> TableInfo:
        """Say what holds of these rows and of more rows of the same recipe, in one table.

        Parameters
        ----------
        more : TableInfo
            What holds of the others.

        Returns
        -------
        TableInfo
            Its name and its origin are those of `more` where this table has no rows yet, and else
            its own.
        """
        first = self if self.rows else more
        keys = [one for one in (self.trained_on, more.trained_on) if one is not None]
        failures = {one.id: one for one in (*self.failures, *more.failures)}
        return replace(
            self,
            name=first.name,
            origin=first.origin,
            dtype=self.dtype if self.dtype == more.dtype else "float32",
            label_names=tuple(sorted({*self.label_names, *more.label_names})),
            several=self.several or more.several,
            splits=self.splits or more.splits,
            groups=self.groups or more.groups,
            failures=tuple(failures.values()),
            trained_on=np.unique(np.concatenate(keys)) if keys else None,
        )

    def to_json(self) -> str:
        """Write it as one line of ASCII, which any database can keep.

        Returns
        -------
        str
            A JSON object.

        Raises
        ------
        FileFormatError
            If the arrays of a projection are not at hand.
        """
        keys = self.trained_on
        return json.dumps(
            {
                "format": FORMAT,
                "recipe": self.recipe.to_json(),
                "projections": {
                    sha: _projection_to_data(one) for sha, one in self.recipe.projections.items()
                },
                "name": self.name,
                "shape": self.shape,
                "dtype": self.dtype,
                "label_names": self.label_names,
                "several": self.several,
                "splits": self.splits,
                "groups": self.groups,
                "origin": dict(self.origin),
                "failures": [[one.id, one.reason] for one in self.failures],
                "trained_on": None if keys is None else _text(keys_to_bytes(keys)),
            }
        )

    @classmethod
    def from_json(cls, text: str, *, rows: int) -> TableInfo:
        """Read what `to_json` wrote.

        Parameters
        ----------
        text : str
            As the table kept it.
        rows : int
            How many there are.

        Raises
        ------
        FileFormatError
            If it is something else, or was written by a newer penult.
        """
        try:
            data = read_json(text)
        except ValueError as error:
            raise FileFormatError(f"it is {text[:40]!r}") from error
        newer = data.get("format") if isinstance(data, dict) else None
        if isinstance(newer, int) and newer > FORMAT:
            raise FileFormatError(
                f"it has format {newer}; this penult reads up to {FORMAT}; type: pip install "
                "--upgrade penult"
            )
        stored = to_record(_Stored, data)
        keys = stored.trained_on
        return cls(
            recipe=Recipe.from_json(stored.recipe, _projections(stored.projections)),
            name=stored.name,
            shape=stored.shape,
            dtype=stored.dtype,
            label_names=stored.label_names,
            several=stored.several,
            splits=stored.splits,
            groups=stored.groups,
            origin=read_origin(json.dumps(stored.origin)),
            failures=tuple(Failure(*pair) for pair in stored.failures),
            trained_on=None if keys is None else parse_keys(_bytes(keys, 8)),
            rows=rows,
        )


@dataclass(frozen=True, kw_only=True)
class _StoredProjection:
    shape: tuple[int, int]
    mean: str
    components: str
    explained_variance: str
    total_variance: float
    whiten: bool


@dataclass(frozen=True, kw_only=True)
class _Stored:
    format: int
    recipe: str
    projections: Mapping[str, _StoredProjection]
    name: str
    shape: tuple[int, ...]
    dtype: Literal["float32", "float16"]
    label_names: tuple[str, ...]
    several: bool
    splits: bool
    groups: bool
    origin: Mapping[str, Any]
    failures: tuple[tuple[str, str], ...]
    trained_on: str | None


def _projection_to_data(projection: Projection) -> dict[str, Any]:
    arrays = {name: getattr(projection, name).astype("<f4").tobytes() for name in _ARRAYS}
    return {
        "shape": projection.components.shape,
        **{name: _text(content) for name, content in arrays.items()},
        "total_variance": float(projection.total_variance),
        "whiten": bool(projection.whiten),
    }


def _projections(stored: Mapping[str, _StoredProjection]) -> dict[str, Projection]:
    found = {sha: _projection(one) for sha, one in stored.items()}
    if any(one.sha256 != sha for sha, one in found.items()):
        raise FileFormatError("the arrays of a projection are others than their name says")
    return found


def _projection(stored: _StoredProjection) -> Projection:
    arrays = {name: np.frombuffer(_bytes(getattr(stored, name)), "<f4") for name in _ARRAYS}
    rows, width = stored.shape
    if len(arrays["components"]) != rows * width:
        raise FileFormatError("the arrays of a projection are not of the shape that it says")
    return Projection(
        mean=arrays["mean"],
        components=arrays["components"].reshape(rows, width),
        explained_variance=arrays["explained_variance"],
        total_variance=stored.total_variance,
        whiten=stored.whiten,
    )


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _bytes(text: str, unit: int = 4) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise FileFormatError(f"{text[:40]!r} is no base64") from error
    if len(found) % unit:
        raise FileFormatError("an array of it is cut off")
    return found
