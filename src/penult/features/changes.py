"""What an update changes in a feature file, beside the rows that it computes anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from penult.records import AugmentedRecord, Changes, Features, ImageRecord

__all__ = ["changes_of", "made_changes", "renamed_images"]


def changes_of(old: Features, records: Sequence[ImageRecord]) -> Changes:
    """Compare a feature file with the images of now.

    Parameters
    ----------
    old : Features
        The file as it is.
    records : sequence of ImageRecord
        The images of now, each with its labels; augmented views of them do not count.

    Returns
    -------
    Changes
        By the images' ids: one that was renamed is removed and added, until `made_changes` knows
        the bytes.
    """
    # 16 bytes an image, and the names of those alone that changed.
    places = np.fromiter(
        (k for k, record in enumerate(records) if not isinstance(record, AugmentedRecord)), np.int64
    )
    old_ids, new_ids = _hashes(old.ids), _hashes(records[k].id for k in places.tolist())
    labels = _hashes(frozenset(records[k].labels) for k in places.tolist())
    there, same = _places_in(new_ids, old_ids)
    differs = same & (labels[there] != _hashes(_labels(old)))
    without_row = [records[int(k)].id for k in places[~np.isin(new_ids, old_ids)]]
    failed = {failure.id for failure in old.failures}
    return Changes(
        added=tuple(one for one in without_row if one not in failed),
        removed=_some_ids(old, ~same),
        relabelled=_some_ids(old, differs),
        retried=tuple(one for one in without_row if one in failed),
    )


def made_changes(old: Features, new: Features) -> Changes:
    """What an update did change, by the rows and the bytes that were found.

    Parameters
    ----------
    old, new : Features
        The file as it was, and as it is.

    Returns
    -------
    Changes
        An image without a row is not there, so one that could be read before, and now cannot, was
        removed.
    """
    old_ids, new_ids = _hashes(old.ids), _hashes(new.ids)
    there, same = _places_in(new_ids, old_ids)
    were, are = _hashes(_labels(old)), _hashes(_labels(new))
    removed = _some_ids(old, ~same)
    added = _some_ids(new, ~np.isin(new_ids, old_ids))
    renamed = renamed_images(_contents(old, removed), _contents(new, added))
    came = set(renamed.values())
    return Changes(
        added=tuple(one for one in added if one not in came),
        removed=tuple(one for one in removed if one not in renamed),
        changed=_changed(old, new, there, same),
        relabelled=(
            *_some_ids(old, same & (are[there] != were)),
            *_relabelled(renamed, _of_ids(old, were, renamed), _of_ids(new, are, came)),
        ),
        renamed=tuple(renamed.items()),
    )


def renamed_images(before: Mapping[str, Hashable], after: Mapping[str, Hashable]) -> dict[str, str]:
    """The ids of now of images that went, and that came under another one.

    Parameters
    ----------
    before, after : mapping
        What each image that went, or came, is known by, as the digest of its bytes; in the order in
        which they are listed.
    """
    came_as = defaultdict(list)
    for image in reversed(list(after)):
        came_as[after[image]].append(image)
    # Of several copies, the first of those that went is the first of those that came.
    return {one: came_as[known_by].pop() for one, known_by in before.items() if came_as[known_by]}


def _relabelled(
    renamed: Mapping[str, str], were: Mapping[str, int], are: Mapping[str, int]
) -> Iterator[str]:
    """The ids of now of those whose labels changed with their ids, as with their folders."""
    return (other for one, other in renamed.items() if were[one] != are[other])


def _of_ids(features: Features, values: NDArray[np.int64], ids: Collection[str]) -> dict[str, int]:
    """The values of some images, by their ids."""
    pairs = zip(features.ids, values, strict=True) if ids else ()
    return {str(one): int(value) for one, value in pairs if one in ids}


def _changed(
    old: Features, new: Features, there: NDArray[np.int64], same: NDArray[np.bool_]
) -> tuple[str, ...]:
    """The ids of those that have other bytes now, of those of which both are known."""
    if old.content is None or new.content is None:
        return ()
    before, after = old.content, new.content
    differs = np.flatnonzero(same & (_hashes(after)[there] != _hashes(before)))
    return tuple(str(old.ids[k]) for k in differs.tolist() if before[k] and after[there[k]])


def _places_in(
    new_ids: NDArray[np.int64], old_ids: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where each of the old ids is among the new ones, and whether it is there at all."""
    order = np.argsort(new_ids, kind="stable")
    at = np.searchsorted(new_ids, old_ids, sorter=order).clip(max=len(new_ids) - 1)
    there = order[at]
    return there, new_ids[there] == old_ids


def _some_ids(features: Features, which: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(str(features.ids[k]) for k in np.flatnonzero(which).tolist())


def _contents(features: Features, ids: Iterable[str]) -> dict[str, str]:
    """The digests of some images' bytes, by their ids; of those for which one is known."""
    wanted = set(ids)
    if features.content is None or not wanted:
        return {}
    pairs = zip(features.ids, features.content, strict=True)
    return {str(one): content for one, content in pairs if content and str(one) in wanted}


def _hashes(values: Iterable[object]) -> NDArray[np.int64]:
    return np.fromiter((hash(value) for value in values), np.int64)


def _labels(features: Features) -> Iterator[frozenset[str]]:
    names = features.label_names
    if features.targets is not None:
        for row in features.targets:
            yield frozenset(names[k] for k in np.flatnonzero(row))
        return
    for label in features.labels:
        yield frozenset([names[label]] if label >= 0 else [])
