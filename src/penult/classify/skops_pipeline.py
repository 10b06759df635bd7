"""The pipeline in a classifier file: what it may hold, and how skops writes and builds it.

Of a linear classifier nothing is built at first: skops and scikit-learn take seconds to be
imported, and what it computes is in the schema and a few arrays (`penult.classify.unbuilt`), which
NumPy alone can apply (`penult.classify.linear_rule`). skops builds the pipeline when it is asked
for, from the same bytes.
"""

from __future__ import annotations

import io
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, BinaryIO

from penult.classify.kinds.registry import all_kinds
from penult.classify.linear_rule import LINEAR_TYPES, SCALING_TYPES, LinearRule
from penult.classify.unbuilt import Unbuilt, read_unbuilt
from penult.errors import ClassifierFileError
from penult.inputs import refuse_unread
from penult.messages import first_line
from penult.parsing import read_json

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

__all__ = ["SCHEMA", "damage_told", "read_pipeline", "write_pipeline"]

SCHEMA = "schema.json"
"""The member in which skops says what it has written."""

# What a schema may hold beside what the kinds of classifier trust: the loader of skops to the types
# that it may be asked for. A loader that is not here (functions, methods, partials, operators,
# bytes) is refused whatever it asks for.
_TRUSTED: Mapping[str, frozenset[str]] = {
    "DictNode": frozenset({"builtins.dict"}),
    "ListNode": frozenset({"builtins.list"}),
    "TupleNode": frozenset({"builtins.tuple"}),
    "JsonNode": frozenset({"builtins.str"}),
    "TypeNode": frozenset({"builtins.str", "builtins.int"}),
    "NdArrayNode": frozenset({"numpy.ndarray", "numpy.float64", "numpy.float32", "numpy.int64"}),
    "ObjectNode": SCALING_TYPES,
}


def write_pipeline(path: Path, pipeline: Pipeline, file: BinaryIO) -> None:
    """Write a pipeline to an open file, for `path`.

    Raises
    ------
    ClassifierFileError
        If it would be refused when it is read.
    """
    with _skops() as skops:
        skops.dump(pipeline, file)
    with zipfile.ZipFile(file) as archive:
        _require_readable(path, read_json(archive.read(SCHEMA)))


def read_pipeline(path: Path, archive: zipfile.ZipFile) -> Callable[[], Pipeline | Unbuilt]:
    """Read the pipeline of a file that is open; return what builds it, unless it is linear.

    That is called outside of `damage_told`: it imports skops.

    Raises
    ------
    ClassifierFileError
        If it holds anything that a classifier never holds.
    """
    # The same bytes, whatever lies there when the pipeline is built.
    build = partial(_build, path, path.read_bytes())
    said = _read_linear(archive)
    return build if said is None else lambda: Unbuilt(said, build)


def _read_linear(archive: zipfile.ZipFile) -> SimpleNamespace | None:
    """What a linear pipeline says of itself; None of any other, which has to be built."""
    schema = read_json(archive.read(SCHEMA))
    plain = {**_TRUSTED, "ObjectNode": SCALING_TYPES | LINEAR_TYPES}
    if any(_unknown_types(schema, plain)):
        return None
    said = read_unbuilt(schema, archive)
    return None if said is None or LinearRule.of(said) is None else said


def _build(path: Path, data: bytes) -> Pipeline:
    """Have skops build the pipeline of a file, once its types are known to be harmless."""
    with damage_told(path), zipfile.ZipFile(io.BytesIO(data)) as archive:
        schema, trusted = read_json(archive.read(SCHEMA)), _trusted_types()
        unknown = sorted(set(_unknown_types(schema, trusted)))
        if unknown:
            types, loaders = zip(*unknown[:5], strict=True)
            raise ClassifierFileError(
                f"{path} is refused: it holds {', '.join(types)} (loaders of skops: "
                f"{', '.join(loaders)}), which no classifier of penult holds; nothing in it was run"
            )
    # What goes wrong while skops is imported is no damage of the file.
    with _skops() as skops, damage_told(path):
        pipeline: Pipeline = skops.load(
            io.BytesIO(data), trusted=sorted(set().union(*trusted.values()))
        )
        for kind in all_kinds(heads=True):
            if complaint := kind.complaint(pipeline, schema):
                raise ClassifierFileError(f"{path} is refused: {complaint}")
    return pipeline


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Have whatever damaged or hostile bytes raise told as one error."""
    try:
        yield
    except ClassifierFileError:
        raise
    except Exception as error:
        refuse_unread(path, error)
        # They can make ZIP, JSON, NumPy and skops raise nearly anything.
        reason = first_line(error)
        raise ClassifierFileError(
            f"{path} cannot be read as a classifier: {reason}; it is damaged or was not written by "
            "penult: train it again"
        ) from error


def _trusted_types() -> dict[str, frozenset[str]]:
    trusted = dict(_TRUSTED)
    for kind in all_kinds(heads=True):
        for loader, types in kind.trusted.items():
            trusted[loader] = trusted.get(loader, frozenset()) | types
    return trusted


def _require_readable(path: Path, schema: Any) -> None:
    """Refuse to write what would be refused when it is read."""
    unknown = sorted(set(_unknown_types(schema, _trusted_types())))
    if unknown:
        types = ", ".join(f"{loader}: {name}" for name, loader in unknown[:5])
        raise ClassifierFileError(
            f"{path} is not written, for it could not be opened again: put {types} into `trusted` "
            "of its kind of classifier"
        )


def _unknown_types(
    state: Any, trusted: Mapping[str, AbstractSet[str]]
) -> Iterator[tuple[str, str]]:
    """The types that are not trusted, each with the loader of skops that is asked for it."""
    if isinstance(state, list):
        for item in state:
            yield from _unknown_types(item, trusted)
    elif isinstance(state, dict):
        if not state.keys().isdisjoint({"__loader__", "__class__", "__module__"}):
            name = f"{state.get('__module__')}.{state.get('__class__')}"
            loader = str(state.get("__loader__"))
            if name not in trusted.get(loader, ()):
                yield name, loader
        for item in state.values():
            yield from _unknown_types(item, trusted)


@contextmanager
def _skops() -> Iterator[Any]:
    # skops imports every module below sklearn to list its estimators, and one of them imports
    # torch, three seconds of it. That module has no estimator: it is hidden while skops looks.
    hidden = "sklearn.externals.array_api_compat.torch"
    hide = "skops.io" not in sys.modules and hidden not in sys.modules
    if hide:
        sys.modules[hidden] = None  # type: ignore[assignment]
    try:
        import skops.io
    finally:
        if hide:
            del sys.modules[hidden]
    from sklearn.exceptions import InconsistentVersionWarning

    with warnings.catch_warnings():
        # The versions are in the description; what is loaded is tried out before it is used.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        yield skops.io
