"""Rows whose labels are known, in an order in which the names of files have no part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import SearchError
from penult.neighbors.blocks import read_at
from penult.neighbors.searchable import require_searchable
from penult.partition.row_groups import find_groups
from penult.partition.rows import row_length
from penult.partition.split_checks import without_labels
from penult.partition.stratification import is_labelled
from penult.retrieve.evaluation.relevance import LabelSets
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["LabelledRows"]


@dataclass(frozen=True, kw_only=True)
class LabelledRows:
    """Rows whose labels are known, in an order in which the names of files have no part.

    They are in the order of their digests, and then of their labels. So whatever is drawn or summed
    is the same wherever a row was stored.

    Attributes
    ----------
    rows : float32 array, shape (N, D)
        Flattened; finite.
    ids : sequence of str, length N
        Of the rows.
    labels : LabelSets
        Of the N rows.
    label_names : tuple of str
        Of all labels, sorted.
    digests : int64 array, shape (N,)
        The rank of each image's digest, or of that of its row where the image's is not known;
        ascending within each file.
    images : int64 array, shape (N,)
        The same number to rows that are the same image under the same id.
    groups : int64 array, shape (N,)
        The same number to rows that belong together: the same image, or of one group of the file.
    asking : bool array, shape (N,)
        Which rows are of the file of queries.
    unlabelled : int
        Rows that were left out because they have no label.
    trained_network : bool array, shape (N,), or None
        Whose images trained the network that made the rows; None where that is not known.
    """

    rows: NDArray[np.float32]
    ids: Sequence[str]
    labels: LabelSets
    label_names: tuple[str, ...]
    digests: NDArray[np.int64]
    images: NDArray[np.int64]
    groups: NDArray[np.int64]
    asking: NDArray[np.bool_]
    unlabelled: int = 0
    trained_network: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.ids)

    @property
    def grouped(self) -> bool:
        """Whether any two rows belong together."""
        return len(np.unique(self.groups)) < len(self)

    @property
    def labels_present(self) -> int:
        """How many labels some row has."""
        return int((self.labels.of_rows(np.arange(len(self))).sum(axis=0) > 0).sum())

    def names(self, row: int) -> tuple[str, ...]:
        """The labels of a row."""
        found = self.labels.of_rows(np.array([row])).nonzero()[1]
        return tuple(self.label_names[k] for k in sorted(found))

    @classmethod
    def of(
        cls, gallery: Features, queries: Features | None = None, *, metric: Metric = "cosine"
    ) -> LabelledRows:
        """Read the labelled rows of a gallery, and perhaps of the queries of another file.

        Parameters
        ----------
        gallery, queries : Features
            Of equal recipes.
        metric : {"cosine", "euclidean"}
            By what they are to be compared.

        Raises
        ------
        SearchError
            If no row has a label, a row holds NaN or infinite numbers, or a row is all zeros,
            which has no cosine; or if rows of the two have other lengths.
        """
        files = [gallery] if queries is None else [gallery, queries]
        _require_one_width(files)
        names = tuple(sorted({name for one in files for name in one.label_names}))
        places = [_labelled(one) for one in files]
        rows = np.concatenate([_read(*pair, metric) for pair in zip(files, places, strict=True)])
        ids, content = _join(files, places, "ids"), _join(files, places, "content")
        row_digests = list(map(_row_digest, rows))
        keys = [own or f"row {of_row}" for own, of_row in zip(content, row_digests, strict=True)]
        digests = np.unique(keys, return_inverse=True)[1].astype(np.int64)
        asking = np.repeat(np.arange(len(files)), [len(one) for one in places]) == 1
        labels = _label_sets(files, places, names)
        order = np.lexsort((labels.of, digests, asking))
        return cls(
            rows=rows[order],
            ids=[ids[place] for place in order],
            labels=LabelSets(labels.of[order], labels.labels),
            label_names=names,
            digests=digests[order],
            images=_same_images(ids, content, row_digests, asking)[order],
            groups=_numbers(_groups(files, places)[order].tolist()),
            asking=asking[order],
            unlabelled=sum(map(len, files)) - len(rows),
            trained_network=_trained(files, places, order),
        )


def _require_one_width(files: Sequence[Features]) -> None:
    """Refuse rows of other lengths under an equal recipe, as a damaged or forged file has them."""
    widths = [row_length(one) for one in files]
    if len(set(widths)) > 1:
        gallery, queries = (count(width, "number") for width in widths)
        raise SearchError(
            f"the rows of the queries have {queries}, and those of the gallery {gallery} each, "
            "though their recipes are equal; extract them again"
        )


def _labelled(features: Features) -> NDArray[np.int64]:
    labels = features.labels if features.targets is None else features.targets
    found = np.flatnonzero(is_labelled(np.asarray(labels)))
    if not len(found):
        raise SearchError(
            without_labels(len(features), features.origin, "nothing says which are relevant")
        )
    return found


def _read(features: Features, places: NDArray[np.int64], metric: Metric) -> NDArray[np.float32]:
    rows = read_at(features.features, places).reshape(len(places), -1)
    ids = [str(features.ids[place]) for place in places.tolist()]
    require_searchable(rows, ids, metric, getattr(features.features, "named", ""))
    return rows


def _join(files: Sequence[Features], places: Sequence[NDArray[np.int64]], name: str) -> list[str]:
    """A column of all files, "" where one does not have it."""
    joined: list[str] = []
    for features, wanted in zip(files, places, strict=True):
        column = getattr(features, name)
        joined += [""] * len(wanted) if column is None else [str(column[k]) for k in wanted]
    return joined


def _trained(
    files: Sequence[Features], places: Sequence[NDArray[np.int64]], order: NDArray[np.int64]
) -> NDArray[np.bool_] | None:
    if all(one.trained_network is None for one in files):
        return None
    known = [
        np.zeros(len(wanted), bool)
        if one.trained_network is None
        else np.asarray(one.trained_network, bool)[wanted]
        for one, wanted in zip(files, places, strict=True)
    ]
    return np.concatenate(known)[order]


def _label_sets(
    files: Sequence[Features], places: Sequence[NDArray[np.int64]], names: Sequence[str]
) -> LabelSets:
    place_of = {name: place for place, name in enumerate(names)}
    known = [np.array([place_of[name] for name in one.label_names]) for one in files]
    if all(one.targets is None for one in files):
        parts = [
            mine[np.asarray(one.labels)[wanted]]
            for mine, one, wanted in zip(known, files, places, strict=True)
        ]
        return LabelSets.from_labels(np.concatenate(parts), len(names))
    targets = np.zeros((sum(map(len, places)), len(names)), bool)
    start = 0
    for mine, one, wanted in zip(known, files, places, strict=True):
        line = np.arange(start, start + len(wanted))
        if one.targets is None:
            targets[line, mine[np.asarray(one.labels)[wanted]]] = True
        else:
            targets[np.ix_(line, mine)] = np.asarray(one.targets)[wanted]
        start += len(wanted)
    return LabelSets.from_targets(targets)


def _groups(files: Sequence[Features], places: Sequence[NDArray[np.int64]]) -> NDArray[np.str_]:
    """What belongs together, in each file by itself."""
    parts = []
    for number, (features, wanted) in enumerate(zip(files, places, strict=True)):
        found = find_groups(features)
        named = np.arange(len(features)) if found is None else found
        parts.append(np.char.add(f"{number} ", named[wanted].astype(str)))
    return np.concatenate(parts)


def _same_images(
    ids: Sequence[str],
    content: Sequence[str],
    row_digests: Sequence[str],
    asking: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Number the images; one that lies in both files, by its id and its digest, has one number."""
    numbers = np.arange(len(ids))
    there = {ids[place]: place for place in np.flatnonzero(~asking).tolist()}
    for query in np.flatnonzero(asking).tolist():
        place = there.get(ids[query])
        if place is None:
            continue
        known = content if content[query] and content[place] else row_digests
        if known[query] == known[place]:
            numbers[query] = place
    return numbers


def _numbers(values: Sequence[str]) -> NDArray[np.int64]:
    """Number values as they are first seen, so that their names play no part."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(value, len(seen)) for value in values], np.int64)


def _row_digest(row: NDArray[np.float32]) -> str:
    # Zero has a sign that is no part of its value.
    return blake2b((row + 0).tobytes(), digest_size=16).hexdigest()
