"""A pipeline in a skops file, read but not built: what it says of itself without scikit-learn."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear_rule import LINEAR_TYPES, SCALING_TYPES

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

__all__ = ["BuiltWhenAsked", "Unbuilt", "read_unbuilt"]

_PROTOCOL = 2
"""Of skops, whose files are read here."""

_ESTIMATORS = SCALING_TYPES | LINEAR_TYPES
_NUMPY = frozenset({"numpy.ndarray", "numpy.float64", "numpy.float32", "numpy.int64"})


@dataclass(frozen=True, eq=False)
class Unbuilt:
    """A pipeline that was read, and is built when it is asked for.

    Attributes
    ----------
    said : SimpleNamespace
        What `read_unbuilt` gave.
    build : callable
        Builds it.
    """

    said: SimpleNamespace
    build: Callable[[], Pipeline]

    @cached_property
    def pipeline(self) -> Pipeline:
        """The pipeline, built once."""
        return self.build()


class BuiltWhenAsked:
    """The field `pipeline` of a classifier, which may hold one that is not built yet."""

    def __get__(self, classifier: object | None, _owner: type | None = None) -> Pipeline:
        if classifier is None:
            raise AttributeError("a field without a default")
        held = vars(classifier)["pipeline"]
        return held.pipeline if isinstance(held, Unbuilt) else held

    def __set__(self, classifier: object, value: Pipeline | Unbuilt) -> None:
        vars(classifier)["pipeline"] = value


class _UnknownError(Exception):
    """Something that only skops can read."""


def read_unbuilt(schema: Any, archive: zipfile.ZipFile) -> SimpleNamespace | None:
    """Read the pipeline of a linear classifier.

    Parameters
    ----------
    schema : JSON-like
        Of the skops file.
    archive : ZipFile
        The file, whose arrays are members of it.

    Returns
    -------
    SimpleNamespace or None
        The attributes of the object, and its ``type``; those in it are such, too. None where skops
        has to read the file: it holds more than that, or is of another version.
    """
    try:
        if schema.get("protocol") != _PROTOCOL or _says_two_things(schema):
            return None
        value = _read(schema, archive)
    except _UnknownError:
        return None
    return value if isinstance(value, SimpleNamespace) else None


def _read(state: Mapping[str, Any], archive: zipfile.ZipFile) -> Any:
    loader, name = state["__loader__"], f"{state['__module__']}.{state['__class__']}"
    match loader, name:
        case "JsonNode", "builtins.str":
            return json.loads(state["content"])
        case "ListNode" | "TupleNode", "builtins.list" | "builtins.tuple":
            return [_read(item, archive) for item in state["content"]]
        case "DictNode", "builtins.dict":
            return {key: _read(item, archive) for key, item in state["content"].items()}
        case "NdArrayNode", _ if name in _NUMPY and state["type"] == "numpy":
            data = BytesIO(archive.read(state["file"]))
            return np.lib.format.read_array(data, allow_pickle=False)
        case "ObjectNode", _ if name in _ESTIMATORS:
            return SimpleNamespace(**{**_read(state["content"], archive), "type": name})
    raise _UnknownError


def _says_two_things(schema: Any) -> bool:
    """Whether two places have one id: skops gives the second what is at the first."""
    found: dict[Any, Any] = {}
    return any(found.setdefault(state["__id__"], state) != state for state in _identified(schema))


def _identified(state: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(state, list):
        for item in state:
            yield from _identified(item)
    elif isinstance(state, dict):
        if "__id__" in state:
            yield state
        for item in state.values():
            yield from _identified(item)
