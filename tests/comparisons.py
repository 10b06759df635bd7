"""Comparisons of networks that were made up, with numbers such as real ones have."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from penult.records import (
    ComparedModel,
    Comparison,
    ModelCost,
    ModelDifference,
    RunScores,
    SimilarityMatrix,
    SkippedModel,
)

LITE = "efficientnet_lite"
# Accuracy, macro F1 and so on follow from the first number; M parameters, G FLOPs, images/s, input.
FLOWERS = {
    f"{LITE}0+{LITE}2": (0.9505, 10.75, 2.57, 41.2, ((224, 224), (260, 260)), 2560),
    f"{LITE}2": (0.9461, 6.09, 1.76, 58.3, ((260, 260),), 1280),
    f"{LITE}1": (0.9424, 5.42, 1.24, 77.9, ((240, 240),), 1280),
    f"{LITE}0, flip": (0.9387, 4.65, 1.62, 61.5, ((224, 224),), 1280),
    f"{LITE}0": (0.9350, 4.65, 0.81, 115.0, ((224, 224),), 1280),
    f"{LITE}0, bfloat16": (0.9338, 4.65, 0.81, 168.4, ((224, 224),), 1280),
}
SPREAD = 0.008  # standard deviation of a score over the runs


def flowers(**changes):
    """Six networks on Flowers-17, three runs, two networks skipped; some fields changed."""
    models = [model(name, *numbers) for name, numbers in FLOWERS.items()]
    skipped = (
        SkippedModel("hf:google/vit-base-patch16-224", "its weights are not on this machine"),
        SkippedModel("nasnetalarge", "not enough memory: it asked for 3.1 GB of 2.0 GB"),
    )
    return comparison(models, **{"skipped": skipped, **changes})


def two_models(**changes):
    """The fewest that can be compared."""
    names = (f"{LITE}1", f"{LITE}0")
    return comparison([model(name, *FLOWERS[name]) for name in names], **changes)


def one_model(**changes):
    """Too few: nothing is recommended, and there is nothing to be like."""
    return comparison([model(f"{LITE}0", *FLOWERS[f"{LITE}0"])], **changes)


def one_run(**changes):
    """Six networks on the images' own split: no standard deviations."""
    models = [model(name, *numbers, runs=1) for name, numbers in FLOWERS.items()]
    return comparison(models, **changes)


def without_costs(**changes):
    """Rows of feature files, say, whose cost is not measured."""
    models = [replace(one, cost=ModelCost()) for one in flowers().rows]
    return comparison(models, **changes)


def several_labels(**changes):
    """Images with several labels each: it is easier to find one of them than all."""
    models = [
        model(name, accuracy - 0.2, *rest, any_label=0.13)
        for name, (accuracy, *rest) in FLOWERS.items()
    ]
    return comparison(models, **changes)


def many_models(number=30, **changes):
    """Many networks, with long and with short names, from 0.5 M to 300 M parameters."""
    chance = random.Random(3)
    models = []
    for k in range(number):
        size = 0.5 * 600 ** (k / max(number - 1, 1)) * chance.uniform(0.7, 1.4)
        accuracy = 0.97 - 0.22 / (1 + size) ** 0.5 - chance.uniform(0, 0.05)
        flops, speed = 0.25 * size * chance.uniform(0.5, 2), 400 / (1 + size) ** 0.8
        name = (
            f"resnet{k}",
            f"keras:EfficientNetB{k}/top_dropout, bfloat16, flip",
            f"vit_base_patch{k}_224.augreg2_in21k_ft_in1k/blocks.11",
            f"hf:facebook/dinov2-small-{k}",
        )[k % 4]
        models.append(model(name, accuracy, size, flops, speed, ((224, 224),), 768))
    return comparison(models, **changes)


