"""A new feature file with one set of rows: on disk whole or not at all, or in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from penult.features.h5_file import read
from penult.features.read import load
from penult.features.write import FeatureWriter
from penult.output import atomic_output, check_output
from penult.records import Failure, Features
from penult.suffixes import FEATURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.combine.beside import Beside
    from penult.recipe import AugmentedRecipe, Recipe

__all__ = ["MadeOf", "NewRows", "named", "require_output"]

Block = tuple[slice, "NDArray[np.float32]"]


@dataclass(frozen=True, kw_only=True)
class MadeOf:
    """Augmented rows to be written beside others.

    Attributes
    ----------
    of : int64 array, shape (M,)
        The new place of the row that each belongs to.
    view : int64 array, shape (M,)
    recipe : AugmentedRecipe
    blocks : iterable of (slice, float32 array)
        Their places among the M, and the rows there.
    """

    of: NDArray[np.int64]
    view: NDArray[np.int64]
    recipe: AugmentedRecipe
    blocks: Iterable[Block]


@dataclass(frozen=True, kw_only=True)
class NewRows:
    """All that a new file holds; its rows come in blocks.

    Attributes
    ----------
    beside : Beside
        What stands beside the rows.
    recipe : Recipe
    dtype : {"float32", "float16"}
    blocks : iterable of (slice, float32 array)
        From the first row to the last.
    augmented : MadeOf or None
    failures : sequence of Failure
    origin : mapping
    """

    beside: Beside
    recipe: Recipe
    dtype: Literal["float32", "float16"]
    blocks: Iterable[Block]
    augmented: MadeOf | None = None
    failures: Sequence[Failure] = ()
    origin: Mapping[str, Any] = field(default_factory=dict)

    def write(self, output: Path | None, *, overwrite: bool) -> Features:
        """Write the file, and open it; without an output, in memory.

        Raises
        ------
        OutputExistsError, OutputError
        """
        if output is None:
            writer = self._writer(None)
            self._fill(writer)
            return read(writer.in_memory(), name="the features in memory")
        with atomic_output(output, overwrite=overwrite) as temporary:
            writer = self._writer(temporary)
            try:
                self._fill(writer)
                writer.close()
            except BaseException:
                writer.abandon()
                raise
        return load(output)

    def _writer(self, target: Path | None) -> FeatureWriter:
        more = self.augmented
        return FeatureWriter(
            target,
            [self.recipe],
            self.beside.columns(0 if more is None else len(more.of)),
            [self.recipe.default_name],
            augmented=[] if more is None else [more.recipe],
            dtype=self.dtype,
            origin=self.origin,
            trained_on=[self.beside.trained_on],
        )

    def _fill(self, writer: FeatureWriter) -> None:
        beside, more = self.beside, self.augmented
        for part, rows in self.blocks:
            places = range(part.start, part.stop)
            records = [beside.record(k) for k in places]
            writer.append(records, [beside.digest(k) for k in places], [rows])
        if more is not None:
            for part, rows in more.blocks:
                pairs = zip(more.of[part].tolist(), more.view[part].tolist(), strict=True)
                views = [beside.view(*pair) for pair in pairs]
                writer.append(views, [""] * len(views), [rows])
        writer.finish(self.failures)


def require_output(
    output: str | Path | None, inputs: Iterable[Features | str | Path], *, overwrite: bool
) -> Path | None:
    """Refuse an output that cannot be written, or would replace what is read.

    Raises
    ------
    UsageError, OutputError
    """
    if output is None:
        return None
    target = Path(output)
    files = [Path(one) if isinstance(one, str | Path) else _file_of(one) for one in inputs]
    read_from = [one for one in files if one is not None]
    check_output(target, overwrite=overwrite, inputs=read_from, output=FEATURES)
    return target


def named(features: Features) -> str:
    """What a message calls them: their file, and which of its rows they are."""
    file = getattr(features.features, "named", "")
    if not file:
        return f"the features of {features.recipe.network}"
    return file if len(features.layers) < 2 else f"{file} ({features.name})"


def _file_of(features: Features) -> Path | None:
    file = getattr(features.features, "named", "")
    return Path(file) if file and Path(file).is_file() else None
