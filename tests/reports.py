"""Reports on images that were made up, and that are pictures of one colour each."""

from __future__ import annotations

import dataclasses
import hashlib
import io

import numpy as np
from PIL import Image

from penult.recipe import Preprocessing, Recipe
from penult.records import ClassScore, HeldOut, Scores
from penult.reporting import Report, Trained
from penult.reporting.finetuning import Epoch, Finetuning, PairedDifference, PartScores

RECIPE = Recipe(
    architecture="timm/tf_efficientnet_lite0",
    weights_sha256="5e" * 32,
    layer="penultimate",
    pooling="avg",
    preprocessing=Preprocessing(
        resize=256, crop=(224, 224), interpolation="bicubic", mean=(0.5,) * 3, std=(0.5,) * 3
    ),
    backbone="bundled:efficientnet_lite0",
    weights="efficientnet-lite0 0.1.0",
)


def colour_of(image_id):
    return tuple(hashlib.sha256(image_id.encode(errors="replace")).digest()[:3])


def picture_of(image_id):
    """An image file of one colour, which is the id's own."""
    file = io.BytesIO()
    Image.new("RGB", (300, 200), colour_of(image_id)).save(file, "PNG")
    return file.getvalue()


def report_of(outcomes, labels, **changes):
    """A report on held-out images given as (id, true class, predicted class, probability)."""
    confusion = np.zeros((len(labels), len(labels)), dtype=int)
    for _, truth, predicted, _ in outcomes:
        confusion[labels.index(truth), labels.index(predicted)] += 1
    support, called, hits = confusion.sum(1), confusion.sum(0), np.diag(confusion)
    recall, precision = hits / np.maximum(support, 1), hits / np.maximum(called, 1)
    classes = tuple(
        ClassScore(label, float(precision[i]), float(recall[i]), 0.5, int(support[i]))
        for i, label in enumerate(labels)
    )
    ids, truth, predicted, probability = zip(*outcomes, strict=True)
    content = {
        "title": "flowers",
        "source": "photos/flowers",
        "class_counts": {label: 4 * int(n) for label, n in zip(labels, support, strict=True)},
        "recipe": RECIPE,
        "scores": Scores(
            accuracy=float(hits.sum() / len(outcomes)),
            classes=classes,
            confusion=tuple(map(tuple, confusion.tolist())),
            images=len(outcomes),
            split="25% held out, stratified",
        ),
        "held_out": HeldOut(ids=ids, truth=truth, predicted=predicted, probability=probability),
        "settings": {"classifier": "logistic regression"},
        "open_image": picture_of,
    }
    content |= changes
    trained = {
        name: content.pop(name) for name in [*content] if name in Trained.__dataclass_fields__
    }
    return Report(**content, trained=Trained(**{"chosen": content["recipe"].layer} | trained))


def finetuning_of(**changes):
    """A fine-tuning of two epochs of a hidden head and two of a block; the third was kept."""
    stages = [("head", 1), ("head", 2), ("fine-tuning", 1), ("fine-tuning", 2)]
    rates = {"validation_accuracy": 0.5, "lr": 3e-4, "seconds": 61.0}
    fields = {
        "test": PartScores(accuracy=0.5, calibration_error=0.1, calibration_error_before=0.3),
        "validation": PartScores(accuracy=0.75),
        "probe": PartScores(accuracy=0.375),
        "difference": PairedDifference(difference=0.125, low=-0.25, high=0.5, separable=False),
        "seconds": {"probe": 4.0, "finetune": 250.0},
        "start": Epoch(stage="head", epoch=0, validation_loss=2.0, validation_accuracy=0.25),
        "epochs": tuple(
            Epoch(stage=stage, epoch=epoch, train_loss=3.0, validation_loss=loss, **rates)
            for (stage, epoch), loss in zip(stages, (1.5, 1.0, 0.5, 0.75), strict=True)
        ),
        "best_epoch": 1,
        "unfrozen": ("conv_head",),
        "frozen": ("stem", "blocks.0"),
        "parameters": 1200,
        "frozen_parameters": 34_000,
        "temperature": 0.5,
        "wise_ft": 0.75,
        "train_images": 20,
        "validation_images": 4,
        "left_out": {"copies of photos in another part": 2},
        "failed": 1,
        "verdict": "Fine-tuning does not beat the frozen network's probe beyond noise.",
    }
    return Finetuning(**{**fields, **changes})


def with_scores(report, **changes):
    """The same report, some of its scores being others."""
    scores = dataclasses.replace(report.trained.scores, **changes)
    return dataclasses.replace(report, trained=dataclasses.replace(report.trained, scores=scores))


GARDEN = [
    ("iris/1.jpg", "iris", "iris", 0.99),
    ("iris/2.jpg", "iris", "tulip", 0.61),
    ("iris/3.jpg", "iris", "tulip", 0.92),
    ("iris/4.jpg", "iris", "daisy", 0.55),
    ("tulip/1.jpg", "tulip", "tulip", 0.97),
    ("tulip/2.jpg", "tulip", "iris", 0.70),
    ("daisy/1.jpg", "daisy", "daisy", 1.0),
    ("daisy/2.jpg", "daisy", "daisy", 0.98),
]
FLOWERS = ["daisy", "iris", "tulip"]
