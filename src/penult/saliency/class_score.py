"""A class's score as a weighted sum of the numbers of one photo's row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.linear_rule import LinearRule
from penult.errors import UnknownNameError, UsageError
from penult.interface import command
from penult.saliency.row_weights import scaled_to_length_one

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.classify.classifier import Classifier

__all__ = ["ClassScores"]


@dataclass(frozen=True, eq=False)
class ClassScores:
    """The scores of a linear classifier, before they become probabilities.

    Attributes
    ----------
    rule : LinearRule
    label_names : tuple of str
    """

    rule: LinearRule
    label_names: tuple[str, ...]

    @classmethod
    def of(cls, classifier: Classifier) -> ClassScores:
        """Find them.

        Raises
        ------
        UsageError
            If the classifier is not linear.
        """
        rule = LinearRule.of(classifier.applied)
        if rule is None:
            kind = classifier.settings.classifier
            what = f"classifier of the kind {kind}"
            linear = command("train", "FEATURES", classifier="logistic")
            if kind == "finetuned":
                what = "head with a hidden layer"
                linear = command("finetune", "PHOTOS", head="linear", output="NAME.ckpt")
            raise UsageError(
                f"the scores of a {what} are no sum over the numbers of a row, so that they cannot "
                f"be divided among the places of a photo; train a linear one: {linear}"
            )
        return cls(rule, classifier.label_names)

    def index(self, label: str) -> int:
        """The place of a class among the scores.

        Raises
        ------
        UnknownNameError
            If there is no such class; suggests close ones.
        UsageError
            If no photo of it was there to train with.
        """
        if label not in self.label_names:
            raise UnknownNameError("class", label, self.label_names)
        index = self.label_names.index(label)
        if index >= max(2, len(self.rule.coefficients)):
            raise UsageError(f"the classifier had no photo of {label} to train with")
        return index

    def weights(
        self, label: str, row: NDArray[np.float32], *, gradient: bool = False
    ) -> tuple[NDArray[np.float64], float]:
        """Weights of the row's numbers in the score of a class.

        Parameters
        ----------
        label : str
            The class.
        row : float32 array, shape (D,)
            Of the photo.
        gradient : bool
            As for `penult.saliency.row_weights.leaf_weights`.

        Returns
        -------
        weights : float64 array, shape (D,)
        constant : float
            ``weights @ row + constant`` is the logit.
        """
        rule, index = self.rule, self.index(label)
        sign = 1.0
        if len(rule.coefficients) == 1:  # of two classes, which differ in their sign
            sign, index = (1.0 if index else -1.0), 0
        weights = sign * rule.coefficients[index].astype(np.float64)
        constant = sign * float(rule.intercept[index])
        if rule.columns is not None:
            mean, deviation = (one.astype(np.float64) for one in rule.columns)
            weights = weights / deviation
            constant -= float(weights @ mean)
        # As scikit-learn's `Normalizer`: what is shorter is left as it is.
        if rule.unit and float(np.linalg.norm(row)) >= 10 * float(np.finfo(np.float32).eps):
            weights = scaled_to_length_one(weights, row, gradient=gradient)
        return weights, constant

    def require(self, labels: Sequence[str]) -> None:
        """Refuse classes that there are not."""
        for label in labels:
            self.index(label)
