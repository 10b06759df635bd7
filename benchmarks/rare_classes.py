"""What `train` makes of reduced rows, and of classes of few photos with and without class weights.

    penult extract flowers17 -o flowers.h5
    python benchmarks/rare_classes.py flowers.h5

Prints accuracy and spread of four runs for each length that rows are reduced to; and for each kind
of classifier the balanced accuracy where every second class has 4 photos to train with and the
others 40, with all photos counting alike and with all classes doing so: the mean of five random
choices of the photos, tested on 40 others of each class, and the smallest gain.
"""

import argparse
from dataclasses import replace

import numpy as np

import penult

LENGTHS = (None, 64, 128, 256)
GRIDS = {
    "logistic": {"C": [1, 10, 100, 1000]},
    "svm": {"C": [0.1, 1, 10]},
    "ridge": {"alpha": [0.1, 1, 10]},
}
FEW, MANY, SEEDS = 4, 40, range(5)


def reduced(features):
    for length in LENGTHS:
        found = penult.train(features, reduce=length, runs=4, grid={"C": [100, 1000, 10000]})
        settings = found.settings
        kept = settings.explained_variance_ratio or 1
        print(f"{length}: {settings.runs.mean:.3%} ± {settings.runs.std:.3%}, keeps {kept:.1%}")


def with_rare_classes(features, seed):
    rng, splits = np.random.default_rng(seed), np.full(len(features), "", object)
    for k in range(len(features.label_names)):
        mine = rng.permutation(np.flatnonzero(features.labels == k))
        splits[mine[: MANY if k % 2 else FEW]] = "train"
        splits[mine[MANY:]] = "test"
    return replace(features, splits=[str(split) for split in splits])


def weighted(features):
    parts = [with_rare_classes(features, seed) for seed in SEEDS]
    for kind, grid in GRIDS.items():
        scores = np.array(
            [
                [
                    penult.train(
                        part, classifier=kind, grid=grid, class_weight=weight
                    ).scores.balanced_accuracy
                    for weight in (None, "balanced")
                ]
                for part in parts
            ]
        )
        alike, balanced = scores.mean(axis=0)
        least = np.diff(scores, axis=1).min()
        print(f"{kind}: {alike:.1%}, balanced {balanced:.1%}, at least {100 * least:+.1f} points")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("features")
    features = penult.load(parser.parse_args().features)
    features = features.take(np.arange(len(features)))
    reduced(features)
    weighted(features)
