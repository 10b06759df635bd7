"""A fine-tuned network's head and scores, that no training has to find."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from penult.classify.metrics.scores import score
from penult.finetuning.curves import Curves
from penult.finetuning.finetuned_model import FinetunedModel
from penult.finetuning.head import Head
from penult.records import HeldOut

LABELS = ("daisy", "rose", "tulip")
EPOCHS = [
    {"train_loss": 1.0, "validation_loss": 1.25, "validation_accuracy": 0.5},
    {"train_loss": 0.5, "validation_loss": 0.75, "validation_accuracy": 0.8},
]


_DRAWN: list[bytes] = []


def draw_curves_once(monkeypatch) -> None:
    """Have all checkpoints share the first one's curves: to draw them takes longer than to train."""
    from penult.finetuning import checkpoint_folder

    draw = checkpoint_folder.draw_curves

    def drawn(path: Path, _curves: Curves) -> None:
        if not _DRAWN:
            # Not those given: tests have losses below 0, which no axis has room for.
            draw(path, Curves.of({"epochs": EPOCHS}))
            _DRAWN.append(path.read_bytes())
        path.write_bytes(_DRAWN[0])

    monkeypatch.setattr(checkpoint_folder, "draw_curves", drawn)


def linear_head(**options) -> Head:
    weight = np.random.default_rng(0).normal(size=(3, 16)).astype(np.float32)
    bias = np.array([0.25, 0, -0.25], np.float32)
    return Head(weight=weight, bias=bias, label_names=LABELS, **options)


def finetuned(backbone, head=None, **changes) -> FinetunedModel:
    """Three test images, of which the last is taken for a rose."""
    truth, said = np.array([0, 1, 2]), np.array([0, 1, 1])
    return FinetunedModel(
        **{
            "architecture": "tiny:network",
            "preprocessing": backbone.preprocessing,
            "head": head or linear_head(temperature=2.0),
            "options": {"epochs": 2, "unfreeze": "last"},
            "summary": {
                "test": {"accuracy": 2 / 3},
                "validation": {"accuracy": 0.8},
                "probe": {"accuracy": 1 / 3},
                "difference": {"low": -0.1, "high": 0.5, "separable": False},
                "seconds": {"probe": 1.0, "finetune": 9.0},
                "epochs": EPOCHS,
            },
            "scores": score(truth, said, LABELS, split="a test part"),
            "held_out": HeldOut(
                ids=("a.png", "b.png", "c.png"),
                truth=LABELS,
                predicted=("daisy", "rose", "rose"),
                probability=(0.9, 0.8, 0.6),
            ),
            "train_images": 20,
            "validation_images": 5,
            "classes": {"daisy": 7, "rose": 8, "tulip": 5},
            "data": "photos",
            "verdict": "Fine-tuning did not beat the probe beyond noise.",
            **changes,
        }
    )
