"""What an update changes in a feature file, beside the rows that it computes anew."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from penult.records import AugmentedRecord, Changes, Features, ImageRecord, Relabelled

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
    # 24 bytes an image, and the names of those alone that changed. A listing makes a record when it
    # is asked for, so that each is asked for once.
    places, ids, sets, classes = array("q"), array("q"), array("q"), set[str]()
    for place, record in enumerate(records):
        if not isinstance(record, AugmentedRecord):
            places.append(place)
            ids.append(hash(record.id))
            sets.append(hash(frozenset(record.labels)))
            classes.update(record.labels)
    old_ids, new_ids, labels = _hashes(old.ids), np.array(ids), np.array(sets)
    there, same = _places_in(new_ids, old_ids)
    differs = same & (labels[there] != _hashes(_labels(old)))
    without_row = [records[places[k]].id for k in np.flatnonzero(~np.isin(new_ids, old_ids))]
    failed = _failed(old)
    return Changes(
        added=tuple(one for one in without_row if one not in failed),
        removed=_some_ids(old, ~same),
        relabelled=tuple(
            _relabelled(old.ids[k], _labels_of(old, k), records[places[there[k]]].labels)
            for k in np.flatnonzero(differs).tolist()
        ),
        classes_gone=tuple(sorted({*old.classes_with_rows} - classes)),
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
        An image without a row has no other labels.
    """
    old_ids, new_ids = _hashes(old.ids), _hashes(new.ids)
    there, same = _places_in(new_ids, old_ids)
    went = _places_by_id(old, ~same)
    came = _places_by_id(new, ~np.isin(new_ids, old_ids))
    renamed = renamed_images(_contents(old, went), _contents(new, came))
    came_as, failed = set(renamed.values()), _failed(new)
    removed = [one for one in went if one not in renamed and one not in failed]
    differs = same & (_hashes(_labels(new))[there] != _hashes(_labels(old)))
    pairs = [(k, int(there[k])) for k in np.flatnonzero(differs).tolist()]
    pairs += [(went[one], came[other]) for one, other in renamed.items()]
    labelled = (
        _relabelled(new.ids[now], _labels_of(old, was), _labels_of(new, now)) for was, now in pairs
    )
    return Changes(
        added=tuple(one for one in came if one not in came_as),
        removed=tuple(removed),
        failed=tuple(one for one in went if one in failed and one not in renamed),
        changed=_changed(old, new, there, same),
        relabelled=tuple(one for one in labelled if one.before != one.after),
        classes_gone=tuple(sorted({*old.classes_with_rows}.difference(new.classes_with_rows))),
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


def _relabelled(image: str, before: Iterable[str], after: Iterable[str]) -> Relabelled:
    return Relabelled(str(image), tuple(sorted(before)), tuple(sorted(after)))


def _failed(features: Features) -> set[str]:
    """The ids of images that are there and have no row."""
    return {failure.id for failure in features.failures if not failure.is_missing}


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


def _places_by_id(features: Features, which: NDArray[np.bool_]) -> dict[str, int]:
    return {str(features.ids[k]): k for k in np.flatnonzero(which).tolist()}


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
    return (_labels_of(features, k) for k in range(len(features)))


def _labels_of(features: Features, place: int) -> frozenset[str]:
    names = features.label_names
    if features.targets is not None:
        return frozenset(str(names[k]) for k in np.flatnonzero(features.targets[place]))
    label = features.labels[place]
    return frozenset([str(names[label])] if label >= 0 else [])
