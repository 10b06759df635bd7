"""A folder of rows as one feature file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.checking import checked
from penult.combine.beside import Beside, trained_keys
from penult.errors import WrongFileError
from penult.features.places import rows_address
from penult.features.read import load
from penult.features.resume.ledger import rows_a_block
from penult.features.write import FeatureWriter
from penult.output import atomic_output, check_output
from penult.progress import ShowProgress, Tell, following
from penult.records import Features, Progress
from penult.suffixes import FEATURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.features.parts.files import PartFiles
    from penult.features.parts.manifest import PartsManifest
    from penult.recipe import AugmentedRecipe, Recipe
    from penult.records import AugmentedRows, ImageRecord, Rows

__all__ = ["merge", "write_merged"]


@checked
def merge(
    folder: str | Path,
    output: str | Path,
    *,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Features:
    """Make one feature file of a folder of rows.

    It is the file that `penult.extract` would have written on one machine: the same rows, ids and
    failures in the same order, and but for the time at which it was written, the same bytes. Parts
    are read one after the other, so that the rows may be more than fit into memory.

    Parameters
    ----------
    folder : path
        The folder, ``photos.rows``; or its address, ``s3://bucket/photos.rows``.
    output : path
        Feature file to write, whole or not at all.
    overwrite : bool, default=False
        Replace `output` if it exists.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    Features
        The file, as `penult.load` opens it.

    Raises
    ------
    PathNotFoundError
        If there is no such folder.
    WrongFileError
        If it is no folder of rows.
    FeatureFileError
        If its run is not finished, or a part is missing or damaged; names the part.
    SourceError
        If its address cannot be reached.
    OutputExistsError, OutputError
        If `output` cannot be written.
    """
    address, target = rows_address(folder), Path(output)
    check_output(target, overwrite=overwrite, output=FEATURES)
    if address is None:
        load(folder)  # says what is wrong with it
        raise WrongFileError(f"{folder} is one feature file already; give a folder of rows (.rows)")
    with following(progress) as tell:
        write_merged(address, target, overwrite=overwrite, tell=tell)
    return load(target)


def write_merged(
    address: str,
    output: Path,
    *,
    splits: Sequence[str] | None = None,
    overwrite: bool = False,
    tell: Tell | None = None,
) -> None:
    """Write one feature file of a folder of rows.

    Parameters
    ----------
    splits : sequence of str, length N, optional
        In place of those that the folder has.

    Raises
    ------
    FeatureFileError, SourceError, OutputExistsError, OutputError
    """
    from penult.features.parts.files import PartFiles

    files = PartFiles(address)
    sets = _Sets.of(files, splits)
    with atomic_output(output, overwrite=overwrite) as temporary:
        writer = sets.writer(files.manifest, temporary)
        try:
            for done in sets.fill(writer):
                if tell is not None:
                    tell(Progress(done, len(sets), 0, stage="merge", unit="rows"))
            writer.finish(sets.last.failures)
            writer.close()
        except BaseException:
            writer.abandon()
            raise


@dataclass(frozen=True)
class _Sets:
    """All sets of rows, and what stands beside them."""

    last: Features
    beside: Beside
    recipes: list[Recipe]
    rows: list[Rows]
    views: list[AugmentedRows]
    trained_on: list[NDArray[np.uint64] | None]

    @classmethod
    def of(cls, files: PartFiles, splits: Sequence[str] | None) -> _Sets:
        """Open them."""
        from penult.features.parts.read import features_of

        recipes, rows, views, trained_on = [], [], [], []
        for name in files.manifest.names:
            features = features_of(files, name)
            recipes.append(features.recipe)
            rows.append(features.features)
            trained_on.append(trained_keys([features]))
            if features.augmented is not None:
                views.append(features.augmented)
        if splits is not None:
            features = replace(features, splits=list(splits))
        return cls(features, Beside.of(features), recipes, rows, views, trained_on)

    def __len__(self) -> int:
        return len(self.last) + sum(map(len, self.views[:1]))

    def writer(self, manifest: PartsManifest, path: Path) -> FeatureWriter:
        """Begin the file."""
        augmented: list[AugmentedRecipe] = [one.recipe for one in self.views]
        return FeatureWriter(
            path,
            self.recipes,
            self.beside.columns(manifest.columns.augmented),
            manifest.names,
            augmented=augmented,
            dtype="float16" if manifest.dtype == "float16" else "float32",
            origin=manifest.origin,
            trained_on=self.trained_on,
        )

    def fill(self, writer: FeatureWriter) -> Iterator[int]:
        """Write the rows, and yield how many there are so far.

        In the blocks in which an extraction writes them, and each photo's augmented views behind
        it, since where blocks end is seen in the file.
        """
        photos = len(self.last)
        of = self.views[0].of if self.views else np.empty(0, np.int64)
        order = np.argsort(np.concatenate([np.arange(photos), of]), kind="stable")
        start, size = 0, 1  # how wide a row is, the first one tells
        yield 0
        while start < len(order):
            places = order[start : start + size]
            blocks = [self._block(k, places) for k in range(len(self.rows))]
            records = [self._record(int(place)) for place in places]
            digests = [self.beside.digest(k) if k < photos else "" for k in places.tolist()]
            writer.append(records, digests, blocks)
            start += len(places)
            size = rows_a_block(sum(block.nbytes for block in blocks) // len(places))
            yield start

    def _record(self, place: int) -> ImageRecord:
        photos = len(self.last)
        if place < photos:
            return self.beside.record(place)
        views, k = self.views[0], place - photos
        return self.beside.view(int(views.of[k]), int(views.view[k]))

    def _block(self, number: int, places: NDArray[np.intp]) -> NDArray[Any]:
        """Rows of one set, those of views counted on from those of photos."""
        rows, photos = self.rows[number], len(self.last)
        is_view = places >= photos
        if not is_view.any():
            return rows[places]
        block = np.empty((len(places), *rows.shape[1:]), rows.dtype)
        block[~is_view] = rows[places[~is_view]]
        block[is_view] = self.views[number].features[places[is_view] - photos]
        return block
