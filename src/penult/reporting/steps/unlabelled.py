"""A report of images among which there is nothing to tell apart."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from penult.classify.diagnosis.layers import choose_layers
from penult.features.read import load
from penult.interface import option
from penult.reporting.classified import Classified
from penult.wording import count

__all__ = ["why_untrained", "without_classifier"]


def why_untrained(path: Path) -> str:
    """Say why no classifier can be trained on the rows of a feature file, for lack of labels.

    Returns
    -------
    str
        The beginning of a sentence; "" where there are several labels.
    """
    features = load(path)
    if not features.labelled:
        return f"none of {count(len(features), 'image')} has a label"
    classes = [name for name, images in features.images_per_class().items() if images]
    if len(classes) > 1:
        return ""
    return f"all {count(features.labelled, 'labelled image')} have one label, {classes[0]}"


def without_classifier(path: Path, layers: Sequence[str], why: str) -> Classified:
    """Take the rows as they are: of several layers the last, as a map does.

    What is missing is said in one line.

    Parameters
    ----------
    path : of the feature file
    layers : names and globs, or none for all
    why : of `why_untrained`
    """
    logging.getLogger("penult").warning(
        "penult: %s, so no classifier was trained; a folder for each class, %s or %s gives labels",
        why,
        option("labels", "FILE"),
        option("label_pattern", "REGEX"),
    )
    name = choose_layers(path, layers or ("all",))[-1]
    return Classified(features=load(path, name), untrained=why)
