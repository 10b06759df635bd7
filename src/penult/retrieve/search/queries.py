"""Whatever is searched for becomes rows here, some hundred at a time.

Each kind of query is a function that yields batches; a new kind, words for instance, is one more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import UnknownNameError, UsageError
from penult.features.read import load_of_recipe
from penult.interface import command, option
from penult.recipe import require_equal
from penult.records import Failure, Features
from penult.representation import what_given
from penult.retrieve.search.gallery import labels_of
from penult.retrieve.search.itself import rows_of_features, rows_of_photos
from penult.suffixes import FEATURES
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.extractor import Extractor
    from penult.records import ImageRecord
    from penult.retrieve.search.searched import KnownRow, Searched

__all__ = [
    "BATCH",
    "Query",
    "QueryBatch",
    "are_rows",
    "features_of_file",
    "given_rows",
    "of_features",
    "of_ids",
    "of_photos",
    "of_rows",
]

_SHOWN = 13  # ids: of so many none is shown where none is like the one that was given
_NAMED = 3

BATCH = 256
"""Queries that are searched for at once: enough to keep a matrix product busy."""


@dataclass(frozen=True)
class Query:
    """One query that has a row.

    Attributes
    ----------
    id : str
        Of the photo, or the row.
    labels : tuple of str
        Those it has; they play no part in the search.
    own : KnownRow or None
        The gallery's row of this very image, which is not found; None where it has none.
    record : ImageRecord or None
        The photo, where one was given.
    """

    id: str
    labels: tuple[str, ...] = ()
    own: KnownRow | None = None
    record: ImageRecord | None = None


@dataclass(frozen=True)
class QueryBatch:
    """Some queries.

    Attributes
    ----------
    outcomes : sequence of Query or Failure
        In the order in which they were given.
    rows : float32 array, shape (n, D)
        Row k is that of the k-th `Query`.
    features : Features or None
        What the rows are of, where they are those of a file; it knows where the images are.
    """

    outcomes: Sequence[Query | Failure]
    rows: NDArray[np.float32]
    features: Features | None = field(default=None, repr=False)

    @classmethod
    def failed(cls, failures: Sequence[Failure]) -> QueryBatch:
        """Make a batch of queries none of which has a row."""
        return cls(failures, np.empty((0, 0), np.float32))


def of_ids(gallery: Searched, ids: Sequence[str]) -> Iterator[QueryBatch]:
    """Search for rows of the gallery itself.

    Parameters
    ----------
    gallery : Searched
    ids : sequence of str
        All of them are looked up before the first batch.

    Raises
    ------
    UnknownNameError
        If there is no row of an id.
    UsageError
        If that is a pattern.
    """
    try:
        known = gallery.require(ids)
    except UnknownNameError as error:
        there = gallery.known(ids)
        unknown = next(one for one in ids if one not in there)
        if "*" in unknown or "?" in unknown:  # a [ alone is rather part of a name
            raise UsageError(
                f"there is no id {unknown!r} in {gallery.name}; {option('id')} takes no pattern, "
                f"but {option('filter', f'id={unknown}')} does, for the rows that may be found"
            ) from None
        kind, some = f"id in {gallery.name}", gallery.first_ids(_SHOWN)
        hint, meant = _what_lists_ids(gallery, some), error.suggestions
        raise UnknownNameError(kind, unknown, some, hint, meant=meant) from None

    def batches() -> Iterator[QueryBatch]:
        for start in range(0, len(ids), BATCH):
            part, rows = ids[start : start + BATCH], known[start : start + BATCH]
            queries = [Query(one.id, one.labels, one) for one in rows]
            yield QueryBatch(queries, gallery.rows_of(part), gallery.features_of(part))

    return batches()


def _what_lists_ids(gallery: Searched, some: Sequence[str]) -> str:
    if gallery.path is not None and gallery.path.suffix in FEATURES.suffixes:
        rows = command("export_rows", str(gallery.path), output="rows.csv")
        return f"{rows} lists the ids"
    return f"ids are e.g. {', '.join(some[:_NAMED])}"


def features_of_file(gallery: Searched, path: Path) -> Features:
    """Open a feature file at the rows that were made as those of the gallery.

    Raises
    ------
    RecipeMismatchError
        If there are none; says where they differ.
    PathNotFoundError, WrongFileError, FeatureFileError
    """
    features = load_of_recipe(path, gallery.recipe)
    require_equal(
        gallery.recipe, features.recipe, name=gallery.name, other_name=str(path), made_again=True
    )
    return features


def of_features(
    gallery: Searched, features: Features, *, name: str = "the queries"
) -> Iterator[QueryBatch]:
    """Search for the rows of a feature file.

    Raises
    ------
    RecipeMismatchError
        If they were made otherwise than the gallery's.
    """
    require_equal(
        gallery.recipe, features.recipe, name=gallery.name, other_name=name, made_again=True
    )

    def batches() -> Iterator[QueryBatch]:
        for start in range(0, len(features), BATCH):
            stop = min(start + BATCH, len(features))
            rows = np.asarray(features.features[start:stop], np.float32)
            places = range(start, stop)
            own = rows_of_features(gallery, features, places)
            queries = [
                Query(str(features.ids[k]), labels_of(features, k), one)
                for k, one in zip(places, own, strict=True)
            ]
            yield QueryBatch(queries, _flat(rows), features)

    return batches()


def are_rows(queries: Any) -> bool:
    """Whether what a program gives are rows of numbers, and not images."""
    if isinstance(queries, list | tuple) and queries:
        return all(getattr(one, "dtype", None) is not None and are_rows(one) for one in queries)
    kind = getattr(getattr(queries, "dtype", None), "kind", "")
    return kind == "f"


def given_rows(gallery: Searched, queries: Any) -> NDArray[np.float32]:
    """Take rows that a program gives.

    Parameters
    ----------
    gallery : Searched
    queries : float array, shape (Q, D) or (Q, …), or list of Q arrays

    Returns
    -------
    float32 array, shape (Q, D)

    Raises
    ------
    UsageError
        If there are none, or they have another length than those of the gallery.
    """
    try:
        with np.errstate(over="ignore"):  # what is too large is infinite, and said to be so
            rows = np.asarray(queries, np.float32)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"the queries are {what_given(queries)}; give rows of one length, an array (Q, D)"
        ) from error
    if rows.ndim < 2:
        raise UsageError(
            f"the queries are {what_given(queries)}; give rows, an array of shape (Q, D): "
            "row[None] is one row"
        )
    if not len(rows):
        raise UsageError(f"the queries are {what_given(queries)}, without any row")
    rows = rows.reshape(len(rows), -1)
    if rows.shape[1] != gallery.width:
        raise UsageError(
            f"these rows have {count(rows.shape[1], 'number')} each, but those of {gallery.name} "
            f"have {count(gallery.width)}; make them with its own recipe"
        )
    return rows


def of_rows(rows: NDArray[np.float32]) -> Iterator[QueryBatch]:
    """Search for rows that a program gives, which are named by their places.

    Parameters
    ----------
    rows : float32 array, shape (Q, D)
    """
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        yield QueryBatch([Query(f"row {start + k}") for k in range(len(part))], part)


def of_photos(
    gallery: Searched,
    extractor: Extractor,
    records: Iterable[ImageRecord],
    *,
    readers: int | None = None,
    stop_on_error: bool | None = None,
    on_block: Callable[[int, int], None],
) -> Iterator[QueryBatch]:
    """Search for photos, whose rows are made by the gallery's own recipe.

    Parameters
    ----------
    gallery : Searched
    extractor : Extractor
        Of that recipe.
    records : iterable of ImageRecord
    readers, stop_on_error
        As for `Extractor.blocks`.
    on_block : callable
        Called with how many photos were read since the last call, and how many of them failed.

    Raises
    ------
    ImageError
        With `stop_on_error`, at the first photo that cannot be read.
    """
    names = {*gallery.label_names}
    outcomes: list[Failure | tuple[ImageRecord, str]] = []
    parts: list[NDArray[np.float32]] = []

    def batch() -> QueryBatch:
        rows = np.concatenate(parts) if parts else np.empty((0, gallery.width), np.float32)
        photos = [one for one in outcomes if not isinstance(one, Failure)]
        own = iter(rows_of_photos(gallery, photos))
        queries = [
            one if isinstance(one, Failure) else query(one[0], next(own)) for one in outcomes
        ]
        return QueryBatch(queries, rows)

    def query(record: ImageRecord, own: KnownRow | None) -> Query:
        # A folder's name is a label where the gallery knows it; else it is any folder.
        labels = tuple(one for one in record.labels if one in names) if own is None else own.labels
        return Query(record.id, labels, own, record)

    for block in extractor.blocks(records, readers=readers, stop_on_error=stop_on_error):
        on_block(len(block.outcomes), len(block.failures))
        for outcome in block.outcomes:
            outcomes.append(
                (outcome.record, outcome.digest) if outcome.failure is None else outcome.failure
            )
        if block.rows:
            parts.append(_flat(block.rows[0]))
        if len(outcomes) >= BATCH:
            yield batch()
            outcomes, parts = [], []
    if outcomes:
        yield batch()


def _flat(rows: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(rows, np.float32).reshape(len(rows), -1)
