"""A copy of a feature file in which the rows are in other splits; all else is as it was."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py

from penult.features import schema
from penult.features.open import open_file
from penult.features.watched_file import WatchedFile
from penult.output import atomic_output

__all__ = ["copy_with_splits"]

_COPIED = (
    schema.IDS,
    schema.LABELS,
    schema.LABEL_NAMES,
    schema.TARGETS,
    schema.GROUPS,
    schema.CONTENT,
    schema.TRAINED,
    schema.FAILURES,
    schema.LAYERS,
    schema.AUGMENTED,
    schema.PROJECTIONS,
    schema.FEATURES,
)


def copy_with_splits(
    source: Path, splits: Sequence[str], output: Path, *, overwrite: bool = False
) -> None:
    """Write a feature file with other splits, whole or not at all.

    Parameters
    ----------
    source : Path
        A feature file that was read before, so that nothing in it refers to other files.
    splits : sequence of str, length N
        "train", "validation", "test" or "", one a row.
    output : Path
    overwrite : bool

    Raises
    ------
    FeatureFileError, OutputExistsError, OutputError
    """
    with open_file(source, "") as old, atomic_output(output, overwrite=overwrite) as temporary:
        raw = WatchedFile(temporary)
        new = h5py.File(raw, "w")
        try:
            _copy(old, new, splits)
            raw.check()
            new.close()
            raw.check()
        except BaseException:
            with suppress(OSError):
                new.close()
            raise
        finally:
            raw.close()


def _copy(old: Any, new: Any, splits: Sequence[str]) -> None:
    for name, value in old.attrs.items():
        new.attrs[name] = value
    for name in _COPIED:
        link = old.get(name, getlink=True)
        if isinstance(link, h5py.SoftLink):
            new[name] = h5py.SoftLink(link.path)
        elif link is not None:
            old.copy(old[name], new, name)
    new.create_dataset(
        schema.SPLITS,
        data=[str(one) for one in splits],
        dtype=h5py.string_dtype("utf-8"),
        maxshape=(None,),
        chunks=(1024,),
    )
