"""Files that are in a gallery under several labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.serving.gallery.neighbour_votes import content_keys
from penult.serving.gallery.review_item import ReviewItem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features
    from penult.retrieve.search.gallery import Gallery
    from penult.serving.gallery.judged import Judged
    from penult.serving.labels.corrected import LabelsNow

__all__ = ["copies_of_several_labels", "same_file", "several_labels"]


def several_labels(now: LabelsNow, places: Sequence[int]) -> bool:
    """Whether some rows have more than one label."""
    return len({now.labels[place] for place in places} - {None}) > 1


def same_file(ids: Sequence[str], now: LabelsNow, place: int, others: Sequence[int]) -> str:
    """Say of an image which others are the same file, and what one of another label is called."""
    differ = [k for k in others if now.labels[k] not in (None, now.labels[place])]
    other = (differ or others)[-1]
    called = now.labels[other]
    labelled = "has no label" if called is None else f"is labelled {called}"
    more = f", and as {len(others) - 1} more" if len(others) > 1 else ""
    return (
        f"the same file as {ids[other]}, which {labelled}{more}; a decision goes for "
        f"{'all' if more else 'both'}"
    )


def copies_of_several_labels(
    features: Features, now: LabelsNow, gallery: Gallery, judged: Judged
) -> list[ReviewItem]:
    """The images that are the same file as others of another label: one for each such file."""
    keys = content_keys(features)
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    doubled = np.flatnonzero((counts[inverse] > 1) & (keys > 0))
    together: dict[int, list[int]] = {}
    for place in doubled.tolist():
        if now.labels[place] is not None:
            together.setdefault(int(inverse[place]), []).append(place)
    row_of = np.full(len(keys), -1)  # among those judged
    row_of[judged.places] = np.arange(len(judged.places))
    found = []
    for same in together.values():
        if not several_labels(now, same):
            continue
        suggested, share = _likeliest(
            judged, row_of[same], [str(now.labels[place]) for place in same]
        )
        one, *others = sorted(same, key=lambda place: now.labels[place] == suggested)
        found.append(
            ReviewItem(
                place=one,
                label=now.labels[one],
                suggested=suggested,
                probability=share,
                reason=same_file(gallery.index.ids, now, one, others),
                same=tuple(others),
            )
        )
    return found


def _likeliest(judged: Judged, rows: NDArray[np.int64], labels: Sequence[str]) -> tuple[str, float]:
    """The label of a file that has several: its judges', or the most frequent if nobody judges."""
    at = rows[rows >= 0]
    if len(at) and (shares := judged.probabilities[at].mean(axis=0)).any():
        best = int(shares.argmax())
        return judged.names[best], float(shares[best])
    often = max(sorted(set(labels)), key=labels.count)
    return often, labels.count(often) / len(labels)
