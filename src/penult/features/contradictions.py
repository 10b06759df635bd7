"""Images that are the same, byte for byte, and have different labels."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from penult.interface import command
from penult.tabular import text_columns
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
    targets = features.targets
    labels = features.labels if targets is None else targets
    # 40 bytes an image; names of those alone that are told.
    content = np.fromiter((one.encode() for one in features.content), "S32", len(features.content))
    order = np.argsort(content, kind="stable")
    again = content[order][1:] == content[order][:-1]
    doubled = (content != b"") & (features.labels >= 0 if targets is None else targets.any(axis=1))
    doubled[order] &= np.append(again, False) | np.insert(again, 0, False)
    together = defaultdict[bytes, list[int]](list)
    for k in np.flatnonzero(doubled).tolist():
        together[content[k]].append(k)
    sentences = []
    for same in together.values():
        of_each = {labels[k].tobytes(): k for k in reversed(same)}  # the first with each label
        if len(of_each) > 1:
            first = sorted(of_each.values())
            same = [*first, *(k for k in same if k not in first)]
            named = [f"{features.ids[k]} ({_label(features, k)})" for k in same[:_FILES_NAMED]]
            more = f" and {len(same) - _FILES_NAMED:,} more" if len(same) > _FILES_NAMED else ""
            joined = ", ".join(named) + more if more else " and ".join(named)
            sentences.append(f"the same file is in two classes: {joined}")
    return tuple(sentences)


def _label(features: Features, k: int) -> str | None:
    (label,) = text_columns(features, k, k + 1)["label"]
    return label


def log_contradictions(sentences: Sequence[str], named: str | Path | None = None) -> None:
    """Log the first few, and what to do about them.

    Parameters
    ----------
    sentences : sequence of str
        Of `find_contradictions`.
    named : path, optional
        The feature file, to be typed.
    """
    rows = "FEATURES" if named is None else str(named)
    log = logging.getLogger("penult")
    for sentence in sentences[:_NAMED]:
        log.warning("penult: %s", sentence)
    if len(sentences) > _NAMED:
        log.warning("penult: and %s more", count(len(sentences) - _NAMED, "such file"))
    if sentences:
        log.warning(
            "penult: %s lists such copies; take the wrong one out of its folder, or correct its "
            "label with %s",
            command("duplicates", rows),
            command("apply_labels", "LABELS", rows, output="TABLE.csv"),
        )
