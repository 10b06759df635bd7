"""Rows to index: some hundreds, in clusters, and feature files of them."""

from __future__ import annotations

from functools import cache

import feature_files
import numpy as np

LABELS = ("daisy", "rose", "tulip")


@cache
def clustered(count: int = 600, width: int = 20) -> np.ndarray:
    """Rows of few causes, through a rectifier, as features are."""
    rng = np.random.default_rng(5)
    causes = rng.standard_normal((30, 6))[rng.integers(0, 30, count)]
    causes += 0.4 * rng.standard_normal(causes.shape)
    rows = np.maximum(causes @ rng.standard_normal((6, width)), 0) + 0.01
    return np.asarray(rows, np.float32)


def names(count: int, start: int = 0) -> list[str]:
    return [f"{k}.jpg" for k in range(start, start + count)]


def gallery(path, rows, *, start=0, labels=LABELS, **options):
    """A feature file of rows, whose images are told apart by their numbers."""
    records = [
        feature_files.record(name, labels[k % len(labels)])
        for k, name in enumerate(names(len(rows), start))
    ]
    digests = [f"{k:032x}" for k in range(start, start + len(rows))]
    return feature_files.write(path, records, [rows], digests=digests, blocks=200, **options)


def by_hand(rows, query, k, metric="cosine"):
    """The places of the k nearest, in float64."""
    rows, query = rows.astype(np.float64), query.astype(np.float64)
    if metric == "cosine":
        rows, query = rows / np.linalg.norm(rows, axis=1)[:, None], query / np.linalg.norm(query)
    return np.argsort(((rows - query) ** 2).sum(axis=1), kind="stable")[:k].tolist()
