"""Random recipes that are trees, for hypothesis."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from penult.recipe import (
    AugmentedRecipe,
    AveragedRecipe,
    BackboneRecipe,
    JoinedRecipe,
    Preprocessing,
    ProjectedRecipe,
    Projection,
)

PREPROCESSING = Preprocessing(
    resize=256, crop=(224, 224), interpolation="bicubic", mean=(0.5,) * 3, std=(0.25,) * 3
)


def leaf(layer: str = "penultimate", net: str = "net") -> BackboneRecipe:
    return BackboneRecipe(
        architecture=f"toy/{net}",
        weights_sha256="ab" * 32,
        layer=layer,
        pooling="none",
        preprocessing=PREPROCESSING,
        backbone=f"toy:{net}",
        weights=f"{net} 1",
    )


def projection(components: int, whiten: bool, width: int = 5, seed: int = 0) -> Projection:
    rng = np.random.default_rng(seed)
    return Projection(
        mean=rng.normal(size=width),
        components=rng.normal(size=(components, width)),
        explained_variance=rng.random(components),
        total_variance=float(components),
        whiten=whiten,
    )


leaves = st.builds(leaf, st.text(max_size=5), st.sampled_from("abc"))


def _joined(parts):
    weights = st.lists(
        st.floats(0.01, 100, allow_nan=False), min_size=len(parts), max_size=len(parts)
    )
    return st.builds(JoinedRecipe, st.just(tuple(parts)), weights.map(tuple))


def _projected(part):
    return st.builds(projection, st.integers(1, 5), st.booleans(), seed=st.integers(0, 9)).map(
        lambda one: ProjectedRecipe.of(part, one)
    )


def _inner(parts):
    return st.lists(parts, min_size=2, max_size=3).flatmap(_joined) | parts.flatmap(_projected)


_without_views = st.recursive(leaves, _inner, max_leaves=4)
_with_views = st.builds(
    AveragedRecipe, _without_views, st.sampled_from(("flip", "five-crop", "ten-crop"))
)
_trees = st.recursive(_without_views | _with_views, _inner, max_leaves=4)
trees = _trees | st.builds(
    AugmentedRecipe, _trees, st.sampled_from(("light", "strong")), st.integers(0, 9)
)
