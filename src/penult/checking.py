"""Arguments of public functions, checked against the types that they are annotated with."""

from __future__ import annotations

import ast
import inspect
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import suppress
from functools import cache, wraps
from numbers import Integral, Real
from typing import Any, ParamSpec, TypeVar

from penult.arguments import is_path, require_texts
from penult.errors import UnknownNameError, UsageError
from penult.interface import option
from penult.passwords import remember_all
from penult.representation import what_given
from penult.spelling import closest

__all__ = ["checked", "require_fitting"]

_MOST = 10**18

P = ParamSpec("P")
Result = TypeVar("Result")


def checked(function: Callable[P, Result]) -> Callable[P, Result]:
    """Have a public function refuse arguments of other types than it is annotated with.

    Of an annotation, the types that are named in `_TYPES` count, sequences of them, and the texts
    that a ``Literal`` lists; what has any other is for the function itself to check, as are values,
    but for texts that cannot be a name or a path. Any iterable is a list to the function.

    Raises
    ------
    UsageError
        Names the argument, what was given and what is allowed.
    UnknownNameError
        If a text is none of those that are listed.
    TypeError
        If there is no argument of that name; says which one was likely meant.
    """
    signature = inspect.signature(function)
    by_position = inspect.Parameter.POSITIONAL_ONLY
    allowed_names = [p.name for p in signature.parameters.values() if p.kind != by_position]

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Result:
        bound = None
        with suppress(TypeError):
            bound = signature.bind(*args, **kwargs)
        if bound is None:  # an argument is missing, or unknown
            for name in kwargs:
                if name not in signature.parameters and (meant := closest(name, allowed_names, 1)):
                    said = f"{function.__qualname__}() has no argument {name}"
                    raise TypeError(f"{said}; did you mean {meant[0]}?")
            return function(*args, **kwargs)  # it says so itself
        remember_all(bound.arguments.values())
        bound.arguments.update(_fitting(signature, bound.arguments))
        return function(*bound.args, **bound.kwargs)

    return call


