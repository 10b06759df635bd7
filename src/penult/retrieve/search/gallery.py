"""What is searched: an index, what it is called, and what is known of each of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.addresses import unfolded
from penult.errors import UnknownNameError, UsageError
from penult.features.places import is_feature_file
from penult.features.read import one_set
from penult.interface import option
from penult.records import Features
from penult.representation import what_given
from penult.retrieve.index import Index

if TYPE_CHECKING:
    from penult.likeness import Likeness
    from penult.recipe import Recipe
    from penult.records.neighbors import Metric

__all__ = ["Gallery", "is_gallery_file", "labels_of", "open_gallery"]

_INDEX = ".index"
_COMPARED = 5000  # ids, with one that there is not


@dataclass(frozen=True)
class Gallery:
    """What is searched.

    Attributes
    ----------
    index : Index
        Finds the rows.
    name : str
        What messages call it.
    path : Path or None
        Its file, where it came from one.
    """

    index: Index
    name: str
    path: Path | None = None

    @property
    def features(self) -> Features | None:
        """What is known of the rows; None of plain arrays."""
        return self.index.features

    @property
    def recipe(self) -> Recipe:
        """How the rows were made.

        Raises
        ------
        UsageError
            If nobody knows, so that no photo can become a row like them.
        """
        recipe = self.index.recipe
        if recipe is None:
            raise UsageError(
                f"{self.name} is of plain arrays, which do not say how their rows are made, so "
                "that photos cannot become such rows; give rows, or an index of a feature file's"
            )
        return recipe

    @property
    def width(self) -> int:
        """The numbers of a row, flattened."""
        return int(np.prod(self.index.rows.shape[1:]))

    @property
    def is_multilabel(self) -> bool:
        """Whether rows may have several labels."""
        return self.features is not None and self.features.targets is not None

    @property
    def likeness(self) -> Likeness | None:
        """What tells rows like these from others; see `Index.likeness`."""
        return self.index.likeness

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each id."""
        return {str(one): place for place, one in enumerate(self.index.ids)}

    def place(self, row_id: str) -> int:
        """The place of an id.

        Raises
        ------
        UnknownNameError
            Names ids like it.
        """
        try:
            return self.places[row_id]
        except KeyError:
            # To compare a name with a million others takes minutes.
            folder, _, name = row_id.rpartition("/")
            like = [one for one in self.places if name in one or one.startswith(f"{folder}/")]
            known = self.places if len(self.places) <= _COMPARED else like[:_COMPARED]
            raise UnknownNameError(f"id in {self.name}", row_id, known) from None

    def labels(self, place: int) -> tuple[str, ...]:
        """The labels of a row: none, one, or several."""
        return () if self.features is None else labels_of(self.features, place)


def labels_of(features: Features, place: int) -> tuple[str, ...]:
    """The labels of a row: none, one, or several."""
    names = features.label_names
    if features.targets is not None:
        return tuple(names[k] for k in np.flatnonzero(features.targets[place]))
    label = int(features.labels[place])
    return () if label < 0 else (names[label],)


def open_gallery(
    gallery: Features | Index | str | Path,
    *,
    layer: str | None,
    metric: Metric | None,
    in_memory: bool = False,
) -> Gallery:
    """Open what is to be searched.

    Parameters
    ----------
    gallery : Features, Index, or path
        Rows, an index of rows, or a file of either.
    layer : str, optional
        Which set of rows, where a feature file has several.
    metric : {"cosine", "euclidean"}, optional
        What is near; that of the index by default, and cosine of rows without one.
    in_memory : bool
        Of the file of an index, as for `Index.open`.

    Raises
    ------
    UsageError
        If it is none of these; if an index is asked for other rows, or for another metric.
    PathNotFoundError, WrongFileError, FeatureFileError, IndexFileError, UnknownNameError
    """
    path = None
    if isinstance(gallery, str | Path):
        path = Path(gallery)
        if is_gallery_file(path) and not is_feature_file(path):
            gallery = Index.open(path, in_memory=in_memory)
    if isinstance(gallery, Index):
        name = "the index" if path is None else str(path)
        return Gallery(_of_metric(_of_layer(gallery, layer, name), metric, name), name, path)
    if not isinstance(gallery, Features | str | Path):
        raise UsageError(
            f"gallery is {what_given(gallery)}; give the path of a feature file or an index, or "
            "what penult.extract, penult.load and penult.Index return"
        )
    features = one_set(gallery, layer)
    name = "the gallery" if path is None else unfolded(path)
    return Gallery(Index.of(features, metric=metric or "cosine"), name, path)


def _of_layer(index: Index, layer: str | None, name: str) -> Index:
    known = index.features
    if layer is not None and (known is None or layer not in (known.name, known.recipe.layer)):
        of = "no layer of a file" if known is None else known.name
        raise UsageError(f"{name} is of the rows of {of} alone; leave out {option('layer', layer)}")
    return index


def _of_metric(index: Index, metric: Metric | None, name: str) -> Index:
    if metric not in (None, index.metric):
        raise UsageError(
            f"{name} was made to be searched by {index.metric}; leave out "
            f"{option('metric', metric)}, or search the feature file itself"
        )
    return index


def is_gallery_file(path: Any) -> bool:
    """Whether a path is named, or begins, as a file that can be searched does."""
    try:
        return Path(path).suffix.lower() == _INDEX or is_feature_file(path)
    except ValueError:  # no name of a file: whoever opens it says so
        return False
