"""Features in memory for maps: blobs, which can be told apart, and noise, which cannot."""

from __future__ import annotations

import numpy as np
from feature_files import recipe

from penult.records import Features


def features_of(rows, labels=None, *, names=(), splits=None, groups=None, targets=None):
    n = len(rows)
    return Features(
        features=np.asarray(rows, np.float32),
        ids=[f"{k}.jpg" for k in range(n)],
        labels=np.full(n, -1) if labels is None else np.asarray(labels),
        label_names=tuple(names),
        recipe=recipe(),
        splits=splits,
        groups=groups,
        targets=targets,
    )


def blobs(classes=4, of=12, *, width=8, splits=None):
    """So far apart that all neighbours of a row are of its own blob; `of` rows each, in turn."""
    rng = np.random.default_rng(0)
    labels = np.arange(classes * of) % classes
    rows = 20 * np.eye(width)[labels] + 0.1 * rng.standard_normal((len(labels), width))
    names = [f"blob {k}" for k in range(classes)]
    return features_of(rows, labels, names=names, splits=splits)
