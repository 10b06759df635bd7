"""Writing a feature file block by block, with memory that does not grow."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from penult import __version__
from penult.content_keys import is_among, keys_of
from penult.features import schema
from penult.features.augmented import AugmentedWriter
from penult.features.projections import projections_of, write_projections
from penult.features.rows import create_rows, extend
from penult.features.watched_file import WatchedFile
from penult.recipe import AugmentedRecipe, BackboneRecipe, Recipe
from penult.records import AugmentedRecord, Failure, ImageRecord

__all__ = ["Columns", "FeatureWriter", "storable"]

_TEXT = h5py.string_dtype("utf-8")


@dataclass(frozen=True)
class Columns:
    """What is stored beside the rows, decided by the whole listing before the first row.

    Attributes
    ----------
    label_names : sorted
    several : some image has several labels, so there are targets
    splits, groups : some image has one
    augmented : how many are no photos, but augmented views of them
    """

    label_names: tuple[str, ...]
    several: bool = False
    splits: bool = False
    groups: bool = False
    augmented: int = 0

    @classmethod
    def of(cls, records: Sequence[ImageRecord]) -> Columns:
        """The columns that these records need."""
        names: set[str] = set()
        several = splits = groups = False
        augmented = 0
        for record in records:
            if isinstance(record, AugmentedRecord):  # its photo is there, too
                augmented += 1
                continue
            names.update(record.labels)
            several |= len(record.labels) > 1
            splits |= record.split is not None
            groups |= record.group is not None
        return cls(tuple(sorted(names)), several, splits, groups, augmented)


def storable(text: str) -> str:
    """The text without what HDF5 cannot hold, which a decoder may quote from a damaged file."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", r"\x00")


