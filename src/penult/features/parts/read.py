"""A folder of rows as one set of features."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import FeatureFileError, UnknownNameError
from penult.features.column import Refused
from penult.features.h5_file import find_rows
from penult.features.parts.files import PartFiles
from penult.features.parts.rows import RowsInParts
from penult.records import AugmentedRows, Failure, Features
from penult.texts import Texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["features_of", "read_folder", "rows_of_folder"]

_TEXTS = ("ids", "splits", "groups", "content")


def read_folder(address: str, layer: str | None = None) -> Features:
    """Open a folder of rows; see `penult.load`.

    Raises
    ------
    PathNotFoundError, WrongFileError, FeatureFileError, UnknownNameError
    """
    return features_of(PartFiles(address), layer)


def rows_of_folder(address: str) -> dict[str, tuple[RowsInParts, AugmentedRows | None]]:
    """Open all sets of rows of a folder: name to the rows, and to those of augmented views.

    Raises
    ------
    PathNotFoundError, WrongFileError, FeatureFileError
    """
    files = PartFiles(address)
    manifest = files.manifest
    if manifest.columns.augmented:
        gathered = {name: _gathered(files, name) for name in manifest.names}
        return {name: (one.all_rows(), one.all_views()) for name, one in gathered.items()}
    counts = [part.rows for part in manifest.parts]
    with files.opened(next(part.number for part in manifest.parts if part.rows)) as opened:
        return {
            name: (
                RowsInParts(files, name, counts, rows.shape[1:], rows.dtype, recipe),
                None,
            )
            for name, (recipe, rows) in opened.layers.items()
        }


def features_of(files: PartFiles, layer: str | None = None) -> Features:
    """Read what stands beside the rows of all parts; rows are read when they are taken.

    Raises
    ------
    FeatureFileError, UnknownNameError
    """
    manifest, name = files.manifest, files.manifest.names[-1]
    if layer is not None:
        found = find_rows(layer, manifest.named)
        if found is None:
            raise UnknownNameError(f"layer in {files.address}", layer, manifest.names)
        name = found
    return _gathered(files, name).features()


def _gathered(files: PartFiles, name: str) -> _Gathered:
    gathered = _Gathered(files, name)
    files.fetch()
    for entry in files.manifest.parts:
        with files.opened(entry.number) as part:
            gathered.failures += part.failures
            gathered.add(part.features(name) if entry.rows else None)
    return gathered


@dataclass
class _Gathered:
    """What stands beside one set of rows, part after part."""

    files: PartFiles
    name: str
    first: Features | None = None
    counts: list[int] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    texts: dict[str, Texts] = field(default_factory=dict)
    labels: list[NDArray[np.int64]] = field(default_factory=list)
    targets: list[NDArray[np.bool_]] = field(default_factory=list)
    trained: list[NDArray[np.bool_]] = field(default_factory=list)
    views: list[AugmentedRows | None] = field(default_factory=list)

    def add(self, part: Features | None) -> None:
        """Add what a part has beside its rows; None of one that has none.

        Raises
        ------
        Refused
            If it does not fit those before it.
        """
        self.counts.append(0 if part is None else len(part))
        self.views.append(None if part is None else part.augmented)
        if part is None:
            return
        columns = self.files.manifest.columns
        there = (part.splits is not None, part.groups is not None)
        if there != (columns.splits, columns.groups):
            raise Refused("has other columns of splits and groups than the manifest says")
        if self.first is None:
            self.first = part
            self.texts = {one: Texts() for one in _TEXTS if getattr(part, one) is not None}
        if part.features.shape[1:] != self.first.features.shape[1:]:
            raise Refused(
                f"has rows of shape {part.features.shape[1:]}, and others of this folder have "
                f"{self.first.features.shape[1:]}"
            )
        views = [one for one in self.views if one is not None]
        if views and views[-1].recipe != views[0].recipe:
            raise Refused("has augmented rows of another augmentation than others")
        if (part.content is None) != (self.first.content is None):
            raise Refused("has other columns than the parts before it")
        if (part.trained_network is None) != (self.first.trained_network is None):
            raise Refused("says otherwise than others which images trained the network")
        for one, texts in self.texts.items():
            texts.extend(getattr(part, one))
        self.labels.append(part.labels)
        if columns.several:
            self.targets.append(_targets(part))
        elif part.targets is not None:
            raise Refused("has images of several labels, which the manifest says there are none of")
        if part.trained_network is not None:
            self.trained.append(part.trained_network)

    def features(self) -> Features:
        """All parts together."""
        files, manifest, first = self.files, self.files.manifest, self._first()
        return Features(
            features=self.all_rows(),
            ids=self.texts["ids"],
            labels=np.concatenate(self.labels),
            label_names=first.label_names,
            recipe=first.recipe,
            targets=np.concatenate(self.targets) if self.targets else None,
            splits=self.texts.get("splits"),
            groups=self.texts.get("groups"),
            content=self.texts.get("content"),
            failures=tuple(
                sorted([*manifest.unlisted, *self.failures], key=lambda failure: failure.id)
            ),
            layers=files.manifest.names,
            origin=manifest.origin,
            name=self.name,
            augmented=self.all_views(),
            trained_network=np.concatenate(self.trained) if self.trained else None,
        )

    def all_rows(self) -> RowsInParts:
        """The rows of all parts."""
        first = self._first()
        rows = first.features
        return RowsInParts(
            self.files, self.name, self.counts, rows.shape[1:], rows.dtype, first.recipe
        )

    def all_views(self) -> AugmentedRows | None:
        """The rows of augmented views of all parts, where there are some."""
        starts = np.cumsum([0, *self.counts[:-1]])
        some = [
            (start, one) for start, one in zip(starts, self.views, strict=True) if one is not None
        ]
        if not some:
            return None
        recipe, rows = some[0][1].recipe, self._first().features
        counts = [0 if one is None else len(one) for one in self.views]
        return AugmentedRows(
            features=RowsInParts(
                self.files,
                self.name,
                counts,
                rows.shape[1:],
                rows.dtype,
                recipe,
                augmented=True,
            ),
            of=np.concatenate([one.of + start for start, one in some]),
            view=np.concatenate([one.view for _, one in some]),
            recipe=recipe,
        )

    def _first(self) -> Features:
        if self.first is None:  # of which the manifest keeps us
            raise FeatureFileError(f"{self.files.address} has no rows")
        return self.first


def _targets(part: Features) -> NDArray[Any]:
    """As a table of bool, whether or not the part itself has an image of several labels."""
    if part.targets is not None:
        return part.targets
    targets = np.zeros((len(part), len(part.label_names)), bool)
    labelled = np.flatnonzero(part.labels >= 0)
    targets[labelled, part.labels[labelled]] = True
    return targets
