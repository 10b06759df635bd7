"""Rows whose classes are told apart with ease, so that what is tested is everything around them."""

import numpy as np
import pytest

from penult.recipe import Preprocessing, Recipe
from penult.records import Features


@pytest.fixture
def recipe():
    return Recipe(
        architecture="toy/mean-colour",
        weights_sha256="00",
        layer="penultimate",
        pooling="avg",
        preprocessing=Preprocessing(
            resize=8, crop=(8, 8), interpolation="bilinear", mean=(0.5,) * 3, std=(0.5,) * 3
        ),
    )


@pytest.fixture
def make_features(recipe):
    """Features with `counts` rows a class: each class around a corner of its own, `noise` apart."""

    def make(counts, *, width=6, noise=0.3, seed=0, **fields):
        rng = np.random.default_rng(seed)
        names = tuple(sorted(counts))
        labels = np.repeat(np.arange(len(names)), [counts[name] for name in names])
        rows = 3 * np.eye(len(names), width)[labels] + noise * rng.normal(size=(len(labels), width))
        given = {
            "features": rows.astype(np.float32),
            "ids": [f"{names[k]}/{i:03}.jpg" for i, k in enumerate(labels)],
            "labels": labels.astype(np.int64),
            "label_names": names,
            "recipe": recipe,
        }
        return Features(**(given | fields))

    return make
