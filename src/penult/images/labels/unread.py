"""The labels of images that a feature file has no row of, since they could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from penult.errors import PenultError
from penult.images.labels.annotations import Annotation, ImageEntry
from penult.images.labels.rules import by_source, label_rule

__all__ = ["labels_of_unread"]


def labels_of_unread(ids: Iterable[str], origin: Mapping[str, Any]) -> dict[str, Annotation]:
    """Label images that could not be read as those that could be were: by folder, name or table.

    Parameters
    ----------
    ids : iterable of str
        Of a feature file's failures.
    origin : mapping
        Of the same file.

    Returns
    -------
    dict
        Id to annotation, of those that are still a file in a folder that was given, and have a
        label. Nothing where the labels stood in a list of images, or the table is gone.
    """
    labels, pattern = origin.get("labels", "none"), origin.get("label_pattern")
    columns = origin.get("path_column"), origin.get("label_column")
    try:
        rule, _ = label_rule(labels, pattern, *columns)
    except PenultError:
        return {}
    if rule is by_source and labels != "parent":
        return {}
    places = [Path(one) for one in origin.get("sources", ())]
    # The ids of several sources begin with the name of theirs.
    roots = [one.parent for one in places] if len(places) > 1 else places
    found = {}
    for image in ids:
        file = next((root / image for root in roots if (root / image).is_file()), None)
        if file is not None:
            folders = tuple(image.split("/")[:-1])
            annotation = rule(ImageEntry(id=image, path=str(file), folders=folders))
            if annotation.labels:
                found[image] = annotation
    return found
