"""The candidates of the grid search, from the default grids and the user's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import product
from typing import Any

from penult.classify.kinds.base import ClassifierKind, Params
from penult.classify.kinds.registry import all_kinds, find_kind
from penult.errors import UnknownNameError, UsageError
from penult.interface import option
from penult.representation import short, what_given

__all__ = ["Candidates", "expand_grids", "require_weighable"]

Candidates = Mapping[str, Sequence[Params]]
"""Kind of classifier to the parameters that are tried."""

# Of penalties; beyond these the sums in float32 overflow, or a matrix is singular.
_PENALTIES = (1e-12, 1e12)

_FITS = ("pipeline", "cross_validate", "fit", "fit_decisions")
"""What a kind overrides whose estimator does not give probabilities by itself."""


def expand_grids(
    names: Sequence[str], grid: Mapping[str, Sequence[Any]] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """List every combination of each kind's grid, in the order of the grid.

    Parameters
    ----------
    names : sequence of str
        Kinds of classifier.
    grid : mapping of str to sequence, optional
        Parameter name to values, in place of those of the default grids that have it, or of the
        one value that is taken by default.

    Raises
    ------
    UnknownNameError
        For a kind that there is not, or a parameter that none of the kinds is tuned by.
    UsageError
        For a parameter without a value, or with one that it cannot have.
    """
    given = {} if grid is None else grid
    if not isinstance(given, Mapping):
        raise UsageError(
            f"the grid is {what_given(given)}; give a dict of a parameter's name to its values"
        )
    kinds = [find_kind(name) for name in names]
    allowed = {parameter for kind in kinds for parameter in kind.parameters}
    for parameter, values in given.items():
        if not allowed:
            raise UsageError(f"{', '.join(names)} has no parameter; give no grid")
        if parameter not in allowed:
            others = [kind.name for kind in all_kinds() if parameter in kind.parameters]
            if others:
                give = " or ".join(option("classifier", name) for name in others)
                raise UsageError(
                    f"{parameter} is of {' and '.join(others)}, not of {', '.join(names)}; "
                    f"add {give}"
                )
            raise UnknownNameError(f"parameter of {', '.join(names)}", parameter, sorted(allowed))
        if isinstance(values, str) or not isinstance(values, Collection):
            raise UsageError(
                f"the grid has {what_given(values)} for {parameter}; give a list of values"
            )
        if not len(values):
            raise UsageError(f"the grid has no value for {parameter}; give at least one")
    result = {}
    for kind in kinds:
        own = {k: v for k, v in given.items() if k in kind.parameters}
        for parameter, values in own.items():
            for value in values:
                _require_allowed(kind, parameter, value)
        tried = {**kind.grid, **own}
        result[kind.name] = [
            dict(zip(tried, values, strict=True)) for values in product(*tried.values())
        ]
        for params in result[kind.name]:
            _require_possible(kind, params)
    return result


def require_weighable(names: Sequence[str], class_weight: str | None) -> None:
    """Refuse kinds of classifier that cannot weigh classes, where they are to.

    Raises
    ------
    UsageError
        Names them and those that can.
    """
    refused = [name for name in names if not find_kind(name).weighs_classes]
    if class_weight is not None and refused:
        able = ", ".join(kind.name for kind in all_kinds() if kind.weighs_classes)
        raise UsageError(
            f"{' and '.join(refused)} cannot weigh classes; take {able}, or leave out "
            f"{option('class_weight', class_weight)}"
        )


def _require_allowed(kind: ClassifierKind, parameter: str, value: Any) -> None:
    """Refuse a value of one parameter, in words of ours, whatever the others are."""
    from sklearn.utils._param_validation import InvalidParameterError

    words = kind.allowed.get(parameter)
    others = {name: values[0] for name, values in kind.grid.items()}
    try:
        kind.make(0, **{**others, parameter: value})._validate_params()
        possible = True
    except InvalidParameterError as error:
        possible = False
        words = words or str(error).partition(" must be ")[2].partition(". Got ")[0]
    if parameter == kind.penalty:
        low, high = _PENALTIES
        words = f"a number from {low:g} to {high:g}"
        possible = possible and low <= value <= high
    if not possible:
        shown = value if isinstance(value, str) else short(value)
        raise UsageError(f"{kind.name} cannot have {parameter}={shown}; give {words}")


def _require_possible(kind: ClassifierKind, params: Params) -> None:
    from sklearn.utils._param_validation import InvalidParameterError

    estimator = kind.make(0, **params)
    overridden = (getattr(type(kind), name) is not getattr(ClassifierKind, name) for name in _FITS)
    if not hasattr(estimator, "predict_proba") and not any(overridden):
        raise UsageError(
            f"{kind.name} makes a {type(estimator).__name__}, which has no predict_proba; give it "
            "one, or override `fit`"
        )
    try:
        estimator._validate_params()
    except InvalidParameterError as error:
        raise UsageError(f"{kind.name} cannot have {dict(params)}: {error}") from error
