"""Digests that change when what is served changes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from penult.recipe.digest import recipe_sha256

if TYPE_CHECKING:
    from penult.classify.classifier import Classifier
    from penult.retrieve.search.gallery import Gallery
    from penult.retrieve.search.searched import Searched

__all__ = ["classifier_version", "digest", "gallery_version", "table_version"]


def classifier_version(classifier: Classifier) -> str:
    """Digest what a classifier predicts, so that a file written anew without a change is the same.

    Parameters
    ----------
    classifier : Classifier

    Returns
    -------
    str
        16 hex digits.
    """
    from penult.classify.pipeline import row_width

    width = row_width(classifier.applied)
    rows = np.random.default_rng(0).normal(size=(64, width)).astype(np.float32)
    said = np.round(classifier.predict_features(rows), 9)
    likeness = classifier.likeness and (classifier.likeness.threshold, classifier.likeness.kept)
    told = [recipe_sha256(classifier.recipe), *classifier.label_names, str(likeness)]
    return digest("\n".join(told).encode(), said.tobytes())


def gallery_version(gallery: Gallery) -> str:
    """Digest a gallery: its recipe, metric, ids, labels, contents and lengths of rows.

    Parameters
    ----------
    gallery : Gallery

    Returns
    -------
    str
        16 hex digits.
    """
    features, index = gallery.features, gallery.index
    parts = [
        recipe_sha256(gallery.recipe).encode(),
        index.metric.encode(),
        "\n".join(map(str, index.ids)).encode("utf-8", "surrogateescape"),
        np.ascontiguousarray(index.lengths).tobytes(),
    ]
    if features is not None:
        labels = features.labels if features.targets is None else features.targets
        parts += ["\n".join(features.label_names).encode(), np.asarray(labels).tobytes()]
        if features.content is not None:
            parts.append("".join(map(str, features.content)).encode())
    return digest(*parts)


def table_version(table: Searched) -> str:
    """Digest what a table is called and how its rows are made; not its rows, which are too many.

    Parameters
    ----------
    table : Searched

    Returns
    -------
    str
        16 hex digits.
    """
    told = [recipe_sha256(table.recipe), table.metric, table.name, *table.label_names]
    return digest("\n".join(told).encode(), str(table.size).encode())


def digest(*parts: bytes) -> str:
    """Digest parts, of which each counts with its length: 16 hex digits of SHA-256."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "little"))
        found.update(part)
    return found.hexdigest()[:16]
