"""Where in the photos of its mistakes a classifier found its class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from penult.errors import BackboneError, EngineError, ImageError, MissingExtraError, WeightsError
from penult.extractor import EngineOptions
from penult.reporting.classified import Classified
from penult.reporting.figures.heat_overlay import overlay
from penult.reporting.misclassified import misclassified
from penult.reporting.steps.course import Course
from penult.saliency.class_maps import ClassMaps
from penult.web.thumbnails import data_uri

__all__ = ["draw_evidence"]

MOST_MISTAKES = 24
"""The most confident ones, of which each takes the network once and some 15 kB of the page."""

SIDE = 320  # pixels of a picture


def draw_evidence(
    made: Classified,
    course: Course,
    *,
    open_image: Callable[[str], bytes | None],
    weights: str | Path | None,
    offline: bool,
    engine: EngineOptions,
) -> dict[str, str]:
    """Draw where in each photo that was put into the wrong class the evidence for it lies.

    Parameters
    ----------
    made : the rows, and what a classifier says of them
    course : of the report; notes why there are no pictures, as of classifiers that are not linear
    open_image : from an id to the image file's bytes
    weights, offline, engine : of `ClassMaps`

    Returns
    -------
    dict of str to str
        The id of a mistake to the address of a picture, which begins with ``data:``.
    """
    drawn: dict[str, str] = {}
    if made.classifier is None or made.held_out is None:
        return drawn
    wrong = misclassified(made.held_out)[:MOST_MISTAKES]
    if not wrong or made.classifier.thresholds is not None:  # of several labels, which one is it?
        return drawn
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
                picture = _picture(maps, open_image, mistake.id, mistake.predicted)
                if picture is not None:
                    drawn[mistake.id] = picture
        # The rows are there; the network that made them may not be, and then the page does without.
        except (BackboneError, EngineError, MissingExtraError, WeightsError) as error:
            course.notes["evidence"] = str(error)
    return drawn


def _picture(
    maps: ClassMaps, open_image: Callable[[str], bytes | None], image_id: str, label: str
) -> str | None:
    try:
        data = open_image(image_id)
        if data is None:
            return None
        (found,) = maps(data, [label])
    except (ImageError, OSError):  # gone or broken since its row was made
        return None
    return data_uri(overlay(found.map, side=SIDE))
