"""The rows of one name, and what is known of each."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penult.errors import UnknownNameError, UsageError
from penult.records.augmented import AugmentedRows
from penult.records.changes import Changes
from penult.records.failure import Failure
from penult.records.rows import Rows
from penult.representation import html_table, one_line, short_text, what_given
from penult.wording import count, times

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe import Recipe

__all__ = ["Features"]


@dataclass(frozen=True, kw_only=True)
class Features:
    """The rows of one layer or recipe, in memory or lazily on disk, each with its id.

    Attributes
    ----------
    features : float32 or float16 array, shape (N, D), (N, C, H, W) or (N, T, D)
        The rows; of a file, an h5py dataset that is read where it is sliced.
    ids : sequence of str, length N
        Paths relative to the source, POSIX separators.
    labels : int64 array, shape (N,)
        Indices into `label_names`, -1 where there is no one label.
    label_names : tuple of str, length K
        Sorted.
    recipe : Recipe
        How the rows were made.
    targets : bool array, shape (N, K), or None
        Which labels each image has; None unless some image has several.
    splits : sequence of str, length N, or None
        "train", "validation", "test" or "".
    groups : sequence of str, length N, or None
        Rows of one group are never split apart.
    content : sequence of str, length N, or None
        Hex BLAKE2b-128 digest of each image's bytes.
    failures : tuple of Failure
        The images that have no row.
    layers : tuple of str
        The names of the rows that the file holds, in execution order; `features` is one of them.
    origin : mapping
        Where the images came from and with which options, JSON-like: ``sources``, ``labels``,
        ``label_pattern``, ``splits``, ``passed_over`` (extension to number of files that are no
        images), ``left_out`` (files that penult wrote), ``split_folders`` (what each top folder
        called train, test and so on was taken for: its ``split``, or None for a class).
    changes : Changes or None
        Of the run that just updated the file; None for any other.
    name : str
        What these rows are called in the file: the layer of the one network, or ``MODEL/LAYER``,
        ``joined``, ``pca256``; by default, the recipe's layer.
    augmented : AugmentedRows or None
        Rows of augmented views of the images, to train with; None where there are none.
    trained_network : bool array, shape (N,), or None
        Which images trained the network that made the rows, or chose among its epochs: scores on
        them are no estimate for new images. None where that is not known, as of all networks but
        those that `penult.finetune` wrote.
    """

    features: Rows
    ids: Sequence[str]
    labels: NDArray[np.int64]
    label_names: tuple[str, ...]
    recipe: Recipe
    targets: NDArray[np.bool_] | None = None
    splits: Sequence[str] | None = None
    groups: Sequence[str] | None = None
    content: Sequence[str] | None = None
    failures: tuple[Failure, ...] = ()
    layers: tuple[str, ...] = ()
    origin: Mapping[str, Any] = field(default_factory=dict)
    changes: Changes | None = None
    name: str = ""
    augmented: AugmentedRows | None = None
    trained_network: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.recipe.layer)

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.ids)

    @property
    def labelled(self) -> int:
        """The number of rows that have a label, or several."""
        has = self.labels >= 0 if self.targets is None else self.targets.any(axis=1)
        return int(has.sum())

    def take(self, rows: Sequence[int] | Sequence[bool] | Sequence[str] | NDArray[Any]) -> Features:
        """Take some of the rows, for example to train on a part of a file's.

        Parameters
        ----------
        rows : sequence of int, of bool or of str, or array
            Which, by their places, by one True or False for each, or by their ids.

        Returns
        -------
        Features
            Those rows, in memory, in the order asked for, and the augmented rows of their images.

        Raises
        ------
        UnknownNameError
            If there is no row of an id.
        UsageError
            If there are fewer rows.
        """
        import numpy as np

        places = self._places(rows)
        unique, order = np.unique(places, return_inverse=True)  # as h5py wants them
        picked = {
            name: None if column is None else [column[k] for k in places]
            for name in ("ids", "splits", "groups", "content")
            for column in (getattr(self, name),)
        }
        return dataclasses.replace(
            self,
            features=self.features[unique][order],
            labels=self.labels[places],
            targets=None if self.targets is None else self.targets[places],
            augmented=None if self.augmented is None else self.augmented.take(places),
            trained_network=(
                None if self.trained_network is None else self.trained_network[places]
            ),
            **picked,  # type: ignore[arg-type]
        )

    def _places(self, rows: Any) -> NDArray[np.intp]:
        import numpy as np

        asked = np.asarray(rows)
        if asked.ndim != 1 or (asked.dtype.kind == "U" and not _all_texts(rows)):
            raise self._no_places(rows)
        if asked.size and all(isinstance(one, str) for one in asked):
            there = {str(one): place for place, one in enumerate(self.ids)}
            for one in asked.flat:
                if one not in there:
                    raise UnknownNameError("id", str(one), there)
            return np.array([there[one] for one in asked.flat], np.intp)
        try:
            places: NDArray[np.intp] = np.arange(len(self))[
                asked if asked.size else asked.astype(np.intp)
            ]
        except IndexError as error:
            raise self._no_places(rows) from error
        return places

    def _no_places(self, rows: Any) -> UsageError:
        return UsageError(
            f"rows is {what_given(rows)}, of {count(len(self), 'row')}; give their places in a "
            "list, counted from 0, one True or False for each, or their ids"
        )

    def __repr__(self) -> str:
        return one_line("Features", self._facts())

    def _repr_html_(self) -> str:
        table = [("class", "images"), *self.images_per_class().items()]
        return html_table("Features", self._facts(), table)

    def to_dataframe(self) -> Any:
        """Make a pandas DataFrame of them; all rows are read into memory.

        Returns
        -------
        pandas.DataFrame, shape (N, 2 + D) or more
            Columns ``id``; ``label``, missing where there is none, several joined by ``|``;
            ``split`` and ``group`` where the features have them; ``f0``, ``f1`` and so on. The
            recipe, as JSON, is in ``attrs["recipe"]``.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        from penult.tabular import to_dataframe

        return to_dataframe(self)

    def _facts(self) -> list[tuple[str, str | None]]:
        shape = times(self.features.shape[1:])
        failed, augmented = len(self.failures), self.augmented
        more = "" if augmented is None else f" and {count(len(augmented), 'augmented row')}"
        return [
            ("rows", f"{count(len(self), 'row')} of {shape} {self.features.dtype}{more}"),
            ("classes", count(len(self.classes_with_rows), "class")),
            ("network", short_text(self.recipe.network)),
            ("layer", short_text(self.name)),
            ("other layers", _others(self.layers, self.name)),
            ("failures", f"{count(failed, 'image')} failed" if failed else None),
        ]

    @property
    def classes_with_rows(self) -> tuple[str, ...]:
        """Those of `label_names` that some row has: of a class, no image may have been readable."""
        return tuple(name for name, images in self.images_per_class().items() if images)

    def images_per_class(self) -> dict[str, int]:
        """Count the rows of each class.

        Returns
        -------
        dict
            Label to number of rows, in the order of `label_names`.
        """
        if self.targets is not None:
            counts = dict(enumerate(self.targets.sum(axis=0).tolist()))
        else:
            counts = Counter(self.labels.tolist())
        return {name: counts.get(k, 0) for k, name in enumerate(self.label_names)}


def _others(layers: tuple[str, ...], this: str) -> str | None:
    others = len([layer for layer in layers if layer != this])
    return f"{count(others, 'other layer')} in the file" if others else None


def _all_texts(rows: Any) -> bool:
    """Whether all are texts: NumPy makes texts of numbers beside some."""
    return all(isinstance(one, str) for one in rows)
