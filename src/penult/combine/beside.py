"""What stands beside rows, taken from features to the file that is made of them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.content_keys import keys_of
from penult.features.write import Columns
from penult.records import AugmentedRecord, ImageRecord
from penult.texts import Texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["Beside", "taken", "trained_keys"]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """The columns of a feature file but its rows; as `Features` has them.

    Attributes
    ----------
    ids : sequence of str, length N
    labels : int64 array, shape (N,)
    label_names : tuple of str
    targets : bool array, shape (N, K), or None
    splits, groups, content : sequence of str, length N, or None
    trained_on : uint64 array or None
        Keys of those whose images trained a network of the rows; see `penult.content_keys`.
    """

    ids: Sequence[str]
    labels: NDArray[np.int64]
    label_names: tuple[str, ...]
    targets: NDArray[np.bool_] | None = None
    splits: Sequence[str] | None = None
    groups: Sequence[str] | None = None
    content: Sequence[str] | None = None
    trained_on: NDArray[np.uint64] | None = None

    @classmethod
    def of(cls, features: Features) -> Beside:
        """Those of some features, as they are."""
        return cls(
            ids=features.ids,
            labels=np.asarray(features.labels),
            label_names=tuple(features.label_names),
            targets=features.targets,
            splits=features.splits,
            groups=features.groups,
            content=features.content,
            trained_on=trained_keys([features]),
        )

    def columns(self, augmented: int = 0) -> Columns:
        """What the writer has to know of them before the first row."""
        return Columns(
            self.label_names,
            several=self.targets is not None,
            splits=self.splits is not None,
            groups=self.groups is not None,
            augmented=augmented,
        )

    def record(self, row: int) -> ImageRecord:
        """One row's, as the writer takes it."""
        if self.targets is not None:
            places = np.flatnonzero(self.targets[row]).tolist()
        else:
            places = [int(self.labels[row])] if self.labels[row] >= 0 else []
        return ImageRecord(
            str(self.ids[row]),
            io.BytesIO,  # it is not opened again
            tuple(self.label_names[k] for k in places),
            (str(self.splits[row]) or None) if self.splits is not None else None,
            str(self.groups[row]) if self.groups is not None else None,
        )

    def view(self, row: int, number: int) -> AugmentedRecord:
        """An augmented view of one row's image."""
        return AugmentedRecord(self.record(row), number)

    def digest(self, row: int) -> str:
        """Of the image's bytes; empty where it is not known."""
        digest = "" if self.content is None else str(self.content[row])
        # Rows that a program made may tell images apart by what it likes.
        return digest if len(digest) in (0, 32) else _digest(digest)


def trained_keys(files: Sequence[Features]) -> NDArray[np.uint64] | None:
    """Make the keys of the images that trained a network of some rows; None where none knows."""
    known = [
        keys_of(str(one.content[k]) for k in np.flatnonzero(one.trained_network).tolist())
        for one in files
        if one.trained_network is not None and one.content is not None
    ]
    return np.unique(np.concatenate(known)) if known else None


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def taken(column: Sequence[str], places: NDArray[np.intp]) -> Texts:
    """Take some texts of a column."""
    texts = Texts()
    for place in places.tolist():
        texts.append(str(column[place]).encode("utf-8", "surrogateescape"))
    return texts
