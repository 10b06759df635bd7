"""Rows that stay on the disk until they are asked for."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from penult.errors import FeatureFileError
from penult.features import schema
from penult.inputs import unreadable
from penult.machine_faults import machine_fault
from penult.messages import first_line
from penult.recipe import Recipe

__all__ = ["RowsOnDisk", "create_rows", "extend", "plain_cause"]


def create_rows(
    file: Any, path: str, shape: tuple[int, ...], dtype: np.dtype[Any], recipe: Recipe
) -> h5py.Dataset:
    """Create a dataset of rows of this shape, in which there are none yet.

    HDF5 adds a checksum to each chunk, and refuses to read one whose bytes have changed.
    """
    dataset = file.create_dataset(
        path,
        shape=(0, *shape),
        maxshape=(None, *shape),
        dtype=dtype,
        chunks=(schema.rows_a_chunk(prod(shape) * dtype.itemsize), *shape),
        fletcher32=True,
    )
    dataset.attrs["recipe"] = recipe.to_json()
    return dataset


def plain_cause(said: str) -> str:
    """What HDF5 says of damage, in plain words where it is a checksum that differs."""
    return "its bytes are not those that were written" if "filter returned" in said else said


def extend(dataset: h5py.Dataset, values: Any) -> None:
    """Add values at the end of a dataset."""
    start = len(dataset)
    dataset.resize(start + len(values), axis=0)
    dataset[start:] = values


class RowsOnDisk(h5py.Dataset):  # type: ignore[misc]
    """A dataset of rows; where the file is damaged at those that are read, it says so in one line.

    Parameters
    ----------
    dataset : of an open file
    named : what messages call the file
    recipe : how the rows were made
    """

    def __init__(self, dataset: h5py.Dataset, named: str, recipe: Any) -> None:
        super().__init__(dataset.id, readonly=True)
        self.named, self.recipe = named, recipe

    @property
    def file_name(self) -> str:
        """Of the file, without its folder, which is nobody's business; empty in memory."""
        path = Path(self.named)
        return path.name if path.is_file() else ""

    def __getitem__(self, args: Any, new_dtype: Any = None) -> Any:
        try:
            return super().__getitem__(args, new_dtype)
        except (OSError, RuntimeError) as error:
            raise self._damaged(error) from error

    def read_direct(self, dest: Any, source_sel: Any = None, dest_sel: Any = None) -> None:
        """See `h5py.Dataset.read_direct`."""
        try:
            super().read_direct(dest, source_sel, dest_sel)
        except (OSError, RuntimeError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> Exception:
        if not self.id.valid:
            return error  # it was closed
        if machine_fault(error):
            return unreadable(self.named, error)
        cause = plain_cause(first_line(error))
        return FeatureFileError(
            f"{self.named} is damaged: rows of it cannot be read ({cause}); extract it again"
        )
