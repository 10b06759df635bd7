"""Reading a feature file: lazily, and without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penult.errors import FeatureFileError, FileFormatError, PathNotFoundError, UnknownNameError
from penult.features import schema
from penult.parsing import read_json
from penult.recipe import Recipe
from penult.records import Failure, Features
from penult.texts import Texts

__all__ = ["layer_rows", "load", "read"]

_TEXTS_AT_ONCE = 4096
_HINT = "make one with: penult extract IMAGES -o features.h5"


def load(path: str | Path, layer: str | None = None) -> Features:
    """Open a feature file.

    Parameters
    ----------
    path : a file that `penult.extract` wrote
    layer : which of its layers' rows to show; the last by default

    Returns
    -------
    Features
        `Features.features` is an h5py dataset: slices are read from the disk when taken, the
        rest is in memory. The file stays open as long as the dataset lives.

    Raises
    ------
    PathNotFoundError, FeatureFileError, UnknownNameError
    """
    import h5py

    path = Path(path)
    if not path.exists():
        raise PathNotFoundError(f"{path}: no such file; {_HINT}")
    if path.is_dir():
        raise FeatureFileError(f"{path} is a folder, not a feature file; {_HINT}")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise FeatureFileError(f"{path} {_what_is_wrong(path, error)}; {_HINT}") from error
    try:
        return read(file, layer, name=str(path))
    except BaseException:
        file.close()
        raise


def read(file: Any, layer: str | None = None, *, name: str) -> Features:
    """Read an open h5py file; `name` is what messages call it."""
    try:
        found = int(file.attrs["format"])
    except (KeyError, TypeError, ValueError) as error:
        raise FeatureFileError(
            f"{name} is an HDF5 file, but not a feature file of penult's; {_HINT}"
        ) from error
    if found > schema.FORMAT:
        raise FeatureFileError(
            f"{name} has format {found}; this penult reads up to {schema.FORMAT}; "
            f"type: pip install --upgrade penult"
        )
    try:
        layers = layer_rows(file)
        if layer is None:
            rows = file[schema.FEATURES]
        elif layer in layers:
            rows = layers[layer]
        else:
            raise UnknownNameError(f"layer in {name}", layer, layers)
        features = Features(
            features=rows,
            ids=_texts(file[schema.IDS]),
            labels=file[schema.LABELS][:],
            label_names=tuple(_texts(file[schema.LABEL_NAMES])),
            recipe=Recipe.from_json(rows.attrs["recipe"]),
            targets=file[schema.TARGETS][:] if schema.TARGETS in file else None,
            splits=_texts(file[schema.SPLITS]) if schema.SPLITS in file else None,
            groups=_texts(file[schema.GROUPS]) if schema.GROUPS in file else None,
            content=_texts(file[schema.CONTENT]) if schema.CONTENT in file else None,
            failures=tuple(
                Failure(i.decode(), reason.decode()) for i, reason in file[schema.FAILURES][:]
            ),
            layers=tuple(layers),
            origin=read_json(file.attrs["origin"]),
        )
    except (KeyError, OSError, FileFormatError, ValueError) as error:
        if isinstance(error, UnknownNameError):
            raise
        cause = str(error.args[0] if error.args else error).splitlines()[0]
        raise FeatureFileError(f"{name} is damaged or incomplete: {cause}; {_HINT}") from error
    columns = (features.features, features.labels, features.targets, features.splits)
    lengths = {len(column) for column in columns if column is not None} | {len(features)}
    if len(lengths) > 1:
        raise FeatureFileError(
            f"{name} is damaged: its columns have {sorted(lengths)} rows; {_HINT}"
        )
    return features


def layer_rows(file: Any) -> dict[str, Any]:
    """Layer name to dataset, in execution order, of an open file."""
    if schema.LAYERS not in file:
        rows = file[schema.FEATURES]
        return {Recipe.from_json(rows.attrs["recipe"]).layer: rows}
    datasets = dict(file[schema.LAYERS].items())
    return dict(sorted(datasets.items(), key=lambda item: int(item[1].attrs["position"])))


def _texts(dataset: Any) -> Texts:
    texts = Texts()
    for start in range(0, len(dataset), _TEXTS_AT_ONCE):
        for text in dataset[start : start + _TEXTS_AT_ONCE]:
            texts.append(text)
    return texts


def _what_is_wrong(path: Path, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "cannot be read: permission denied"
    try:
        with path.open("rb") as opened:
            head = opened.read(8)
    except OSError as failed:
        return f"cannot be read: {failed.strerror}"
    if head == b"\x89HDF\r\n\x1a\n":
        return "is a truncated or damaged HDF5 file"
    if head.startswith(b"PK"):
        return "is a zip archive, perhaps a classifier file, not a feature file"
    return "is not a feature file (nor any HDF5 file)" if head else "is empty (0 bytes)"