def require_fitting(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse arguments that a function which is `checked` would refuse.

    Returns
    -------
    dict of str to Any
        The arguments as it would get them: numbers of NumPy's as Python's own.

    Raises
    ------
    UsageError, UnknownNameError
    """
    return _fitting(inspect.signature(function), given)


def _fitting(signature: inspect.Signature, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, each iterable that a list is wanted of made one."""
    fitting = {}
    for name, value in given.items():
        annotation = str(signature.parameters[name].annotation)
        wanted = _alternatives(annotation)
        # What stands beside the images, one for each: in their order, and "" is none.
        beside = "Sequence[Any]" in map(_unparsed, wanted)
        if not (beside and isinstance(value, Set)):
            value = _listed(value, annotation)
        if wanted and not any(_fits(value, one) for one in wanted):
            words = dict.fromkeys(_in_words(one) for one in wanted)
            if isinstance(value, list | tuple) and "a list" not in words:
                words = {f"one alone, {word}" if word == "a name" else word: None for word in words}
            how = _how(name, value, words)
            raise UsageError(f"{name} is {what_given(value)}; give {', or '.join(words)}{how}")
        allowed = [text for one in wanted for text in _texts(one)]
        if allowed and isinstance(value, str) and value not in allowed:
            raise UnknownNameError(name, value, allowed)
        if isinstance(value, list | tuple) and not value and "str" in map(_name, wanted):
            raise UsageError(f"{name} is an empty list; give one or more")
        if not beside or isinstance(value, str | os.PathLike):
            needed = signature.parameters[name].default is inspect.Parameter.empty
            require_texts(name, value, path=is_path(name, annotation), needed=needed)
        fitting[name] = _plain(name, value) if {"int", "float"} & {*map(_name, wanted)} else value
    return fitting


def _plain(name: str, value: Any) -> Any:
    """A number of Python's in place of NumPy's, which libraries take for another kind of thing.

    Raises
    ------
    UsageError
        If it is not a number, or one that no computer counts to.
    """
    if _is_whole(value):
        if abs(value) > _MOST:
            raise UsageError(
                f"{option(name)} is {what_given(value)}; give a number of up to 18 digits"
            )
        return int(value)
    if isinstance(value, Real) and not _is_bool(value):
        if math.isnan(value):
            raise UsageError(f"{option(name)} is nan; give a number")
        return float(value)
    return value


def _listed(value: object, annotation: str) -> Any:
    """Make a list of an iterable where a list is wanted: it may be gone through only once."""
    wanted = _alternatives(annotation)
    if "Sequence" not in map(_name, wanted) or not isinstance(value, Iterable):
        return value
    is_other = isinstance(value, str | bytes | bytearray | memoryview | Mapping | list | tuple)
    if is_other or hasattr(value, "read") or hasattr(value, "columns"):  # a file, a table
        return value
    if any(_fits(value, one) for one in wanted):
        return value
    try:
        return list(value)
    except TypeError:  # an array of no dimension
        return value


def _how(name: str, value: object, words: Iterable[str]) -> str:
    """Say how an array, an image or a mapping becomes what it was given for."""
    if name == "filter" and isinstance(value, Mapping):
        told = [f"{key}={one}" for key, one in value.items()] or ["label=chair"]
        return f"; it is written filter={what_given(told[0] if len(told) == 1 else told)}"
    if "Features" in words and hasattr(value, "shape"):
        return ", or make Features of it: penult.Features(features=…, ids=…, labels=…, …)"
    if any("DataFrame" in word for word in words):
        return (
            "; Pillow images, uint8 arrays, bytes and binary files, in a list, are for "
            "penult.Extractor, FeatureExtractor and Classifier.predict"
        )
    return ""


def _is_bool(value: object) -> bool:
    return type(value).__name__ in ("bool", "bool_")  # of Python, or of NumPy


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not _is_bool(value)


def _is_one_of(name: str) -> Callable[[object], bool]:
    # By its name: nothing is imported for a check.
    return lambda value: name in (base.__name__ for base in type(value).__mro__)


_TYPES: dict[str, tuple[Callable[[object], bool], str]] = {
    "str": (lambda value: isinstance(value, str), "a name"),
    "Literal": (lambda value: isinstance(value, str), "a name"),
    "Pooling": (lambda value: isinstance(value, str), "a name"),
    "Precision": (lambda value: isinstance(value, str), "a name"),
    "SplitsFrom": (lambda value: isinstance(value, str), "a name"),
    "Path": (lambda value: isinstance(value, os.PathLike), "a path"),
    "int": (_is_whole, "a whole number"),
    "float": (lambda value: isinstance(value, Real) and not _is_bool(value), "a number"),
    "bool": (_is_bool, "True or False"),
    "None": (lambda value: value is None, "None"),
    "Callable": (callable, "a function"),
    "ShowProgress": (
        lambda value: value is None or _is_bool(value) or callable(value),
        "True, False or a function",
    ),
    "Images": (
        lambda value: (
            isinstance(value, str | os.PathLike)
            or (isinstance(value, Iterable) and not isinstance(value, bytes | Mapping))
        ),
        "a path or an address, a list of them, or a DataFrame",
    ),
    "Mapping": (lambda value: isinstance(value, Mapping), "a mapping"),
    "Sequence": (
        lambda value: isinstance(value, list | tuple),  # which `_listed` makes of others
        "a list",
    ),
    "Classifier": (_is_one_of("Classifier"), "a Classifier"),
    "Features": (_is_one_of("Features"), "Features"),
    "Index": (_is_one_of("Index"), "an Index"),
    **{
        name: (_is_one_of(name), words)
        for name, words in {
            "Clustering": "a Clustering",
            "Duplicates": "Duplicates",
            "HeldOut": "HeldOut",
            "Outliers": "Outliers",
            "Predictions": "Predictions",
            "RowMap": "a RowMap",
        }.items()
    },
}


@cache
def _alternatives(annotation: str) -> tuple[ast.expr, ...]:
    """The types that an annotation allows; none where not all of them are known here."""
    if annotation == str(inspect.Parameter.empty):
        return ()
    found = tuple(_united(ast.parse(annotation, mode="eval").body))
    return found if all(_name(one) in _TYPES for one in found) else ()


def _united(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp):
        yield from _united(node.left)
        yield from _united(node.right)
    else:
        yield node


@cache  # the nodes are those that `_alternatives` keeps
def _unparsed(node: ast.expr) -> str:
    return ast.unparse(node)


def _name(node: ast.expr) -> str:
    return _unparsed(node).partition("[")[0]


def _texts(node: ast.expr) -> Iterator[str]:
    if _name(node) == "Literal" and isinstance(node, ast.Subscript):
        listed = ast.literal_eval(node.slice)
        yield from [listed] if isinstance(listed, str) else listed


def _fits(value: Any, wanted: ast.expr) -> bool:
    fits, _ = _TYPES[_name(wanted)]
    if not fits(value):
        return False
    if _name(wanted) != "Sequence":
        return True
    assert isinstance(wanted, ast.Subscript)
    inner = _alternatives(_unparsed(wanted.slice))
    return not inner or all(any(_fits(each, one) for one in inner) for each in value)


def _in_words(wanted: ast.expr) -> str:
    return _TYPES[_name(wanted)][1]
