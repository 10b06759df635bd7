"""The classifiers by name: what scikit-learn estimator each is, and the grid it is tuned over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from penult.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

__all__ = [
    "CLASSIFIERS",
    "SCALES",
    "Kind",
    "combinations",
    "find_classifier",
    "make_pipeline",
    "make_scaler",
]

SCALES = ("l2", "standard", "none")


@dataclass(frozen=True)
class Kind:
    """One classifier.

    Attributes
    ----------
    summary : what it is, in one line
    make : called with the seed and the chosen parameters; returns an unfitted estimator
    grid : parameter name to the values tried by default
    """

    summary: str
    make: Callable[..., ClassifierMixin]
    grid: Mapping[str, Sequence[Any]]


def _logistic(seed: int, **params: Any) -> ClassifierMixin:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=5000, random_state=seed, **params)


CLASSIFIERS: Mapping[str, Kind] = {
    "logistic": Kind(
        "multinomial logistic regression with an L2 penalty",
        _logistic,
        {"C": (0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0)},
    ),
}


def find_classifier(name: str) -> Kind:
    """Look a classifier up by its name.

    Raises
    ------
    UnknownNameError
    """
    if name not in CLASSIFIERS:
        raise UnknownNameError("classifier", name, CLASSIFIERS)
    return CLASSIFIERS[name]


def combinations(
    name: str, grid: Mapping[str, Sequence[Any]] | None = None
) -> list[dict[str, Any]]:
    """List every combination of a grid's values, in the order of the grid.

    Parameters
    ----------
    grid : replaces the values of the classifier's default grid, parameter by parameter

    Raises
    ------
    UnknownNameError
        For a parameter that the classifier is not tuned by.
    UsageError
        For a parameter without a value.
    """
    kind = find_classifier(name)
    for parameter, values in (grid or {}).items():
        if parameter not in kind.grid:
            raise UnknownNameError(f"parameter of {name}", parameter, kind.grid)
        if not len(values):
            raise UsageError(f"the grid has no value for {parameter}; give at least one")
    merged = {**kind.grid, **(grid or {})}
    return [dict(zip(merged, values, strict=True)) for values in product(*merged.values())]


def make_pipeline(name: str, scale: str, *, seed: int, params: Mapping[str, Any]) -> Pipeline:
    """Build an unfitted pipeline: scaling, then the classifier.

    Parameters
    ----------
    scale : ``"l2"`` (each row to length one), ``"standard"`` (each column to mean 0 and standard
        deviation 1 over the training rows) or ``"none"``

    Raises
    ------
    UnknownNameError
    """
    from sklearn.pipeline import Pipeline

    steps: list[tuple[str, Any]] = [("classifier", find_classifier(name).make(seed, **params))]
    scaler = make_scaler(scale)
    if scaler is not None:
        steps.insert(0, ("scale", scaler))
    return Pipeline(steps)


def make_scaler(scale: str) -> Any:
    """Build an unfitted scaler, or None for ``"none"``.

    Raises
    ------
    UnknownNameError
    """
    from sklearn.preprocessing import Normalizer, StandardScaler

    if scale not in SCALES:
        raise UnknownNameError("scaling", scale, SCALES)
    return {"l2": Normalizer, "standard": StandardScaler, "none": lambda: None}[scale]()
