"""Rows as they are, in other splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from penult.combine.beside import Beside
from penult.combine.merge import write_merged
from penult.combine.writing import Block, MadeOf, NewRows
from penult.features.places import rows_address
from penult.features.resplit import copy_with_splits
from penult.records import Features, Rows

__all__ = ["write_with_splits"]

_BLOCK = 1024


def write_with_splits(
    features: Features | str | Path, splits: Sequence[str], output: Path, *, overwrite: bool = False
) -> None:
    """Write a feature file with other splits, whole or not at all.

    Parameters
    ----------
    features : Features or path
        Of a file, all sets of rows that it holds are in the new one.
    splits : sequence of str, length N
        "train", "validation", "test" or "", one a row.
    output : Path
    overwrite : bool

    Raises
    ------
    FeatureFileError, OutputExistsError, OutputError
    """
    if not isinstance(features, Features):
        if (address := rows_address(features)) is not None:
            write_merged([address], output, splits=splits, overwrite=overwrite)
            return
        copy_with_splits(Path(features), splits, output, overwrite=overwrite)
        return
    stored = features.augmented
    NewRows(
        beside=Beside.of(replace(features, splits=list(splits))),
        recipe=features.recipe,
        dtype="float16" if features.features.dtype == np.float16 else "float32",
        blocks=_blocks(features.features),
        augmented=None
        if stored is None
        else MadeOf(
            of=stored.of,
            view=stored.view,
            recipe=stored.recipe,
            blocks=_blocks(stored.features),
        ),
        failures=features.failures,
        origin=features.origin,
    ).write(output, overwrite=overwrite)


def _blocks(rows: Rows) -> Iterator[Block]:
    for start in range(0, len(rows), _BLOCK):
        block = np.asarray(rows[start : start + _BLOCK], np.float32)
        yield slice(start, start + len(block)), block
