"""Networks joined, views averaged, rows reduced: how accurate, how long, how large.

    python benchmarks/combine.py FOLDER                 the table of docs/combine.md
    python benchmarks/combine.py FOLDER --keep DIR      its files stay in DIR, or are there already
    python benchmarks/combine.py FOLDER --crops         with five and ten crops, which take long
    python benchmarks/combine.py FOLDER --rounds 0      without the times
    python benchmarks/combine.py FOLDER --seeds 0       without the accuracies

FOLDER has photos in one folder a class, as Flowers-17. Each network runs over all photos once for
each kind of views, and its files are joined. Accuracies are of 4-fold cross-validation, shuffled
and stratified, with the same folds for all lines of the table: once a seed every photo is
classified by a classifier that was trained on the other three quarters. Principal components are
those of the training photos of each fold. Beside the accuracy stand the standard deviation over
folds, and the difference to the most accurate single network, in points, with its standard error
over photos.

CPU is what an opened `penult.Extractor` takes of every sixteenth photo, in milliseconds a photo,
one after the other in turns, the least of all rounds. "Of the parts" compares it with the sum of
the single networks' extractors, each of which reads and decodes every photo again.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import platform
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from sklearn.model_selection import StratifiedKFold

import penult

NETWORKS = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
FOLDS = 4
EVERY = 16  # of the photos, for times
LIBRARIES = ("penult", "openvino", "scikit-learn", "numpy", "pillow")

Views = Literal["flip", "five-crop", "ten-crop"]
Kind = tuple[tuple[str, ...], Views | None]
"""Networks and views."""

DECODING: Kind = ((), None)


@dataclass(frozen=True)
class Line:
    """A line of the table: which networks, which views, reduced to how many numbers.

    Attributes
    ----------
    networks : tuple of str
    views : Views or None
    pca : int or None
    whiten : bool
    weights : tuple of float
        Of the networks; empty where all count alike.
    """

    networks: tuple[str, ...]
    views: Views | None = None
    pca: int | None = None
    whiten: bool = False
    weights: tuple[float, ...] = ()

    def __str__(self) -> str:
        names = ["Lite" + name[-1] for name in self.networks]
        by_weight = zip(self.weights, names, strict=True) if self.weights else ()
        return ", ".join(
            [
                " + ".join([f"{w:g} × {name}" for w, name in by_weight] or names),
                *([self.views] if self.views else []),
                *([f"PCA {self.pca}"] if self.pca else []),
                *(["whitened"] if self.whiten else []),
            ]
        )

    @property
    def extracted(self) -> Kind:
        """What `penult.extract` is given for its rows before they are reduced."""
        return self.networks, self.views

    @property
    def file(self) -> str:
        """A name for its file."""
        return "-".join(re.findall(r"[\w.]+", str(self))) + ".h5"


def lines(*, crops: bool) -> list[Line]:
    """The lines of the table, those that others are made of first."""
    joined = (NETWORKS[:1], NETWORKS[1:2], NETWORKS[2:], NETWORKS[:2], NETWORKS)
    averaged: tuple[Views | None, ...] = (None, "flip")
    cropped: tuple[Views, ...] = ("five-crop", "ten-crop") if crops else ()
    plain = [Line(of, views) for views in averaged for of in joined]
    more = [Line(NETWORKS, views) for views in cropped]
    of_flips = Line(NETWORKS, "flip")
    small = [
        dataclasses.replace(of_flips, pca=pca, whiten=whiten)
        for pca in (256, 64)
        for whiten in (False, True)
    ]
    weighted = dataclasses.replace(of_flips, weights=(1, 2, 3))
    return [*plain, *more, *small, weighted]


def make_files(photos: Path, wanted: Sequence[Line], folder: Path) -> None:
    """Extract each network and kind of views once, and join them."""
    for line in wanted:
        path = folder / line.file
        if path.exists() or line.pca:
            continue
        if len(line.networks) == 1:
            penult.extract(photos, path, model=line.networks[0], views=line.views)
            continue
        parts = [folder / Line((network,), line.views).file for network in line.networks]
        make_files(photos, [Line((network,), line.views) for network in line.networks], folder)
        penult.join(parts, path, weights=line.weights or None)


def milliseconds(
    photos: Sequence[Path], wanted: Sequence[Line], rounds: int, folder: Path
) -> dict[Kind, float]:
    """CPU a photo of all extractors, once they were seen to give the rows of the files."""
    least: dict[Kind, float] = {}
    kinds = dict.fromkeys(line.extracted for line in wanted if not line.weights)
    with contextlib.ExitStack() as stack:
        opened = {
            kind: stack.enter_context(penult.Extractor(list(kind[0]), views=kind[1]))
            for kind in kinds
        }
        for kind, extractor in opened.items():
            compare(folder / Line(*kind).file, photos[:8], extractor)
        timed: dict[Kind, Callable[[Sequence[Path]], object]] = {**opened, DECODING: decode}
        for _ in range(rounds):
            for kind, made in timed.items():
                start = time.process_time()
                made(photos)
                taken = 1000 * (time.process_time() - start) / len(photos)
                least[kind] = min(taken, least.get(kind, taken))
    print(f"reading and decoding a photo takes {least[DECODING]:.1f} ms of that")
    return least


def decode(photos: Sequence[Path]) -> None:
    """What the extractors of parts do once each, and that of the joined rows once."""
    for photo in photos:
        with Image.open(photo) as image:
            image.convert("RGB")


def compare(file: Path, photos: Sequence[Path], extractor: penult.Extractor) -> None:
    """See that rows of a file, joined or not, are those that an extractor gives of its photos."""
    features = penult.load(file)
    ids = [f"{photo.parent.name}/{photo.name}" for photo in photos]
    error = np.abs(features.take(ids).features - extractor(photos)).max()
    print(f"{file.name}: differs by {error:.1e} from what its extractor gives", flush=True)
    assert error < 1e-6 * np.abs(features.features[:]).max()


def folds(features: penult.Features, seed: int) -> Iterator[penult.Features]:
    """The rows with each of the folds for their test split, the others for their training split."""
    cut = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for _, test in cut.split(features.ids, features.labels):
        splits = np.full(len(features), "train", dtype="<U5")
        splits[test] = "test"
        yield dataclasses.replace(features, splits=splits.tolist())


@dataclass(frozen=True, kw_only=True)
class Score:
    """What cross-validation gave.

    Attributes
    ----------
    accuracies : float array, shape (seeds, FOLDS)
    right : float array, shape (N,)
        The share of the seeds in which each photo was classified rightly.
    strengths : tuple of float
        The C that were chosen.
    """

    accuracies: np.ndarray
    right: np.ndarray
    strengths: tuple[float, ...]


def score(line: Line, folder: Path, seeds: int) -> Score:
    """Train and score a line of the table."""
    full = dataclasses.replace(line, pca=None, whiten=False)
    stored = penult.load(folder / full.file)
    features = stored.take(range(len(stored)))
    places = {name: place for place, name in enumerate(features.ids)}
    right = np.zeros(len(features))
    accuracies: list[float] = []
    strengths: list[float] = []
    for seed in range(seeds):
        for divided in folds(features, seed):
            if line.pca:
                divided = penult.reduce(divided, pca=line.pca, whiten=line.whiten, fit_on="train")
            classifier = penult.train(divided, progress=False)
            accuracies.append(classifier.scores.accuracy)
            strengths.append(classifier.settings.params["C"])
            held = classifier.held_out
            for name, true, said in zip(held.ids, held.truth, held.predicted, strict=True):
                right[places[name]] += (true == said) / seeds
    return Score(
        accuracies=np.reshape(accuracies, (seeds, FOLDS)),
        right=right,
        strengths=tuple(strengths),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path)
    parser.add_argument("--keep", type=Path, help="folder for the feature files")
    parser.add_argument("--crops", action="store_true", help="five and ten crops as well")
    parser.add_argument("--seeds", type=int, default=2, help="of the folds")
    parser.add_argument("--rounds", type=int, default=3, help="for the times; 0 for none")
    options = parser.parse_args()
    wanted = lines(crops=options.crops)
    print(platform.machine(), *(f"{name} {version(name)}" for name in LIBRARIES))
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        make_files(options.photos, wanted, folder)
        sample = sorted(options.photos.glob("*/*.jpg"))[::EVERY]
        cost = milliseconds(sample, wanted, options.rounds, folder) if options.rounds else {}
        singles = wanted[: len(NETWORKS)] if options.seeds else []
        scores = {line: score(line, folder, options.seeds) for line in singles}
        for line in wanted:
            cells = [str(line), *size(line, folder), *times(line, cost)]
            if options.seeds:
                found = scores.get(line) or score(line, folder, options.seeds)
                best = max(scores.values(), key=lambda one: float(one.accuracies.mean()))
                cells += in_words(found, best)
            print(f"| {' | '.join(cells)} |", flush=True)


def size(line: Line, folder: Path) -> list[str]:
    """Numbers a row, and megabytes of the file."""
    file = folder / dataclasses.replace(line, pca=None, whiten=False).file
    with tempfile.TemporaryDirectory() as scratch:
        if line.pca:
            full, file = file, Path(scratch, "reduced.h5")
            penult.reduce(full, file, pca=line.pca, whiten=line.whiten)
        return [
            f"{penult.load(file).features.shape[1]:,}",
            f"{file.stat().st_size / 1e6:.1f}",
        ]


def times(line: Line, cost: dict[Kind, float]) -> list[str]:
    """CPU of its extractor, and its share of what its parts take by themselves."""
    if line.extracted not in cost or line.pca or line.weights:
        return ["", ""]
    parts = [((network,), line.views) for network in line.networks]
    share = ""
    if len(parts) > 1 and all(part in cost for part in parts):
        share = f"{cost[line.extracted] / sum(cost[part] for part in parts):.0%}"
    return [f"{cost[line.extracted]:.1f}", share]


def in_words(found: Score, best: Score) -> list[str]:
    """Accuracy, and the difference to the best single network; last the C that were chosen."""
    spread = found.accuracies.std(axis=1, ddof=1).mean()
    gain = 100 * (found.right - best.right)
    return [
        f"{found.accuracies.mean():.2%} ± {spread:.2%}",
        f"{gain.mean():+.2f} ± {gain.std(ddof=1) / len(gain) ** 0.5:.2f}",
        f"C {min(found.strengths):g} to {max(found.strengths):g}",
    ]


if __name__ == "__main__":
    main()
