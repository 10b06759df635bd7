"""t-SNE of many rows, beside scikit-learn's on the same principal components.

    python benchmarks/explore.py                   10,000 random rows of 1,280 numbers
    python benchmarks/explore.py --rows 2000       a minute
    python benchmarks/explore.py --features flowers.h5

Random rows are of 50 blobs that overlap, positive, as a network's are after its last ReLU. penult's
time is of all that `penult.map` does but the quality: components of the rows, neighbours, t-SNE.
scikit-learn's is of its TSNE alone, Barnes and Hut's, on the components that penult found, with the
same perplexity and all cores. Where other programs run, compare seconds of CPU. Trustworthiness is
of the same 2,000 rows in the full space.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from penult.explore.components import COMPONENTS, find_components
from penult.explore.part import choose_rows
from penult.explore.row_map.quality import measure_quality
from penult.explore.row_map.tsne import tsne
from penult.features.read import load
from penult.machine import cores
from penult.recipe import BackboneRecipe, Preprocessing
from penult.records import Features

PERPLEXITY = 30


def random_rows(count: int, width: int) -> Features:
    """Rows like a network's, of 50 classes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 50, count)
    rows = rng.standard_normal((count, width), np.float32)
    rows += 0.5 * rng.standard_normal((50, width), np.float32)[labels]
    recipe = BackboneRecipe(
        architecture="random",
        weights_sha256="00" * 32,
        layer="penultimate",
        pooling="none",
        preprocessing=Preprocessing(
            resize=4, crop=(4, 4), interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3
        ),
        backbone="random",
    )
    return Features(
        features=np.maximum(rows, 0),
        ids=[str(k) for k in range(count)],
        labels=labels,
        label_names=tuple(map(str, range(50))),
        recipe=recipe,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--features", help="a feature file, in place of random rows")
    given = parser.parse_args()
    features = load(given.features) if given.features else random_rows(given.rows, given.width)
    every = choose_rows(features, sample=None, seed=0, fit_on=None)

    import openTSNE  # noqa: F401 - not in the time
    from sklearn.manifold import TSNE

    start, cpu = time.perf_counter(), time.process_time()
    found = find_components(features, every, "cosine", COMPONENTS, lambda _: None)
    between = time.perf_counter()
    ours = tsne(found.rows, every.fitted, perplexity=PERPLEXITY, seed=0, tell=lambda _: None)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(f"{len(features):,} rows of {np.prod(features.features.shape[1:]):,}, {cores()} cores")
    print(f"{'':<28}{'seconds':>9}{'CPU':>8}{'kept':>8}{'trustworthiness':>17}")
    show(f"penult ({between - start:.1f} s of it PCA)", seconds, cpu, features, every.shown, ours)

    start, begun = time.perf_counter(), time.process_time()
    theirs = TSNE(
        perplexity=PERPLEXITY, init="pca", learning_rate="auto", random_state=0, n_jobs=cores()
    ).fit_transform(found.rows)
    slow, slow_cpu = time.perf_counter() - start, time.process_time() - begun
    show("scikit-learn", slow, slow_cpu, features, every.shown, theirs)
    print(
        f"scikit-learn takes {slow / seconds:.2f} times as long, and {slow_cpu / cpu:.2f} times "
        f"the CPU; penult kept {cpu / seconds:.2f} cores busy, scikit-learn {slow_cpu / slow:.2f}"
    )


def show(
    name: str, seconds: float, cpu: float, features: Features, rows: np.ndarray, xy: np.ndarray
) -> None:
    quality = measure_quality(features, rows, xy.astype(np.float32), "cosine")
    assert quality is not None
    print(
        f"{name:<28}{seconds:>9.1f}{cpu:>8.1f}{quality.kept:>8.3f}{quality.trustworthiness:>17.4f}"
    )


if __name__ == "__main__":
    main()
