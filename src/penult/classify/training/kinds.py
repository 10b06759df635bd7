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

# Of C and alpha; beyond these the sums in float32 overflow, or a matrix is singular.
STRENGTHS = (1e-12, 1e12)


@dataclass(frozen=True)
class Kind:
    """One classifier.

    Attributes
    ----------
    summary : what it is, in one line
    make : called with the seed and the chosen parameters; returns an unfitted estimator
    grid : parameter name to the values tried by default
    calibrated : whether how sure it is, is found on the folds left out (`sharpness`)
    """

    summary: str
    make: Callable[..., ClassifierMixin]
    grid: Mapping[str, Sequence[Any]]
    calibrated: bool = False


def _logistic(seed: int, **params: Any) -> ClassifierMixin:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=5000, random_state=seed, **params)


def _svm(seed: int, **params: Any) -> ClassifierMixin:
    from sklearn.svm import LinearSVC

    return LinearSVC(max_iter=20_000, random_state=seed, **params)


def _ridge(seed: int, **params: Any) -> ClassifierMixin:
    from sklearn.linear_model import RidgeClassifier

    return RidgeClassifier(random_state=seed, **params)


def _forest(seed: int, **params: Any) -> ClassifierMixin:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=300, n_jobs=-1, random_state=seed, **params)


def _knn(seed: int, **params: Any) -> ClassifierMixin:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(metric="cosine", algorithm="brute", weights="distance", **params)


CLASSIFIERS: Mapping[str, Kind] = {
    "logistic": Kind(
        "multinomial logistic regression with an L2 penalty",
        _logistic,
        {"C": (0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0)},
    ),
    "svm": Kind(
        "linear support vector machine, one against the rest, calibrated",
        _svm,
        {"C": (0.01, 0.1, 1.0, 10.0, 100.0)},
        calibrated=True,
    ),
    "ridge": Kind(
        "ridge regression on the classes, calibrated",
        _ridge,
        {"alpha": (0.01, 0.1, 1.0, 10.0, 100.0)},
        calibrated=True,
    ),
    "knn": Kind(
        "vote of the nearest images by cosine, each by the inverse of its distance",
        _knn,
        {"n_neighbors": (1, 3, 5, 10, 20)},
    ),
    "forest": Kind(
        "random forest of 300 trees, calibrated",
        _forest,
        {"max_features": ("sqrt", 0.1)},
        calibrated=True,
    ),
    "centroid": Kind(
        "nearest class mean: the baseline, without a parameter",
        _logistic,  # linear too: `penult.classify.linear.centroid` finds its weights
        {},
        calibrated=True,
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
    names: Sequence[str], grid: Mapping[str, Sequence[Any]] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """List every combination of each classifier's grid, in the order of the grid.

    Parameters
    ----------
    names : of classifiers
    grid : parameter name to values, in place of those of the default grids that have it

    Raises
    ------
    UnknownNameError
        For a parameter that none of the classifiers is tuned by.
    UsageError
        For a parameter without a value, or with one that it cannot have.
    """
    grids = {name: find_classifier(name).grid for name in names}
    allowed = {parameter for default in grids.values() for parameter in default}
    for parameter, values in (grid or {}).items():
        if not allowed:
            raise UsageError(f"{', '.join(names)} has no parameter; give no grid")
        if parameter not in allowed:
            raise UnknownNameError(f"parameter of {', '.join(names)}", parameter, sorted(allowed))
        if not len(values):
            raise UsageError(f"the grid has no value for {parameter}; give at least one")
    result = {}
    for name, default in grids.items():
        tried = {**default, **{k: v for k, v in (grid or {}).items() if k in default}}
        result[name] = [
            dict(zip(tried, values, strict=True)) for values in product(*tried.values())
        ]
        for params in result[name]:
            _require_possible(name, params)
    return result


def _require_possible(name: str, params: Mapping[str, Any]) -> None:
    from sklearn.utils._param_validation import InvalidParameterError

    try:
        find_classifier(name).make(0, **params)._validate_params()
    except InvalidParameterError as error:
        raise UsageError(f"{name} cannot have {dict(params)}: {error}") from error
    for parameter in {"C", "alpha"} & params.keys():
        if not STRENGTHS[0] <= params[parameter] <= STRENGTHS[1]:
            low, high = STRENGTHS
            raise UsageError(
                f"{name} cannot have {parameter}={params[parameter]:g}; give a number from {low:g} "
                f"to {high:g}"
            )


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