class FeatureWriter:
    """A feature file in the making; `finish` completes it, `close` or `abandon` lets go of it.

    Parameters
    ----------
    target : path to create, or None to write into memory
    recipes : one a set of rows, in execution order; the last is what ``/features`` shows
    names : of the sets of rows, each another one; the recipes' layers by default
    augmented : how rows of augmented views are made, one a set of rows, where there may be some
    dtype : of the rows on disk
    origin : where the images came from, JSON-like
    trained_on : keys of the images that trained the networks, one array a set of rows, or None
        where that is not known; see `penult.content_keys`
    attributes : of the file, beside its own or in place of them

    Raises
    ------
    ValueError
        If the names or the augmented recipes are not as many, or a name is there twice.
    FileFormatError
        If a recipe has a projection whose arrays are not at hand.
    """

    def __init__(
        self,
        target: Path | None,
        recipes: Sequence[Recipe],
        columns: Columns,
        names: Sequence[str] | None = None,
        *,
        augmented: Sequence[AugmentedRecipe] = (),
        dtype: Literal["float32", "float16"] = "float32",
        origin: Mapping[str, Any] | None = None,
        trained_on: Sequence[NDArray[np.uint64] | None] = (),
        attributes: Mapping[str, str | int] | None = None,
    ) -> None:
        layers = tuple(recipe.layer for recipe in recipes)
        self._names = layers if names is None else tuple(names)
        if len({*self._names}) < len(recipes) or len(self._names) > len(recipes):
            raise ValueError(f"the names {self._names} for {len(recipes)} sets of rows")
        if augmented and len(augmented) != len(recipes):
            raise ValueError(f"{len(augmented)} augmented recipes for {len(recipes)} sets of rows")
        projections = projections_of(recipes)
        self._raw = WatchedFile(target) if target is not None else io.BytesIO()
        self._file = h5py.File(self._raw, "w")
        self._recipes = tuple(recipes)
        self._columns = columns
        self._dtype = np.dtype(dtype)
        self._index = {name: k for k, name in enumerate(columns.label_names)}
        self._rows: list[h5py.Dataset] = []
        self._count = 0
        self._has_names = (
            self._names != layers
            or bool(augmented)
            or not all(isinstance(recipe, BackboneRecipe) for recipe in recipes)
        )
        self._augmented: AugmentedWriter | None = None
        if augmented:
            self._augmented = AugmentedWriter(self._file, self._names, augmented, self._dtype)
        self._file.attrs["format"] = schema.FORMAT if self._has_names else schema.FIRST_FORMAT
        self._file.attrs["penult"] = __version__
        self._file.attrs["recipe"] = recipes[-1].to_json()
        self._file.attrs["origin"] = json.dumps(dict(origin or {}), sort_keys=True)
        own = {"created": datetime.now(UTC).isoformat(timespec="seconds")}
        for name, value in (own | dict(attributes or {})).items():
            self._file.attrs[name] = value
        self._file.create_dataset(
            schema.LABEL_NAMES, data=np.array(columns.label_names, dtype=object), dtype=_TEXT
        )
        self._column(schema.IDS, _TEXT)
        self._column(schema.CONTENT, _TEXT)
        self._column(schema.LABELS, np.int64)
        if columns.several:
            self._column(schema.TARGETS, np.bool_, width=len(columns.label_names))
        if columns.splits:
            self._column(schema.SPLITS, _TEXT)
        if columns.groups:
            self._column(schema.GROUPS, _TEXT)
        self._trained_on = {
            f"{schema.TRAINED}/{schema.link_name(name)}": keys
            for name, keys in zip(self._names, trained_on or [None] * len(recipes), strict=True)
            if keys is not None
        }
        for column in self._trained_on:
            self._column(column, np.bool_)
        write_projections(self._file, projections)

    def _column(self, name: str, dtype: Any, width: int | None = None) -> None:
        tail = () if width is None else (width,)
        self._file.create_dataset(
            name,
            shape=(0, *tail),
            maxshape=(None, *tail),
            dtype=dtype,
            chunks=(1024, *tail),
            fletcher32=dtype is not _TEXT,  # of text, it would know the places alone
        )

    def append(
        self,
        records: Sequence[ImageRecord],
        digests: Sequence[str],
        rows: Sequence[NDArray[np.float32]],
    ) -> None:
        """Add n rows, those of augmented views to the group of such.

        Parameters
        ----------
        records, digests : of length n
        rows : one array (n, …) a recipe
        """
        views = {k: r for k, r in enumerate(records) if isinstance(r, AugmentedRecord)}
        if views:
            if self._augmented is None:
                raise ValueError("rows of augmented views, and no recipe of such")
            self._augmented.append([*views.values()], [block[[*views]] for block in rows])
            self._check()
            photos = [k for k in range(len(records)) if k not in views]
            records, digests = [records[k] for k in photos], [digests[k] for k in photos]
            rows = [block[photos] for block in rows]
        if not records:
            return
        if self._augmented is not None:
            self._augmented.note(records)
        if not self._rows:
            self._rows = [self._rows_dataset(k, block.shape[1:]) for k, block in enumerate(rows)]
        self._count += len(records)
        for dataset, block in zip(self._rows, rows, strict=True):
            extend(dataset, block.astype(self._dtype, copy=False))
        columns: dict[str, Any] = {
            schema.IDS: [record.id for record in records],
            schema.CONTENT: list(digests),
            schema.LABELS: [self._label(record) for record in records],
        }
        if self._columns.several:
            columns[schema.TARGETS] = np.array([self._target(record) for record in records])
        if self._columns.splits:
            columns[schema.SPLITS] = [record.split or "" for record in records]
        if self._columns.groups:
            # A row that belongs to no group stands alone: its id is a group of one.
            columns[schema.GROUPS] = [record.group or record.id for record in records]
        if self._trained_on:
            own = keys_of(digests)
            columns |= {name: is_among(own, keys) for name, keys in self._trained_on.items()}
        for name, values in columns.items():
            extend(self._file[name], values)
        self._check()

    def _rows_dataset(self, k: int, shape: tuple[int, ...]) -> h5py.Dataset:
        name, many = self._names[k], len(self._recipes) > 1
        path = f"{schema.LAYERS}/{schema.link_name(name)}" if many else schema.FEATURES
        dataset = create_rows(self._file, path, shape, self._dtype, self._recipes[k])
        dataset.attrs["position"] = k
        if self._has_names:
            dataset.attrs["name"] = name
        if many and k == len(self._recipes) - 1:
            self._file[schema.FEATURES] = h5py.SoftLink(f"/{path}")
        return dataset

    def _label(self, record: ImageRecord) -> int:
        return self._index[record.labels[0]] if len(record.labels) == 1 else -1

    def _target(self, record: ImageRecord) -> NDArray[np.bool_]:
        target = np.zeros(len(self._index), dtype=bool)
        target[[self._index[label] for label in record.labels]] = True
        return target

    @property
    def count(self) -> int:
        """The number of rows so far, without those of augmented views."""
        return self._count

    def finish(self, failures: Sequence[Failure]) -> None:
        """Add the images that have no row; the file is whole now, and still open.

        Augmented views whose photo is not among the rows are dropped.
        """
        if self._augmented is not None:
            self._augmented.finish()
        kind = np.dtype([("id", _TEXT), ("reason", _TEXT)])
        data = np.array([(storable(f.id), storable(f.reason)) for f in failures], dtype=kind)
        self._file.create_dataset(schema.FAILURES, data=data, dtype=kind)
        self._file.flush()
        self._check()

    def in_memory(self) -> h5py.File:
        """The file, where it was written into memory."""
        return self._file

    def close(self) -> None:
        """Close the file; it is complete if this does not raise.

        Raises
        ------
        OSError
            If something could not be written.
        """
        self._file.close()
        try:
            self._check()
        finally:
            self._raw.close()

    def _check(self) -> None:
        if isinstance(self._raw, WatchedFile):
            self._raw.check()

    def abandon(self) -> None:
        """Close the file as it is, whatever state it is in."""
        with suppress(OSError):
            self.close()
