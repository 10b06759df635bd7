"""What is odd about pictures: a section for each kind, with the worst first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from penult.records import PictureIssue
from penult.reporting.outlier_sections.content import OutliersContent
from penult.web.section import LARGE, Section
from penult.web.thumbnails import Thumbnails

__all__ = ["PICTURES", "issue_content"]

MOST = 48
"""Pictures of a kind; all are in the table."""

_SAID = {
    "dark": (
        "Dark pictures",
        "Even the brightest hundredth of a picture is darker than this score allows.",
    ),
    "light": (
        "Light pictures",
        "All but the darkest twentieth of a picture is almost white.",
    ),
    "blurry": (
        "Blurred pictures",
        "Even at 64 pixels a picture has no edges: it is out of focus, blurred by motion, or a "
        "smooth surface.",
    ),
    "low_information": (
        "Nearly blank pictures",
        "A picture has few different colours: a blank page, a placeholder, a plain drawing.",
    ),
    "odd_aspect_ratio": (
        "Oddly shaped pictures",
        "The shorter side is a small part of the longer, and most networks see the middle square "
        "alone, or all of it distorted.",
    ),
    "tiny": (
        "Tiny pictures",
        "Far smaller than the others of this collection: a thumbnail, an icon, a broken export.",
    ),
    "large": ("Large pictures", "Far larger than the others of this collection."),
    "grayscale": (
        "Grey pictures",
        "Red, green and blue are the same in each pixel, and most pictures here have colours.",
    ),
}


def issue_content(
    issue: PictureIssue, thumbnails: Thumbnails, *, most: int = MOST
) -> Mapping[str, Any]:
    """Make what ``outliers/pictures.html`` shows of one kind of odd pictures.

    Parameters
    ----------
    issue : PictureIssue
    thumbnails : Thumbnails
    most : int, default=48
        How many pictures are shown.

    Returns
    -------
    mapping
        What the template calls ``content``.
    """
    title, meaning = _SAID[issue.reason]
    return {
        "title": title,
        "meaning": meaning,
        "issue": issue,
        "shown": [
            (one, value, thumbnails.whole(one, LARGE))
            for one, value in zip(issue.ids[:most], issue.values[:most], strict=True)
        ],
        "left_out": max(0, len(issue) - most),
        "sized": issue.reason in ("tiny", "large"),
        "scored": issue.reason not in ("tiny", "large", "grayscale"),
    }


def _content(
    reason: str, shown: OutliersContent, thumbnails: Thumbnails
) -> Mapping[str, Any] | None:
    for issue in shown.outliers.issues:
        if issue.reason == reason and not issue.common:
            return issue_content(issue, thumbnails)
    return None


PICTURES = tuple(
    Section[OutliersContent](
        name=reason.replace("_", "-"),
        title=title,
        tab=title.removesuffix(" pictures"),
        content=partial(_content, reason),
        template='{% include "outliers/pictures.html" %}',
    )
    for reason, (title, _) in _SAID.items()
)
