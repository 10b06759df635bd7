"""Rows that stay on the disk until they are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py

from penult.errors import FeatureFileError
from penult.messages import first_line

__all__ = ["RowsOnDisk"]


class RowsOnDisk(h5py.Dataset):  # type: ignore[misc]
    """A dataset of rows; where the file is damaged at those that are read, it says so in one line.

    Parameters
    ----------
    dataset : of an open file
    name : what messages call the file
    """

    def __init__(self, dataset: h5py.Dataset, name: str) -> None:
        super().__init__(dataset.id, readonly=True)
        self._named = name

    @property
    def file_name(self) -> str:
        """Of the file, without its folder, which is nobody's business; empty in memory."""
        path = Path(self._named)
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
        cause = first_line(error)
        return FeatureFileError(
            f"{self._named} is damaged: rows of it cannot be read ({cause}); extract it again"
        )