def model(name, accuracy, millions, gigaflops, speed, sizes, features, *, runs=3, any_label=0.0):
    """One network; the numbers of a run differ a little, and are the same at each call."""
    chance = random.Random(name)

    def runs_of(mean):
        spread = [chance.gauss(0, SPREAD) for _ in range(runs)]
        off = fmean(spread)
        return RunScores(tuple(min(max(mean + one - off, 0.0), 1.0) for one in spread))

    scores = {
        "accuracy": runs_of(accuracy),
        "knn_accuracy": runs_of(accuracy - 0.045),
        "hit@1": runs_of(accuracy - 0.05),
        "hit@5": runs_of(min(accuracy + 0.03, 0.995)),
        "precision@5": runs_of(accuracy - 0.11),
        "macro_f1": runs_of(accuracy - 0.003),
        "soft_f1": runs_of(accuracy - 0.06),
    }
    if not any_label:
        scores["calibration_error"] = runs_of(0.021)
    least = ("accuracy", "knn_accuracy", "hit@1", "hit@5", "precision@5")
    easier = {
        one: runs_of(min(scores[one].mean + any_label, 0.998)) if any_label else scores[one]
        for one in least
    }
    network, _, rest = name.partition(", ")
    plain, _, layer = network.partition("/")
    words = rest.split(", ") if rest else []
    precision = next((one for one in words if one != "flip"), "float32")
    return ComparedModel(
        name=name,
        model=plain,
        layer=layer or "penultimate",
        precision=precision,
        views="flip" if "flip" in words else None,
        features=features,
        images=1360,
        bytes=1360 * features * 4,
        file=f"features/{name.replace('/', '-').replace(', ', '-')}.h5",
        scores=scores,
        any_label=easier,
        cost=ModelCost(
            parameters=round(millions * 1e6),
            flops=round(gigaflops * 1e9),
            images_per_second=speed,
            network_images_per_second=speed * 1.2,
            one_image_seconds=2 / speed,
            peak_memory=round(300e6 + 12e6 * millions),
            input_size=sizes,
            licence=("apache-2.0",) * len(sizes),
            engine="openvino",
            device="cpu",
            processor="Intel(R) Xeon(R) Platinum 8481C",
            threads=2,
        ),
    )


def comparison(models, **changes):
    """A comparison of some networks, ranked by accuracy, with all that follows from that."""
    rows = tuple(sorted(models, key=lambda one: -one.scores["accuracy"].mean))
    runs = len(rows[0].scores["accuracy"].runs)
    differences = [difference(a, b) for a, b in itertools.combinations(rows, 2)]
    alike = [rows[0].name, *(one.b for one in differences if is_tie(one, rows[0].name))]
    fastest = max(
        (row for row in rows if row.name in alike), key=lambda one: one.cost.images_per_second or 0
    )
    several = len(rows) > 1
    found = Comparison(
        rows=rows,
        score="accuracy",
        splits={
            "description": "stratified 80/20 splits, drawn anew for each of 3 runs"
            if runs > 1
            else "the images' own splits",
            "runs": runs,
            "seed": 0,
            "test_size": 0.2,
            "images": 1360,
            "classes": 17,
            "held_out": [272] * runs,
            "left_out": {"classes of fewer than 10 images": 4},
            "file": "splits.csv",
        },
        differences=tuple(differences),
        recommended=fastest.name if several else None,
        reason=f"{fastest.name}: within noise of the best, and the fastest of those"
        if several
        else "",
        cka=similarity("cka", rows) if several else None,
        rsa=similarity("rsa", rows) if several else None,
        folder=Path("comparison"),
        page=Path("comparison/index.html"),
    )
    return replace(found, **changes)


def is_tie(one, best):
    return one.a == best and not one.separable


def difference(a, b):
    """As a paired bootstrap over 816 images may find it: 1.1 points are noise."""
    gap = a.scores["accuracy"].mean - b.scores["accuracy"].mean
    separable = gap > 0.011
    return ModelDifference(
        a=a.name,
        b=b.name,
        score="accuracy",
        difference=gap,
        low=gap - 0.011,
        high=gap + 0.011,
        p=0.01 if separable else 0.4,
        separable=separable,
    )


def similarity(measure, rows):
    """The alike are so because they share a network: 0.95; others from 0.3 to 0.8."""
    names = tuple(row.name for row in rows)
    chance = random.Random(measure)
    values = {}
    for a, b in itertools.combinations(range(len(rows)), 2):
        shared = set(rows[a].model.split("+")) & set(rows[b].model.split("+"))
        values[a, b] = chance.uniform(0.9, 0.97) if shared else chance.uniform(0.3, 0.8)
    size = range(len(rows))

    def pairs(diagonal, other):
        return tuple(
            tuple(diagonal if a == b else other(min(a, b), max(a, b)) for b in size) for a in size
        )

    return SimilarityMatrix(
        measure=measure,
        names=names,
        matrix=pairs(1.0, lambda a, b: values[a, b]),
        p=pairs(float("nan"), lambda a, b: 0.005),
        n=1360,
        null_n=1360 if measure == "cka" else 1000,
        null_high=0.013 if measure == "cka" else 0.006,
        permutations=199,
    )
