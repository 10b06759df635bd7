"""Where in the photos of its mistakes a classifier found its class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import BackboneError, EngineError, ImageError, MissingExtraError, WeightsError
from penult.extractor import EngineOptions
from penult.reporting.classified import Classified
from penult.reporting.figures.heat_overlay import overlay
from penult.reporting.misclassified import misclassified
from penult.reporting.steps.course import Course
from penult.saliency.class_maps import ClassMaps
from penult.web.thumbnails import data_uri

if TYPE_CHECKING:
    from PIL import Image

    from penult.records import HeatMap

__all__ = ["draw_evidence"]

MOST_MISTAKES = 24
"""The most confident ones, of which each takes the network once and some 15 kB of the page."""

SIDE = 320  # pixels of a picture

MOST_MAPS = 4
"""Of networks and layers whose rows are joined, the first."""

_GAP = 8  # pixels


def draw_evidence(
    made: Classified,
    course: Course,
    *,
    open_image: Callable[[str], bytes | None],
    weights: str | Path | None,
    offline: bool,
    engine: EngineOptions,
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Draw where in each photo that was put into the wrong class the evidence for it lies.

    Parameters
    ----------
    made : the rows, and what a classifier says of them
    course : of the report; notes why there are no pictures, as of classifiers that are not linear
    open_image : from an id to the image file's bytes
    weights, offline, engine : of `ClassMaps`

    Returns
    -------
    pictures : dict of str to str
        The id of a mistake to the address of a picture, which begins with ``data:``.
    maps : tuple of str
        What each shows from left to right, where rows are joined; else empty.
    """
    drawn: dict[str, str] = {}
    names: tuple[str, ...] = ()
    if made.classifier is None or made.held_out is None:
        return drawn, names
    wrong = misclassified(made.held_out)[:MOST_MISTAKES]
    if not wrong or made.classifier.thresholds is not None:  # of several labels, which one is it?
        return drawn, names
    with course.noted("evidence", "class maps"):
        try:
            maps = ClassMaps(
                made.classifier,
                weights=weights,
                offline=offline,
                engine=engine.engine,
                device=engine.device,
            )
            for mistake in wrong:
                found = _found(maps, open_image, mistake.id, mistake.predicted)
                if found:
                    drawn[mistake.id] = data_uri(_side_by_side(found))
                    names = tuple(one.name for one in found) if len(found) > 1 else ()
        # The rows are there; the network that made them may not be, and then the page does without.
        except (BackboneError, EngineError, MissingExtraError, WeightsError) as error:
            course.notes["evidence"] = str(error)
    return drawn, names


def _found(
    maps: ClassMaps, open_image: Callable[[str], bytes | None], image_id: str, label: str
) -> tuple[HeatMap, ...]:
    try:
        data = open_image(image_id)
        if data is None:
            return ()
        (found,) = maps(data, [label])
    except (ImageError, OSError):  # gone or broken since its row was made
        return ()
    return found.maps[:MOST_MAPS]


def _side_by_side(maps: Sequence[HeatMap]) -> Image.Image:
    """One picture of maps of the same photo, in the same colours."""
    from PIL import Image

    limit = max(float(np.abs(one.values).max()) for one in maps)
    drawn = [overlay(one, side=SIDE, limit=limit) for one in maps]
    width = sum(one.width for one in drawn) + _GAP * (len(drawn) - 1)
    made = Image.new("RGB", (width, max(one.height for one in drawn)), "white")
    left = 0
    for one in drawn:
        made.paste(one, (left, 0))
        left += one.width + _GAP
    return made
