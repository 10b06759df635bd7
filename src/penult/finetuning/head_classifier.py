"""The head of a fine-tuned network as a classifier, with the recipe of that network's rows."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from penult.classify.classifier import Classifier
from penult.classify.kinds.registry import find_kind
from penult.classify.settings import GridResult, TrainingSettings
from penult.finetuning.head_pipeline import head_pipeline

if TYPE_CHECKING:
    from penult.finetuning.finetuned_model import FinetunedModel
    from penult.recipe import Recipe

__all__ = ["head_classifier"]


def head_classifier(model: FinetunedModel, recipe: Recipe) -> Classifier:
    """Make a classifier of a fine-tuned network's head.

    Parameters
    ----------
    model : FinetunedModel
        With the head, its scores and how it was trained.
    recipe : Recipe
        Of the fine-tuned network's penultimate rows.

    Returns
    -------
    Classifier
        Its probabilities are `Head.probabilities` of the rows.
    """
    kind, params = find_kind("finetuned").name, {"head": model.head.name}
    validated = model.summary.get("validation", {}).get("accuracy", model.scores.accuracy)
    return Classifier(
        label_names=model.head.label_names,
        recipe=recipe,
        scores=model.scores,
        held_out=model.held_out,
        versions={name: version(name) for name in ("penult", "numpy", "scikit-learn", "torch")},
        settings=TrainingSettings(
            classifier=kind,
            params=params,
            scale="none",
            seed=model.seed,
            folds=0,
            grid=(GridResult(kind, params, float(validated), 0.0),),
            train_images=model.train_images,
            held_out_images=model.scores.images,
            left_out=model.left_out,
            classes=model.classes,
            thresholds=model.head.thresholds,
        ),
        likeness=model.likeness,
        pipeline=head_pipeline(model.head, seed=model.seed),
        trained_on=model.trained_on,
        network_trained_on=model.network_trained_on,
    )
