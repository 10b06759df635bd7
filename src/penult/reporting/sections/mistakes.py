"""Images put into the wrong class, to be looked through class by class and pair by pair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from penult.messages import printable
from penult.reporting.content import Report
from penult.reporting.misclassified import Misclassified, class_examples, misclassified
from penult.reporting.sections.base import EXAMPLE, LARGE, Section
from penult.reporting.sections.classes import EXAMPLES_UP_TO
from penult.reporting.trained import Trained
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]

# What bounds the page's size: the most confident mistakes are there to be seen large.
MOST_LARGE, MOST_MISTAKES = 48, 192
WHOLE = 640  # pixels of a large picture's longer side
MOST_PAIRS = 8  # that have a button of their own


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    trained = report.trained
    if trained is None:
        return None
    wrong = misclassified(trained.held_out)
    if not wrong:
        return None
    shown = wrong[:MOST_MISTAKES]
    places = (
        {}
        if trained.multilabel
        else {score.label: k for k, score in enumerate(trained.scores.classes)}
    )
    return {
        "shown": [
            {
                "mistake": m,
                "address": _picture(m.id, WHOLE if k < MOST_LARGE else LARGE, thumbnails),
                "is": places.get(m.truth),
                "called": places.get(m.predicted),
                "looked": trained.looked.get(m.id),
            }
            for k, m in enumerate(shown)
        ],
        "total": len(wrong),
        "looked": len(trained.looked),
        "looked_maps": trained.looked_maps,
        "no_evidence": report.notes.get("evidence", ""),
        "names": [printable(name) for name in places],
        "pairs": _pairs(wrong, places)[:MOST_PAIRS],
        "examples": _examples(trained, shown[:MOST_LARGE], places, thumbnails),
    }


def _picture(image_id: str, side: int, thumbnails: Thumbnails) -> str | None:
    picture = thumbnails.whole(image_id, side)
    return None if picture is None else picture.address


def _pairs(
    wrong: Sequence[Misclassified], places: Mapping[str, int]
) -> list[tuple[str, str, str, int]]:
    """Count the mistakes between each two classes, in both directions, the most first.

    Each is the filter that shows them, the two names, and the mistakes.
    """
    if not places:
        return []
    counts = Counter(
        tuple(sorted((places[m.truth], places[m.predicted])))
        for m in wrong
        if m.truth in places and m.predicted in places
    )
    names = list(places)
    return [
        (f"pair={a}-{b}", names[a], names[b], images)
        for (a, b), images in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    ]


def _examples(
    trained: Trained,
    shown: Sequence[Misclassified],
    places: Mapping[str, int],
    thumbnails: Thumbnails,
) -> list[tuple[int, str, str]]:
    """Give a right image of each class that is shown, where the table of classes has no pictures.

    Each is the class's place, its name, and the picture.
    """
    if len(places) <= EXAMPLES_UP_TO:
        return []
    examples = class_examples(trained.held_out)
    confused = dict.fromkeys(name for m in shown for name in (m.truth, m.predicted))
    return [
        (places[name], name, address)
        for name in confused
        if name in places
        and name in examples
        and examples[name].right
        and (address := _picture(examples[name].id, EXAMPLE, thumbnails))
    ]


SECTION = Section(name="mistakes", title="Mistakes", content=_content)
