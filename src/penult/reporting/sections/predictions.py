"""What a classifier that was given says of every image: a gallery by class, the unsure first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penult.records import Prediction
from penult.reporting.applied import Applied
from penult.reporting.content import Report
from penult.reporting.misclassified import misclassified
from penult.reporting.sections.base import LARGE, SMALL, Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]

PICTURES = 480
"""Of all classes together."""

MOST_PICTURES, LEAST_PICTURES = 12, 4  # of a class
MOST_LISTED = 1_000  # classes

UNSURE = 0.5
"""Below which a class is less probable than all others together."""


@dataclass(frozen=True, kw_only=True)
class _Picture:
    id: str
    address: str | None
    probability: float
    unlike: bool
    seen: bool
    labelled: str | None


@dataclass(frozen=True, kw_only=True)
class _Class:
    number: int
    label: str | None
    images: int
    unsure: int
    unlike: int
    otherwise: int
    pictures: list[_Picture]


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    applied = report.applied
    if applied is None:
        return None
    by_class = _by_class(applied)
    each = max(LEAST_PICTURES, min(MOST_PICTURES, PICTURES // max(1, len(by_class))))
    pictured = PICTURES // each
    seen = applied.seen or frozenset()
    otherwise = _labelled_otherwise(applied)
    classes = []
    for number, (label, found) in enumerate(by_class[:MOST_LISTED]):
        large = number < pictured
        classes.append(
            _Class(
                number=number,
                label=label,
                images=len(found),
                unsure=sum(probability < UNSURE for probability, _ in found),
                unlike=sum(bool(one.unlike) for _, one in found),
                otherwise=sum(one.id in otherwise for _, one in found),
                pictures=[
                    _Picture(
                        id=one.id,
                        address=thumbnails.photo(one.id, LARGE)
                        if large
                        else thumbnails(one.id, SMALL),
                        probability=probability,
                        unlike=bool(one.unlike),
                        seen=one.id in seen,
                        labelled=otherwise.get(one.id),
                    )
                    for probability, one in found[: each if large else 1]
                ],
            )
        )
    predicted = {label for label, _ in by_class}
    return {
        "pictured": classes[:pictured],
        "others": classes[pictured:],
        "left_out": max(0, len(by_class) - MOST_LISTED),
        "each": each,
        "empty": [one for one in applied.label_names if one not in predicted],
        "file": applied.file,
        "several": applied.several,
        "images": len(applied.predictions),
        "unsure": sum(one.probability < UNSURE for one in applied.predictions),
        "unlike": applied.unlike,
        "seen": len(seen),
        "otherwise": len(otherwise),
    }


def _labelled_otherwise(applied: Applied) -> dict[str, str]:
    """Id to label of the images that have another class that it knows; of one label an image."""
    if applied.evaluation is None or applied.several:
        return {}
    return {one.id: one.truth for one in misclassified(applied.evaluation.images)}


def _by_class(applied: Applied) -> list[tuple[str | None, list[tuple[float, Prediction]]]]:
    """Each predicted class with its images and how probable it is of each, the least first.

    The class of most images comes first. None stands for no label, where there may be several.
    """
    found: defaultdict[str | None, list[tuple[float, Prediction]]] = defaultdict(list)
    for one in applied.predictions:
        for label, probability in _labels(one):
            found[label].append((probability, one))
    for images in found.values():
        images.sort(key=lambda pair: (pair[0], pair[1].id))
    return sorted(found.items(), key=lambda item: (item[0] is None, -len(item[1]), item[0] or ""))


def _labels(one: Prediction) -> Iterator[tuple[str | None, float]]:
    if one.labels is None:
        yield one.label, one.probability
        return
    probability = dict(one.top)
    for label in one.labels:
        yield label, probability[label]
    if not one.labels:
        yield None, one.probability


SECTION = Section(name="predictions", title="Predictions", content=_content)
