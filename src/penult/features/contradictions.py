"""Images that are the same, byte for byte, and have different labels."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.wording import count

if TYPE_CHECKING:
    from penult.records import Features

__all__ = ["find_contradictions", "log_contradictions"]

_NAMED = 5
_FILES_NAMED = 4  # of one image


def find_contradictions(features: Features) -> tuple[str, ...]:
    """Say which images are one file under several labels, a sentence each.

    Parameters
    ----------
    features : Features
        Its ids, labels and digests are read, not its rows.
    """
    if features.content is None:
        return ()
    labels = _labels(features)
    content = np.asarray(features.content, str)
    _, first, number = np.unique(content, return_index=True, return_inverse=True)
    differs = (content != "") & (labels != "") & (labels != labels[first][number])
    together = defaultdict[int, list[int]](list)
    for k in np.flatnonzero(np.isin(number, number[differs]) & (labels != "")).tolist():
        together[int(number[k])].append(k)
    sentences = []
    for same in together.values():
        if len({labels[k] for k in same}) > 1:
            named = [f"{features.ids[k]} ({labels[k]})" for k in same[:_FILES_NAMED]]
            more = f" and {len(same) - _FILES_NAMED:,} more" if len(same) > _FILES_NAMED else ""
            joined = ", ".join(named) + more if more else " and ".join(named)
            sentences.append(f"the same file is in two classes: {joined}")
    return tuple(sentences)


def _labels(features: Features) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Each image's label, several joined by "|"; "" where it has none."""
    if features.targets is not None:
        names = np.asarray(features.label_names, str)
        return np.array(["|".join(names[row]) for row in features.targets], str)
    names = np.array([*features.label_names, ""], str)
    return names[features.labels]


def log_contradictions(sentences: Sequence[str]) -> None:
    """Log the first few."""
    log = logging.getLogger("penult")
    for sentence in sentences[:_NAMED]:
        log.warning("penult: %s", sentence)
    if len(sentences) > _NAMED:
        log.warning("penult: and %s more", count(len(sentences) - _NAMED, "such file"))
