"""The arrays of projections, in the file whose recipes name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penult.errors import FileFormatError
from penult.features import schema
from penult.features.column import (
    MATRIX,
    VECTOR,
    Refused,
    dataset_at,
    group_at,
    has,
    read_number,
)
from penult.recipe import Projection, Recipe

__all__ = ["projections_of", "read_projections", "write_projections"]

_ARRAYS = {"mean": VECTOR, "components": MATRIX, "explained_variance": VECTOR}


def projections_of(recipes: Sequence[Recipe]) -> dict[str, Projection]:
    """Return SHA-256 to projection, of all that some recipes need.

    Raises
    ------
    FileFormatError
        If those of a recipe are not at hand: nobody could make such a row again.
    """
    return {sha: one for recipe in recipes for sha, one in recipe.projections.items()}


def write_projections(file: Any, projections: Mapping[str, Projection]) -> None:
    """Write arrays into an open file."""
    for sha, projection in sorted(projections.items()):
        group = file.create_group(f"{schema.PROJECTIONS}/{sha}")
        for name in _ARRAYS:
            group.create_dataset(name, data=getattr(projection, name))
        group.attrs["total_variance"] = float(projection.total_variance)
        group.attrs["whiten"] = bool(projection.whiten)


def read_projections(file: Any) -> dict[str, Projection]:
    """SHA-256 to projection, of an open file.

    Raises
    ------
    Refused, KeyError
        If arrays are missing, are none of a projection, or others than the digest says.
    """
    if not has(file, schema.PROJECTIONS):
        return {}
    everything = group_at(file, schema.PROJECTIONS)
    return {sha: _projection(group_at(everything, sha), sha) for sha in everything}


def _projection(group: Any, sha: str) -> Projection:
    arrays = {name: dataset_at(group, name, kind)[:] for name, kind in _ARRAYS.items()}
    try:
        projection = Projection(
            **arrays,
            total_variance=read_number(group, "total_variance"),
            whiten=bool(read_number(group, "whiten")),
        )
    except FileFormatError as error:
        raise Refused(f"is damaged: {error}") from error
    if projection.sha256 != sha:
        raise Refused(
            f"is damaged: the arrays of its projection {sha[:12]}… are others than that name says"
        )
    return projection
