"""The pairs of classes that are confused most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.misclassified import Misclassified, class_examples, misclassified
from penult.reporting.sections.base import LARGE, SMALL, Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]

MOST_PAIRS, MOST_PER_PAIR = 6, 7


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    trained = report.trained
    if trained is None or trained.multilabel:
        return None
    by_pair = defaultdict[tuple[str, str], list[Misclassified]](list)
    for mistake in misclassified(trained.held_out):
        first, second = sorted((mistake.truth, mistake.predicted))
        by_pair[first, second].append(mistake)
    if not by_pair:
        return None
    pairs = sorted(by_pair.items(), key=lambda item: (-len(item[1]), item[0]))
    examples = class_examples(trained.held_out)

    def example(label: str) -> str | None:
        return thumbnails(examples[label], SMALL) if label in examples else None

    return {
        "pairs": [
            {
                "classes": [(label, example(label)) for label in labels],
                "directions": [
                    (a, b, n)
                    for a, b in (labels, labels[::-1])
                    if (n := sum(m.truth == a and m.predicted == b for m in group))
                ],
                "images": len(group),
                "shown": [(m, thumbnails(m.id, LARGE)) for m in group[:MOST_PER_PAIR]],
            }
            for labels, group in pairs[:MOST_PAIRS]
        ],
        "total": len(pairs),
    }


SECTION = Section(name="pairs", title="Most confused pairs", content=_content, tab="Pairs")
