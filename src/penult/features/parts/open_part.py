"""One part that is open: its rows where they are taken, and what stands beside them."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from penult.errors import FeatureFileError
from penult.features import column as c
from penult.features import schema
from penult.features.augmented import read_augmented
from penult.features.h5_file import make_one, read, read_layers
from penult.features.open import open_file
from penult.records import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penult.recipe import Recipe
    from penult.records import AugmentedRows, Features, Rows

__all__ = ["H5Part", "OpenPart"]


class OpenPart(Protocol):
    """A part file, of whatever format."""

    @property
    def mark(self) -> tuple[str, int]:
        """The run that it says it is of, and its number."""

    @property
    def label_names(self) -> tuple[str, ...]:
        """Those of the whole listing."""

    @property
    def layers(self) -> Mapping[str, tuple[Recipe, Rows]]:
        """Recipe and rows by name, in execution order; nothing of a part without rows."""

    @property
    def views(self) -> Mapping[str, AugmentedRows]:
        """Rows of augmented views by name, where there are some."""

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The images of the part that have no row."""

    def features(self, name: str) -> Features:
        """Everything of one set of rows; only of a part with rows."""

    def close(self) -> None:
        """Let go of the file."""


class H5Part:
    """A part that is a feature file in its own right.

    Parameters
    ----------
    path : where it is
    named : what messages call it

    Raises
    ------
    FeatureFileError
    """

    def __init__(self, path: Path, named: str) -> None:
        self._named = named
        self._file = open_file(path, make_one())

    @cached_property
    def mark(self) -> tuple[str, int]:
        """See `OpenPart`."""
        try:
            return c.read_text(self._file, "run"), int(c.read_number(self._file, "part"))
        except (c.Refused, KeyError, ValueError, OverflowError) as error:
            raise FeatureFileError(f"{self._named} is no part of a folder of rows") from error

    @cached_property
    def label_names(self) -> tuple[str, ...]:
        """See `OpenPart`."""
        found = c.dataset_at(self._file, schema.LABEL_NAMES, c.TEXTS)
        return tuple(c.read_texts(found))

    @cached_property
    def layers(self) -> Mapping[str, tuple[Recipe, Rows]]:
        """See `OpenPart`."""
        if not c.has(self._file, schema.FEATURES):
            return {}  # all of its images failed
        found = read_layers(self._file, name=self._named)
        return {name: (rows.recipe, rows) for name, rows in found.items()}

    @cached_property
    def views(self) -> Mapping[str, AugmentedRows]:
        """See `OpenPart`."""
        layers: Any = {name: rows for name, (_, rows) in self.layers.items()}
        return read_augmented(self._file, layers)

    @cached_property
    def failures(self) -> tuple[Failure, ...]:
        """See `OpenPart`."""
        found = c.dataset_at(self._file, schema.FAILURES, c.PAIRS)
        return tuple(Failure(*pair) for pair in c.read_pairs(found))

    def features(self, name: str) -> Features:
        """See `OpenPart`."""
        return read(self._file, name, name=self._named)

    def close(self) -> None:
        """See `OpenPart`."""
        with suppress(Exception):  # a damaged file may not even be closed
            self._file.close()
