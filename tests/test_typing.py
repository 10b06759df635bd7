"""What a type checker sees of the public functions: choices by name, and nothing that takes all."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

import penult

CALLABLES = {
    name: value for name in penult.__all__ if callable(value := getattr(penult, name))
} | {
    f"{cls.__name__}.{name}": method
    for cls in (penult.Classifier, penult.Extractor, penult.Features)
    for name, method in vars(cls).items()
    if inspect.isfunction(method) and not name.startswith("_")
}  # fmt: skip


NOT_ALL = {
    ("sample", "name"): "a name, as of a model",
    ("FeatureExtractor", "pooling"): "none gives no rows, and scikit-learn wants rows",
    ("quantize", "labels"): "or a table",
}


def parameters(value):
    function = value.__init__ if inspect.isclass(value) else value
    try:
        return get_type_hints(inspect.unwrap(function))
    except (NameError, TypeError):  # of records, whose types are imported for type checkers alone
        return {}


def flattened(hint):
    """What a union allows."""
    inner = [one for part in get_args(hint) for one in flattened(part)]
    return [hint] if get_origin(hint) is Literal or not inner else [hint, *inner]


@pytest.mark.parametrize("name", CALLABLES)
def test_choices_that_are_documented_are_those_of_the_type(name):
    value = CALLABLES[name]
    hints = {} if dataclasses.is_dataclass(value) else parameters(value)  # what was returned
    documented = re.findall(r"^(\w+) : \{(.*?)\}", inspect.getdoc(value) or "", re.M)
    for parameter, listed in documented:
        if parameter not in hints or (name, parameter) in NOT_ALL:
            continue
        choices = {text.strip().strip("\"'") for text in listed.split(",")}
        typed = {
            choice
            for one in flattened(hints[parameter])
            if get_origin(one) is Literal
            for choice in get_args(one)
        }
        assert typed == choices, parameter


@pytest.mark.parametrize("name", CALLABLES)
def test_no_argument_may_be_anything(name):
    for parameter, hint in parameters(CALLABLES[name]).items():
        assert hint is not Any or parameter == "return", parameter


def test_the_photos_of_a_prediction_are_of_some_type():
    """`penult.predict(classifier, 3)` is an error for a type checker."""
    assert get_type_hints(inspect.unwrap(penult.predict))["images"] is not Any
