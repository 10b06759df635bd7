"""The classifier file: a skops archive of the scikit-learn pipeline, and one JSON member beside it.

``skops.io.load`` gives the pipeline alone; ``penult.json`` holds everything else (label names,
recipe, scores, settings), so that a file is described without loading skops or scikit-learn.
``trained_on.bin`` has 8 bytes for each image it was trained on (`penult.classify.evaluation.seen`),
``kept_rows.bin`` some of its training rows as int8, one after the other
(`penult.classify.likeness`).

A file from a stranger is read in this order, and refused at the first step that fails: it is a ZIP
archive whose members are stored uncompressed and add up to no more than the file itself (so that
no member can unpack to more than was sent); every type and every loader in its schema is on the
list below, or trusted by a kind of classifier; skops itself trusts it. Only then is anything built
from it, and what is built is checked before it is used.
"""

from __future__ import annotations

import io
import json
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np

from penult.classify.kinds.registry import all_kinds
from penult.errors import ClassifierFileError, WrongFileError
from penult.inputs import require_file
from penult.interface import command
from penult.messages import first_line
from penult.output import atomic_output, check_output
from penult.parsing import read_json
from penult.suffixes import CLASSIFIER

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

__all__ = ["Contents", "read_all", "read_description", "write"]

FORMAT = 1
DESCRIPTION = "penult.json"
TRAINED_ON = "trained_on.bin"
KEPT_ROWS = "kept_rows.bin"
SCHEMA = "schema.json"

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
    "ObjectNode": frozenset(
        {
            "sklearn.pipeline.Pipeline",
            "sklearn.preprocessing._data.Normalizer",
            "sklearn.preprocessing._data.StandardScaler",
        }
    ),
}


def write(
    path: Path,
    pipeline: Pipeline,
    description: Mapping[str, Any],
    *,
    trained_on: NDArray[np.uint64] | None = None,
    kept_rows: NDArray[np.int8] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a classifier file, whole or not at all.

    Parameters
    ----------
    description : JSON-like; given back by `read_description`
    trained_on : keys of the images, of `penult.classify.evaluation.seen.content_keys`
    kept_rows : of `penult.classify.likeness.Likeness`

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    ClassifierFileError
        If the file would be refused when it is read; nothing is written.
    """
    check_output(path, overwrite=overwrite, output=CLASSIFIER)
    with atomic_output(path, overwrite=overwrite) as temporary:
        text = json.dumps({"format": FORMAT, **description}, indent=1)
        with _skops() as skops, temporary.open("r+b") as file:
            skops.dump(pipeline, file)
            with zipfile.ZipFile(file, "a") as archive:
                _require_readable(path, read_json(archive.read(SCHEMA)))
                archive.writestr(DESCRIPTION, text)
                if trained_on is not None:
                    archive.writestr(TRAINED_ON, np.unique(trained_on).astype("<u8").tobytes())
                if kept_rows is not None:
                    archive.writestr(KEPT_ROWS, kept_rows.tobytes())


def read_description(path: Path) -> dict[str, Any]:
    """Read what `write` was given, without loading skops or scikit-learn.

    Raises
    ------
    PathNotFoundError
        If there is no such file.
    ClassifierFileError
        If it is no classifier file, truncated, unsafe, or newer than this penult.
    """
    with _archive(path) as archive:
        return _describe(path, archive)


class Contents(NamedTuple):
    """All that `write` was given; the kept rows one after the other, of a length not stated."""

    pipeline: Pipeline
    description: dict[str, Any]
    trained_on: NDArray[np.uint64] | None
    kept_rows: NDArray[np.int8] | None


def read_all(path: Path) -> Contents:
    """Read all that `write` was given. Executes nothing that the file brings.

    Raises
    ------
    PathNotFoundError, ClassifierFileError
        As `read_description`, and if the pipeline holds anything that a classifier never holds.
    """
    with _archive(path) as archive:
        description = _describe(path, archive)
        schema, trusted = read_json(archive.read(SCHEMA)), _trusted_types()
        unknown = sorted(set(_unknown_types(schema, trusted)))
        if unknown:
            types, loaders = zip(*unknown[:5], strict=True)
            raise ClassifierFileError(
                f"{path} is refused: it holds {', '.join(types)} (loaders of skops: "
                f"{', '.join(loaders)}), which no classifier of penult holds; nothing in it was run"
            )
        with _skops() as skops:
            data = io.BytesIO(path.read_bytes())
            pipeline = skops.load(data, trusted=sorted(set().union(*trusted.values())))
        for kind in all_kinds():
            if complaint := kind.complaint(pipeline, schema):
                raise ClassifierFileError(f"{path} is refused: {complaint}")
        trained_on = kept_rows = None  # of files from before
        if TRAINED_ON in archive.namelist():
            trained_on = np.frombuffer(archive.read(TRAINED_ON), "<u8").astype(np.uint64)
        if KEPT_ROWS in archive.namelist():
            kept_rows = np.frombuffer(archive.read(KEPT_ROWS), np.int8)
    return Contents(pipeline, description, trained_on, kept_rows)


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    require_file(path, "a classifier file", CLASSIFIER.suffixes)
    if not zipfile.is_zipfile(path):
        _refuse(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _require_no_more_than_sent(path, archive)
            yield archive
    except ClassifierFileError:
        raise
    except Exception as error:
        # Damaged or hostile bytes can make ZIP, JSON, NumPy and skops raise nearly anything.
        reason = first_line(error)
        raise ClassifierFileError(
            f"{path} cannot be read as a classifier: {reason}; it is damaged or was not written by "
            "penult: train it again"
        ) from error


def _refuse(path: Path) -> NoReturn:
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise ClassifierFileError(f"{path} cannot be read: {error.strerror}") from error
    if not head:
        raise ClassifierFileError(
            f"{path} is empty (0 bytes), so it is not a classifier file; {command('train')} writes "
            "one"
        )
    if head.startswith(b"PK"):
        raise ClassifierFileError(
            f"{path} is truncated: the end of the classifier file is missing; copy it again"
        )
    what = f"is not a classifier file; {command('train')} writes one"
    if head == b"\x89HDF\r\n\x1a\n":
        train = command("train", str(path), output=f"{path.stem}.skops")
        what = f"is a feature file, not a classifier; train one from it: {train}"
    if head[:1] == b"\x80":
        what = (
            "is a pickle, not a classifier file; a pickle can run code when it is opened, so it "
            "was not"
        )
    raise WrongFileError(f"{path} {what}")


def _require_no_more_than_sent(path: Path, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    packed = [m.filename for m in members if m.compress_type != zipfile.ZIP_STORED]
    if packed or sum(m.file_size for m in members) > path.stat().st_size:
        raise ClassifierFileError(
            f"{path} is refused: it would unpack to more than was sent; penult stores its "
            "classifiers uncompressed"
        )
    names = {m.filename for m in members}
    if DESCRIPTION not in names or SCHEMA not in names:
        other = "a model saved by skops itself" if SCHEMA in names else "some other ZIP archive"
        raise WrongFileError(
            f"{path} is {other}, not a classifier of penult: it lacks the label names and the "
            f"recipe; {command('train')} writes them"
        )


def _describe(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    description = read_json(archive.read(DESCRIPTION))
    if description.pop("format") != FORMAT:
        raise ClassifierFileError(f"{path} was written by a newer penult; upgrade to read it")
    return dict(description)


def _trusted_types() -> dict[str, frozenset[str]]:
    trusted = dict(_TRUSTED)
    for kind in all_kinds():
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
