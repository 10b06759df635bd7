"""What stands beside the rows, as arrays and a description, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.features.column import Refused
from penult.features.origin import read_origin, whereabouts
from penult.recipe import Projection, Recipe
from penult.records import Features
from penult.texts import Texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows

__all__ = [
    "Beside",
    "array_of",
    "beside_of",
    "features_of",
    "text_arrays",
    "texts_of",
]

_SPLITS = {"train", "validation", "test", ""}
_TEXT_COLUMNS = ("splits", "groups", "content")
_PROJECTION = ("mean", "components", "explained_variance")


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What is said of the rows of features.

    Attributes
    ----------
    name : str
        What the rows are called.
    recipe : str
        How they were made, as JSON.
    label_names : tuple of str
    origin : str
        Where the images are, as JSON.
    projections : tuple of mapping
        ``total_variance`` and ``whiten`` of the recipe's projections.
    """

    name: str
    recipe: str
    label_names: tuple[str, ...]
    origin: str
    projections: tuple[Mapping[str, Any], ...] = ()


def text_arrays(name: str, texts: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Texts as two arrays: their bytes end to end, and how many bytes each has."""
    if isinstance(texts, Texts):
        encoded = [texts.raw(k) for k in range(len(texts))]
    else:
        encoded = [str(text).encode("utf-8", "backslashreplace") for text in texts]
    return {
        name: np.frombuffer(b"".join(encoded), np.uint8),
        f"{name}/lengths": np.fromiter(map(len, encoded), np.int32, len(encoded)),
    }


def texts_of(name: str, arrays: Mapping[str, NDArray[Any]], rows: int | None) -> Texts:
    """Take texts back; as many as there are rows, unless that is None.

    Raises
    ------
    Refused, KeyError
    """
    encoded, lengths = array_of(name, arrays, "|u1"), array_of(f"{name}/lengths", arrays, "<i4")
    wrong = len(lengths) and (lengths.min() < 0 or lengths.sum(dtype=np.int64) != len(encoded))
    if wrong or (rows is not None and len(lengths) != rows) or (not len(lengths) and len(encoded)):
        raise Refused(f"is damaged: its {name} are not as long as they say")
    return Texts.of(encoded.tobytes(), lengths.tolist())


def array_of(
    name: str, arrays: Mapping[str, NDArray[Any]], dtype: str, rank: int = 1
) -> NDArray[Any]:
    """Take an array of a dtype and a rank.

    Raises
    ------
    Refused, KeyError
    """
    if name not in arrays:
        raise KeyError(f"it has no {name}")
    array = arrays[name]
    if array.dtype != np.dtype(dtype) or array.ndim != rank:
        raise Refused(f"is damaged: its {name} are {array.dtype} of shape {array.shape}")
    return array


def beside_of(features: Features) -> tuple[Beside, dict[str, NDArray[Any]]]:
    """Take apart all but the rows and their ids.

    Raises
    ------
    FileFormatError
        If the recipe has a projection whose arrays are not at hand.
    """
    arrays: dict[str, NDArray[Any]] = {"labels": np.asarray(features.labels, np.int64)}
    if features.targets is not None:
        arrays["targets"] = np.asarray(features.targets, np.uint8)
    for name in _TEXT_COLUMNS:
        if (column := getattr(features, name)) is not None:
            arrays |= text_arrays(name, column)
    projections = features.recipe.projections
    for number, projection in enumerate(projections.values()):
        for part in _PROJECTION:
            arrays[f"projections/{number}/{part}"] = getattr(projection, part)
    beside = Beside(
        name=features.name,
        recipe=features.recipe.to_json(),
        label_names=tuple(map(str, features.label_names)),
        origin=whereabouts(features.origin),
        projections=tuple(
            {"total_variance": float(one.total_variance), "whiten": bool(one.whiten)}
            for one in projections.values()
        ),
    )
    return beside, arrays


def features_of(
    beside: Beside, arrays: Mapping[str, NDArray[Any]], rows: Rows, ids: Sequence[str]
) -> Features:
    """Put together what `beside_of` took apart, from whoever wrote it.

    Raises
    ------
    Refused, KeyError, ValueError
    """
    names, count = beside.label_names, len(rows)
    labels, targets = array_of("labels", arrays, "<i8"), None
    if "targets" in arrays:
        targets = array_of("targets", arrays, "|u1", 2) != 0
        if targets.shape != (count, len(names)):
            raise Refused(f"is damaged: its targets are {targets.shape}")
    if len(labels) != count or (count and not -1 <= labels.min() <= labels.max() < len(names)):
        raise Refused("is damaged: its labels are not of its rows")
    if len(set(names)) < len(names):
        raise Refused("is damaged: two labels have one name")
    columns = {name: texts_of(name, arrays, count) for name in _TEXT_COLUMNS if name in arrays}
    if strange := set(columns.get("splits", ())) - _SPLITS:
        raise Refused(f"is damaged: a split {min(strange)[:40]!r}")
    recipe = Recipe.from_json(beside.recipe, _projections(beside, arrays))
    _ = recipe.projections  # all of them are there
    return Features(
        features=rows,
        ids=ids,
        labels=np.array(labels),
        label_names=names,
        recipe=recipe,
        targets=targets,
        splits=columns.get("splits"),
        groups=columns.get("groups"),
        content=columns.get("content"),
        origin=read_origin(beside.origin),
        layers=(beside.name,),
        name=beside.name,
    )


def _projections(beside: Beside, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Projection]:
    found = {}
    for number, said in enumerate(beside.projections):
        parts = {
            part: array_of(
                f"projections/{number}/{part}", arrays, "<f4", 2 if part == "components" else 1
            )
            for part in _PROJECTION
        }
        one = Projection(
            **parts, total_variance=float(said["total_variance"]), whiten=bool(said["whiten"])
        )
        found[one.sha256] = one
    return found
