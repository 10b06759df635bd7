"""A network among those that are compared: how its rows did, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penult.records.model_cost import ModelCost
from penult.records.run_scores import RunScores
from penult.representation import short_repr

__all__ = ["ComparedModel"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class ComparedModel:
    """The rows of one network, or of several that are joined: how they did, and what they cost.

    Attributes
    ----------
    name : str
        What it is called in this comparison; no other is called so.
    model : str
        The network, or several joined by ``+``.
    layer : str
        The layer, or the name of the rows where several are joined.
    precision : str
        In which the network computed: ``"float32"``, say.
    views : str or None
        Views of each image whose rows were averaged.
    features : int
        Numbers in a row.
    images : int
        Images that have a row.
    missing : int
        Images that others have a row of, and this one has not.
    bytes : int
        Of the feature file.
    file : str
        The feature file, relative to the comparison's folder where it is in it.
    untrained : bool
        Whether a network of it has random weights, so that its scores are a baseline at most.
    trained_network : int or None
        Held-out images, of all runs, that trained a network of it, so that its scores are no
        estimate for new ones; None where that is not known.
    scores : mapping of str to RunScores
        ``accuracy`` of the probe and ``knn_accuracy``; ``hit@1``, ``hit@5`` and ``precision@5`` of
        a search; ``macro_f1``, ``soft_f1`` and ``calibration_error`` of the probe. Those that
        cannot be had, as the calibration error of several labels an image, are left out.
    any_label : mapping of str to RunScores
        ``accuracy``, ``knn_accuracy``, ``hit@1``, ``hit@5`` and ``precision@5`` where it is enough
        that one label is right; where each image has one label, as in `scores`.
    cost : ModelCost
        What it cost; all None where it was not measured.
    """

    name: str
    model: str
    layer: str
    precision: str = "float32"
    views: str | None = None
    features: int
    images: int
    missing: int = 0
    bytes: int = 0
    file: str = ""
    untrained: bool = False
    trained_network: int | None = None
    scores: Mapping[str, RunScores]
    any_label: Mapping[str, RunScores]
    cost: ModelCost = field(default_factory=ModelCost)

    def score(self, name: str) -> RunScores:
        """Return one of `scores`.

        Parameters
        ----------
        name : str
            Of the score.

        Returns
        -------
        RunScores
            That of no run where it could not be had.
        """
        return self.scores.get(name, RunScores(()))

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold, a row of ``comparison.json``.

        Returns
        -------
        dict
            ``name``, ``model``, ``layer``, ``precision``, ``views``; each score by its name, with
            ``mean``, ``std`` and ``runs``, and further ones under ``any_label``; ``features``,
            ``images``, ``missing``, ``bytes``, ``file``, ``untrained``, ``trained_network``, and
            what is in `ModelCost`.
        """
        return {
            "name": self.name,
            "model": self.model,
            "layer": self.layer,
            "precision": self.precision,
            "views": self.views,
            **{name: one.to_dict() for name, one in self.scores.items()},
            "any_label": {name: one.to_dict() for name, one in self.any_label.items()},
            "features": self.features,
            "images": self.images,
            "missing": self.missing,
            "bytes": self.bytes,
            "file": self.file,
            "untrained": self.untrained,
            "trained_network": self.trained_network,
            **self.cost.to_dict(),
        }
