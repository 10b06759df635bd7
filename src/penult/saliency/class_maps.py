"""Where in photos the evidence of a classifier for its classes lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.weights.choice import WeightsChoice
from penult.extractor import EngineOptions, ExtractorSpec, RecipeRows
from penult.records import ClassActivation, HeatMap
from penult.saliency.class_score import ClassScores
from penult.saliency.grad_cam import GradCam
from penult.saliency.places import Places

if TYPE_CHECKING:
    from penult.classify.classifier import Classifier

__all__ = ["ClassMaps"]


class ClassMaps:
    """Class activation maps of photos, by networks that are opened once a process.

    Parameters
    ----------
    classifier : Classifier
        A linear one.
    layer : str, optional
        A layer whose places to use, by Grad-CAM, which needs torch; of several networks, in those
        that have it. By default the class's score is divided exactly among the places of the layer
        that is pooled.
    weights : path or sequence of paths, optional
        Where the network's weights file is now, if not where it was.
    offline : bool
        Never touch the network.
    engine, device : str
        What runs the network, and on what.

    Raises
    ------
    UsageError
        If the classifier is not linear, or its rows cannot be divided among places.
    UnknownNameError
        If there is no such layer.
    MissingExtraError
        If torch is needed and not installed.
    """

    def __init__(
        self,
        classifier: Classifier,
        *,
        layer: str | None = None,
        weights: str | Path | Sequence[str | Path] | None = None,
        offline: bool = False,
        engine: str = "auto",
        device: str = "auto",
    ) -> None:
        self._classifier = classifier
        self._scores = ClassScores.of(classifier)
        recipe = classifier.recipe
        spec = ExtractorSpec(
            rows=RecipeRows((recipe,), "the classifier"),
            weights=WeightsChoice.moved(weights, offline=offline),
            engine=EngineOptions(engine=engine, device=device),
        )
        exact = layer is None or layer in {leaf.layer for leaf in recipe.leaves}
        self._places: Places | GradCam = (
            Places(spec, recipe) if layer is None or exact else GradCam(spec, recipe, layer)
        )

    def require(self, labels: Sequence[str]) -> None:
        """Refuse classes that the classifier does not have.

        Raises
        ------
        UnknownNameError
            Suggests close ones.
        """
        self._scores.require(labels)

    def __call__(self, image: Any, labels: Sequence[str] = ()) -> tuple[ClassActivation, ...]:
        """Look at one photo.

        Parameters
        ----------
        image : path, bytes, Pillow image, uint8 array, binary file or ImageRecord
        labels : sequence of str
            Classes; by default the predicted one.

        Returns
        -------
        tuple of ClassActivation
            One a class, in their order.

        Raises
        ------
        ImageError
            If the photo cannot be read; names it.
        UnknownNameError
            If there is no such class.
        UsageError
            If the network's row is not the average of maps that are known.
        """
        self.require(labels)
        seen = self._places.see(image)
        row = seen.row(self._classifier.recipe)
        (probabilities,) = self._classifier.predict_features(row[None])
        (prediction,) = self._classifier.predictions(
            [seen.id], probabilities[None], similarity=self._classifier.similarity(row[None])
        )
        names = self._classifier.label_names
        made = []
        maps: tuple[HeatMap, ...]
        for label in labels or [prediction.label]:
            weights, constant = self._scores.weights(label, row)
            logit = float(weights @ row) + constant
            if isinstance(self._places, GradCam):
                gradient, _ = self._scores.weights(label, row, gradient=True)
                maps, intercept = self._places.maps(seen, gradient), float("nan")
            else:
                maps, rest = self._places.divide(seen, weights)
                intercept = constant + rest
            made.append(
                ClassActivation(
                    id=seen.id,
                    label=label,
                    predicted=prediction.label,
                    probability=float(probabilities[names.index(label)]),
                    logit=logit,
                    intercept=intercept,
                    method="grad-cam" if isinstance(self._places, GradCam) else "cam",
                    maps=maps,
                    similarity=prediction.similarity,
                    unlike=prediction.unlike,
                )
            )
        return tuple(made)
