"""How a classifier was trained: what its file, the command line and the report say of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penult.recipe import require_types

__all__ = ["GridResult", "LayerResult", "SeedRuns", "TrainingSettings"]


@dataclass(frozen=True)
class GridResult:
    """What cross-validation made of one candidate of the grid.

    Attributes
    ----------
    classifier : kind of classifier
    params : parameter name to value
    mean, std : of the accuracy over the folds; of the mean average precision where images may have
        several labels
    log_loss : in nats; None for kinds whose decisions are no logits
    """

    classifier: str
    params: Mapping[str, Any]
    mean: float
    std: float
    log_loss: float | None = None


@dataclass(frozen=True)
class LayerResult:
    """How the classifier of one layer did, where several layers were tried.

    Attributes
    ----------
    layer : its name
    width : numbers a row
    cross_validated : score in cross-validation, by which the layer was chosen
    accuracy : on the held-out images
    interval : of the accuracy; None where images may have several labels, whose scores here are
        mean average precisions
    """

    layer: str
    width: int
    cross_validated: float
    accuracy: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class SeedRuns:
    """The accuracies of several runs, each with its own seed.

    Attributes
    ----------
    seeds : of each run
    accuracies : of each run, on its held-out images
    mean, std : of the accuracies
    """

    seeds: tuple[int, ...]
    accuracies: tuple[float, ...]
    mean: float
    std: float


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a classifier was trained.

    Attributes
    ----------
    classifier : kind of classifier, e.g. ``"logistic"``
    params : the chosen parameters
    scale : ``"l2"``, ``"standard"`` or ``"none"``
    seed : of the split, the folds and the classifier
    folds : number of cross-validation folds
    grid : what cross-validation made of each candidate
    edges : parameter to ``"largest"`` or ``"smallest"``, where the chosen value is the last one
        tried and a wider grid might do better
    refit : whether it was fitted again on all labelled images after it was scored
    train_images, held_out_images : number of images it was trained on and scored on
    left_out : reason to number of images
    copies : images that are identical to one before, kept in its part
    near_duplicates : cosine from which images were taken for copies; None where none were
    classes : class to number of training images
    thresholds : (K,) of each label, the probability from which it is predicted; None where an
        image has one label
    runs : of several seeds; None where there was one run
    layers : of each layer, where several were tried
    """

    classifier: str
    params: Mapping[str, Any]
    scale: str = "l2"
    seed: int = 0
    folds: int
    grid: tuple[GridResult, ...]
    edges: Mapping[str, str] = field(default_factory=dict)
    refit: bool = False
    train_images: int
    held_out_images: int = 0
    left_out: Mapping[str, int]
    copies: int = 0
    near_duplicates: float | None = None
    classes: Mapping[str, int]
    thresholds: tuple[float, ...] | None = None
    runs: SeedRuns | None = None
    layers: tuple[LayerResult, ...] = ()

    @property
    def chosen(self) -> GridResult:
        """The candidate that was chosen."""
        key = self.classifier, self.params
        return next(one for one in self.grid if (one.classifier, one.params) == key)

    def to_dict(self) -> dict[str, Any]:
        """JSON-like form; ``thresholds``, ``runs`` and ``layers`` only where there are any."""
        data = dataclasses.asdict(self)
        for name in ("thresholds", "runs", "layers"):
            if not data[name]:
                del data[name]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrainingSettings:
        """Read what `to_dict` wrote, also by an older penult, and also after a trip through JSON.

        Raises
        ------
        TypeError, KeyError, ValueError, AttributeError
            If something that is needed is missing, or a value has another type.
        """
        fields = _known(cls, data)
        fields["grid"] = tuple(GridResult(**_known(GridResult, one)) for one in data["grid"])
        fields["layers"] = tuple(_layer(one) for one in data.get("layers", ()))
        if fields.get("thresholds") is not None:
            fields["thresholds"] = tuple(data["thresholds"])
        if fields.get("runs") is not None:
            fields["runs"] = SeedRuns(
                **_known(SeedRuns, data["runs"])
                | {name: tuple(data["runs"][name]) for name in ("seeds", "accuracies")}
            )
        return require_types(cls(**fields))


def _known(record: type, data: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.name for each in dataclasses.fields(record)}
    return {name: value for name, value in data.items() if name in names}


def _layer(data: Mapping[str, Any]) -> LayerResult:
    interval = data["interval"]
    return LayerResult(
        **_known(LayerResult, data) | {"interval": None if interval is None else tuple(interval)}
    )
