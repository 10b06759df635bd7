"""The head of a network that was fine-tuned, as a classifier on its penultimate rows."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from penult.classify.kinds.linear import LinearKind
from penult.errors import UsageError
from penult.interface import command

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

__all__ = ["KIND"]

_MLP = "sklearn.neural_network._multilayer_perceptron.MLPClassifier"


class Finetuned(LinearKind):
    """A logistic regression or a perceptron that holds weights which were trained elsewhere."""

    name = "finetuned"
    trusted = LinearKind.and_trusted(_MLP)

    def make(self, seed: int, **params: Any) -> ClassifierMixin:
        """Refuse: its weights are those of one network, and are trained with it.

        Raises
        ------
        UsageError
        """
        raise UsageError(
            f"the kind {self.name} cannot be trained on rows: its weights belong to the network "
            f"that {command('finetune')} trained; choose another kind"
        )

    def complaint(self, pipeline: Pipeline, schema: Any) -> str | None:
        """Refuse a perceptron whose layers do not follow one another."""
        from sklearn.neural_network import MLPClassifier

        model = pipeline[-1]
        if not isinstance(model, MLPClassifier):
            return None
        widths = [len(model.coefs_[0]), *(bias.shape[0] for bias in model.intercepts_)]
        shapes = [weight.shape for weight in model.coefs_]
        if shapes != list(pairwise(widths)) or model.activation != "relu":
            return "it holds a head whose layers do not fit together"
        return None


KIND = Finetuned()
