"""The rows that are unlike others, each beside the images that its own is most like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penult.records import REASONS, Outlier, Outliers
from penult.reporting.outlier_sections.content import OutliersContent
from penult.web.section import LARGE, SMALL, Section
from penult.web.thumbnails import Thumbnails

__all__ = ["UNUSUAL", "unusual_content"]

MOST = 60
"""Unusual images with pictures."""

NEXT = 12
"""Images after them, so that the reader sees where unusual ends."""


@dataclass(frozen=True, kw_only=True)
class _Shown:
    outlier: Outlier
    address: str | None
    reasons: str
    nearest: tuple[tuple[str, str | None], ...]


def _content(shown: OutliersContent, thumbnails: Thumbnails) -> Mapping[str, Any]:
    return unusual_content(shown.outliers, thumbnails)


def unusual_content(
    outliers: Outliers, thumbnails: Thumbnails, *, most: int = MOST, following: int = NEXT
) -> Mapping[str, Any]:
    """Make what ``outliers/unusual.html`` shows.

    Parameters
    ----------
    outliers : Outliers
    thumbnails : Thumbnails
    most : int, default=60
        How many unusual images are shown.
    following : int, default=12
        How many of those that come next, where all unusual ones are shown.

    Returns
    -------
    mapping
        What the template calls ``content``.
    """
    unusual = outliers.unusual.tolist()
    after = [] if len(unusual) > most else outliers.order.tolist()[len(unusual) :]
    after = [place for place in after if outliers.at(place).percentile is not None][:following]

    def show(place: int) -> _Shown:
        one = outliers.at(place)
        return _Shown(
            outlier=one,
            address=thumbnails.photo(one.id, LARGE),
            reasons=", ".join(REASONS[reason] for reason in one.reasons),
            nearest=tuple((near, thumbnails(near, SMALL)) for near in one.nearest),
        )

    return {
        "shown": [show(place) for place in unusual[:most]],
        "following": [show(place) for place in after],
        "left_out": max(0, len(unusual) - most),
        "line": outliers.unusual_line,
        "outliers": outliers,
    }


UNUSUAL = Section[OutliersContent](
    name="unusual", title="Unusual images", tab="Unusual", content=_content
)
