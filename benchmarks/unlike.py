"""How well photos of other things are told from those that a classifier was trained on.

    penult extract flowers17 -o flowers.h5
    penult extract foods -o foods.h5
    python benchmarks/unlike.py flowers.h5 foods.h5 ...             5 to 60 photos a class
    python benchmarks/unlike.py flowers.h5 foods.h5 ... --parts     other numbers of rows kept
    python benchmarks/unlike.py flowers.h5 foods.h5 ... --strays    some of them among the flowers
    python benchmarks/unlike.py flowers.h5 --few                    one class with six photos
    python benchmarks/unlike.py flowers.h5 foods.h5 ... --in-a-row daisy tulip sunflower pansy

The first file has labels, the others are of other pictures. Prints which share of the photos that
were held out is marked as unlike, and which share of the other pictures; each number is the mean of
ten random choices of the photos. ``--few`` prints the share of the held-out photos of the classes
with sixty photos, and of the one with six, each class in turn; rows are kept by chance, by the
classes' shares, or as many of each class. ``--in-a-row`` trains on the first 25 photos of each of
some classes, shots in a row, and on any 25; a quarter of them is held out, and may lower the level.
"""

import argparse
import itertools
from dataclasses import replace

import numpy as np

import penult
from penult.classify import likeness
from penult.likeness import Likeness
from penult.partition.sampling import balanced_sample, stratified_sample

SIZES = (3, 5, 10, 20, 40, 60)
PARTS = (85, 170, 340, 500, 1000)
SEEDS = range(10)


def draw(labels, sizes, seed):
    rng = np.random.default_rng(seed)
    train = []
    for k, size in enumerate(sizes):
        train += rng.permutation(np.flatnonzero(labels == k))[:size].tolist()
    return np.sort(train)


def shares(features, others, sizes, seed, strays=0):
    labels = np.asarray(features.labels)
    train = draw(labels, sizes, seed)
    fresh = np.setdiff1d(np.arange(len(labels)), train)
    if strays:
        rng = np.random.default_rng(seed)
        odd = rng.permutation(np.concatenate([other.features for other in others]))[:strays]
        rows = np.concatenate([features.features, odd])
        ids = [str(k) for k in range(len(rows))]
        labels = np.append(labels, rng.integers(len(sizes), size=strays))
        train = np.append(train, np.arange(len(rows) - strays, len(rows)))
        found = Likeness.of(
            replace(features, features=rows, ids=ids), train, labels[train], None, seed=seed
        )
    else:
        found = Likeness.of(features, train, labels[train], None, seed=seed)
    sets = [features.features[fresh], *(other.features for other in others)]
    marked = [found.is_unlike(found.similarity(part)) for part in sets]
    return [one.mean() for one in marked], marked[0], labels[fresh]


def say(name, numbers):
    print(f"{name:>26}", *(f"{100 * number:6.1f}" for number in numbers), flush=True)


def in_memory(path):
    features = penult.load(path)
    return replace(features, features=features.features[:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("features")
    parser.add_argument("others", nargs="*")
    parser.add_argument("--parts", action="store_true")
    parser.add_argument("--few", action="store_true")
    parser.add_argument("--strays", action="store_true")
    parser.add_argument("--in-a-row", nargs="+", metavar="CLASS")
    given = parser.parse_args()
    features, *others = map(in_memory, (given.features, *given.others))
    classes = len(features.label_names)
    print(f"{features.recipe.network}, in %: held out, {', '.join(given.others)}")
    if given.in_a_row:
        in_a_row(features, others, given.in_a_row)
        return
    if given.few:
        few_of_one_class(features, classes)
        return
    if given.strays:
        for size, share in itertools.product((5, 10, 40), (0, 0.01, 0.02)):
            strays = int(np.ceil(share * size * classes))
            tried = [shares(features, others, [size] * classes, seed, strays) for seed in SEEDS]
            say(f"{size} a class, {strays} strays", np.mean([one for one, *_ in tried], axis=0))
        return
    for size in (60,) if given.parts else SIZES:
        for part in PARTS if given.parts else (likeness.MOST_ROWS,):
            likeness.MOST_ROWS = part
            tried = [shares(features, others, [size] * classes, seed)[0] for seed in SEEDS]
            say(f"{size} a class, {part} kept", np.mean(tried, axis=0))


def in_a_row(features, others, names, size=25):
    labels = np.asarray(features.labels)
    places = [np.flatnonzero(labels == features.label_names.index(name)) for name in names]
    of_classes = np.concatenate(places)
    for name in ("in a row", "at random"):
        tried = []
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            chosen = [one if name == "in a row" else rng.permutation(one) for one in places]
            chosen = np.sort(np.concatenate([one[:size] for one in chosen]))
            fresh = features.take(np.setdiff1d(of_classes, chosen))
            trained = penult.train(features.take(chosen), seed=seed, progress=False)
            found = trained.likeness
            sets = [one.features for one in (fresh, *others)]
            shares = [found.is_unlike(found.similarity(rows)).mean() for rows in sets]
            tried.append([*shares, len(found.strays) / 100])
        say(f"{size} a class {name}", np.mean(tried, axis=0))
        say("at most", np.max(tried, axis=0))


def few_of_one_class(features, classes):
    samples = {
        "by chance": lambda labels, size, seed: balanced_sample(0 * labels, size, seed=seed),
        "by share": stratified_sample,
        "as many of each": balanced_sample,
    }
    for part in (170, 340):
        for name, sample in samples.items():
            likeness.MOST_ROWS, likeness.balanced_sample = part, sample
            tried = []
            for k in range(classes):
                sizes = [6 if one == k else 60 for one in range(classes)]
                _, marked, truth = shares(features, [], sizes, k)
                tried.append((marked[truth != k].mean(), marked[truth == k].mean()))
            say(f"{part} kept {name}", np.mean(tried, axis=0))


if __name__ == "__main__":
    main()
