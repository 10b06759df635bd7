"""The head of a fine-tuned network as a scikit-learn pipeline on its penultimate rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.assemble import linear_pipeline, several_pipeline
from penult.classify.linear.basis import LinearWeights
from penult.classify.pipeline import make_pipeline

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from penult.finetuning.head import Head

__all__ = ["head_pipeline"]


def head_pipeline(head: Head, *, seed: int = 0) -> Pipeline:
    """Make a fitted pipeline that gives the head's calibrated probabilities.

    Parameters
    ----------
    head : Head
        A linear one becomes a logistic regression, one with hidden layers an ``MLPClassifier``; its
        temperature goes into the weights.
    seed : int, default=0
        Of the run that trained it, to be read; nothing here is random.

    Returns
    -------
    sklearn.pipeline.Pipeline
        On rows as they are, of which it predicts the classes 0 to K - 1.
    """
    head = head.calibrated
    several, n_labels = head.thresholds is not None, len(head.label_names)
    if head.hidden:
        return _perceptron(head, several=several, seed=seed)
    if several:
        weights = LinearWeights(_turned(head.weight), head.bias.astype(np.float64))
        return several_pipeline([], weights, np.eye(n_labels, dtype=bool), seed=seed)
    weight, bias = _of_two(head.weight, head.bias)
    weights = LinearWeights(_turned(weight), bias.astype(np.float64))
    return linear_pipeline([], weights, np.arange(n_labels), seed=seed)


def _turned(weight: NDArray[np.float32]) -> NDArray[np.float64]:
    """From rows of a class each, as torch has them, to columns."""
    return weight.T.astype(np.float64)


def _of_two(
    weight: NDArray[np.float32], bias: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of two classes, the second's logit less the first's, as scikit-learn has it."""
    if len(bias) != 2:
        return weight, bias
    return weight[1:] - weight[:1], bias[1:] - bias[:1]


def _perceptron(head: Head, *, several: bool, seed: int) -> Pipeline:
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import LabelBinarizer

    weight, bias = (head.weight, head.bias) if several else _of_two(head.weight, head.bias)
    layers = [*((layer.weight, layer.bias) for layer in head.hidden), (weight, bias)]
    n_labels = len(head.label_names)
    model: Any = MLPClassifier([len(bias) for _, bias in layers[:-1]], random_state=seed)
    model.coefs_ = [np.ascontiguousarray(weight.T) for weight, _ in layers]
    model.intercepts_ = [bias for _, bias in layers]
    model.n_layers_ = len(layers) + 1
    model.n_outputs_ = len(bias)
    model.n_features_in_ = head.width
    model.out_activation_ = "logistic" if several or n_labels == 2 else "softmax"
    # What it was fitted to, which scikit-learn and converters look at.
    targets = np.eye(n_labels, dtype=int) if several else np.arange(n_labels)
    model._label_binarizer = LabelBinarizer().fit(targets)
    model.classes_ = model._label_binarizer.classes_
    return make_pipeline(model)
