"""Whether augmented views help where some classes have few photos: macro F1, paired.

    python benchmarks/augment.py FOLDER                 all arms, ten seeds
    python benchmarks/augment.py FOLDER --seeds 3

FOLDER has photos in one folder a class, as Flowers-17. Each seed draws five classes of three
photos, and ten photos of every other class; all other photos are scored. An arm trains on them with
no augmented views, with ``--class-weight balanced`` in their place, or with those of
``--augment-to``, light or strong. The columns are macro F1, accuracy, and the mean recall of the
five classes, each with the difference to the first arm, seed by seed, and its standard error; and
in how many seeds macro F1 is higher than that of the first arm.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import penult

CLASSES, FEW, MANY = 5, 3, 10  # so many classes have few photos


@dataclass(frozen=True)
class Arm:
    """A way to train.

    Attributes
    ----------
    to : int
        How many images each class is brought to; 0 for no augmented views.
    policy : {"light", "strong"}
    balanced : bool
        Whether classes have weights.
    """

    to: int = 0
    policy: str = "light"
    balanced: bool = False

    def __str__(self) -> str:
        views = f"to {self.to}, {self.policy}" if self.to else "no views"
        return f"{views}, balanced" if self.balanced else views


ARMS = (
    Arm(),
    Arm(balanced=True),
    *(Arm(to, policy) for policy in ("light", "strong") for to in (10, 40)),
)


def draw(features: penult.Features, seed: int) -> tuple[np.ndarray, list[str]]:
    """Places of the photos to train on, and the classes of few."""
    rng = np.random.default_rng(seed)
    few = rng.choice(len(features.label_names), CLASSES, replace=False)
    places = [
        rng.choice(np.flatnonzero(features.labels == k), FEW if k in few else MANY, replace=False)
        for k in range(len(features.label_names))
    ]
    return np.sort(np.concatenate(places)), [features.label_names[k] for k in few]


def scores(
    photos: Path, features: penult.Features, arms: Sequence[Arm], seed: int
) -> Iterator[tuple[float, float, float]]:
    """Macro F1, accuracy, and recall of the classes of few photos, of each arm."""
    places, few = draw(features, seed)
    paths = [str(photos / features.ids[k]) for k in places]
    labels = [features.label_names[k] for k in features.labels[places]]
    others = features.take(np.setdiff1d(np.arange(len(features)), places))
    extracted: dict[tuple[int, str], penult.Features] = {}
    for arm in arms:
        made = (arm.to, arm.policy if arm.to else "")
        if made not in extracted:
            views = {"augment_to": arm.to, "augment_policy": arm.policy} if arm.to else {}
            extracted[made] = penult.extract(paths, labels=labels, progress=False, **views)
        found = penult.train(
            extracted[made],
            test_features=others,
            class_weight="balanced" if arm.balanced else None,
            progress=False,
        ).scores
        recalls = [one.recall for one in found.classes if one.label in few]
        yield found.macro.f1, found.accuracy, float(np.mean(recalls))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    features = penult.extract(options.photos)
    found = np.array(
        [list(scores(options.photos, features, ARMS, seed)) for seed in range(options.seeds)]
    )  # seeds, arms, scores
    found *= 100
    for arm, of_arm in zip(ARMS, found.swapaxes(0, 1), strict=True):
        gain = of_arm - found[:, 0]
        error = gain.std(axis=0, ddof=1) / len(gain) ** 0.5
        cells = [f"{mean:.1f}" for mean in of_arm.mean(axis=0)]
        if arm != ARMS[0]:
            cells = [
                f"{cell} ({by:+.1f} ± {off:.1f})"
                for cell, by, off in zip(cells, gain.mean(axis=0), error, strict=True)
            ]
        better = (gain[:, 0] > 0).sum()
        print(f"| {arm} | {' | '.join(cells)} | {better} of {len(gain)} |", flush=True)


if __name__ == "__main__":
    main()
