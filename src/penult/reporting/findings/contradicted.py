"""How many images contradict the classifier that they trained."""

from __future__ import annotations

from penult.reporting.content import Report
from penult.reporting.findings.finding import Finding
from penult.wording import count

__all__ = ["contradicted"]


def contradicted(report: Report) -> Finding | None:
    """Count the images that trained a given classifier, which calls them otherwise all the same.

    Returns
    -------
    Finding or None
        None where there are none.
    """
    applied = report.applied
    images = None if applied is None else applied.trained_images
    if applied is None or images is None or applied.evaluation is None:
        return None
    many = len(applied.contradicted)
    if not many:
        return None
    one = many == 1
    section = "mistakes" if applied.evaluation.apart is None else "contradictions"
    return Finding(
        f"{many:,} of {count(len(images), 'image')} that trained it {'is' if one else 'are'} "
        f"called otherwise than {'it is' if one else 'they are'} labelled: "
        f"{'its label' if one else 'their labels'} may be wrong.",
        section,
    )
