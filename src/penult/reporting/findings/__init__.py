"""What a report found, in a few sentences: what to look at first.

To add one, write ``NAME.py`` with a function of a `Report` that returns a `Finding` or None in this
folder, and put it into one of the lists below.
"""

from __future__ import annotations

from penult.reporting.content import Report
from penult.reporting.findings.contradicted import contradicted
from penult.reporting.findings.copies import copies
from penult.reporting.findings.finding import Finding
from penult.reporting.findings.fine_tuned import fine_tuned
from penult.reporting.findings.leaks import changes_the_score, leaks
from penult.reporting.findings.more_photos import more_photos
from penult.reporting.findings.trained_network import trained_network
from penult.reporting.findings.unreadable import unreadable
from penult.reporting.findings.weak_class import weak_class
from penult.reporting.findings.wrong_labels import wrong_labels

__all__ = ["Finding", "find"]

MOST = 3

OF_CLASSIFIER = (
    contradicted,
    trained_network,
    fine_tuned,
    weak_class,
    wrong_labels,
    more_photos,
)
"""Of a report that trained one, or was given one, in the order of the page."""

OF_COLLECTION = (leaks, copies, unreadable)
"""Of the images alone; where there is a classifier, in the places that its findings leave."""


def find(report: Report) -> tuple[Finding, ...]:
    """Find what its reader should know first.

    Parameters
    ----------
    report : Report
        Of a classifier, or of images alone.

    Returns
    -------
    tuple of Finding
        Three at most. Leaks that change the score come first, for all else follows from it.
    """
    finders = [*OF_CLASSIFIER, *OF_COLLECTION]
    if changes_the_score(report):
        finders.sort(key=lambda one: one is not leaks)
    found = [finding for one in finders if (finding := one(report)) is not None]
    return tuple(found[:MOST])
