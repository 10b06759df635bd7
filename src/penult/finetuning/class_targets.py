"""What scikit-learn calls y, for classes: a label an image, or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import UsageError
from penult.images.sources.given_table import is_frame, is_missing
from penult.representation import what_given
from penult.texts import composed

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ClassTargets"]

_MIXED = "y mixes labels of several types; give texts alone"


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassTargets:
    """The classes of images, as a program gave them and as penult has them.

    Attributes
    ----------
    classes : array, shape (K,)
        As they were given, sorted; of an indicator matrix, the names of its columns, or else 0 to
        K - 1.
    labels : int64 array, shape (N,)
        Indices into `classes`; -1 where an image may have several labels.
    targets : bool array, shape (N, K), or None
        Which labels each image has, where it may have several.
    """

    classes: NDArray[Any]
    labels: NDArray[np.int64]
    targets: NDArray[np.bool_] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, as texts."""
        return tuple(composed(str(one)) for one in self.classes.tolist())

    def __len__(self) -> int:
        """The number of images."""
        return len(self.labels)

    @classmethod
    def of(cls, y: Any) -> ClassTargets:
        """Take what `fit` was given.

        Parameters
        ----------
        y : array-like
            A label an image, of any one type; or several, as an indicator matrix (N, K) of 0 and 1,
            perhaps sparse or a DataFrame with named columns, or as a list of the labels of each.
            Lists of one length that hold nothing but 0 and 1 are such a matrix.

        Raises
        ------
        UsageError, ValueError
            If it is anything else.
        """
        from sklearn.utils.multiclass import check_classification_targets, type_of_target
        from sklearn.utils.validation import assert_all_finite, column_or_1d

        if y is None:
            raise UsageError(
                "fine-tuning requires y to be passed, but the target y is None; give the label of "
                "each image"
            )
        if _are_lists(y):
            return cls._of_lists(y)
        columns = list(y.columns) if is_frame(y) else None
        values = _as_array(y)
        _require_no_gap(values)
        assert_all_finite(values, input_name="y")
        # Before what sorts them.
        if values.dtype == object and len({isinstance(one, str) for one in values.flat}) > 1:
            raise UsageError(_MIXED)
        kind = type_of_target(values, input_name="y")
        if kind == "multilabel-indicator":
            targets = values.astype(bool)
            classes = np.arange(targets.shape[1]) if columns is None else np.array(columns)
            return cls._named(classes, np.full(len(targets), -1, np.int64), targets)
        check_classification_targets(values)
        if values.ndim == 2 and values.shape[1] > 1:
            raise UsageError(
                f"y is {what_given(y)}, several columns of classes; give one label an image, or an "
                "indicator matrix of 0 and 1"
            )
        classes, labels = np.unique(column_or_1d(values, warn=True), return_inverse=True)
        return cls._named(classes, labels.astype(np.int64), None)

    @classmethod
    def _of_lists(cls, y: Any) -> ClassTargets:
        from sklearn.preprocessing import MultiLabelBinarizer

        for place, labels in enumerate(y):
            if not _is_list(labels):
                raise UsageError(
                    f"y has lists of labels, and its element {place} is {what_given(labels)}; give "
                    "a list for each image, of one label or several"
                )
            _require_no_gap(np.array([*labels, None], object)[:-1], of=place)
        binarizer = MultiLabelBinarizer()
        try:
            targets = binarizer.fit_transform(y).astype(bool)
        except TypeError:
            raise UsageError(_MIXED) from None
        return cls._named(binarizer.classes_, np.full(len(targets), -1, np.int64), targets)

    @classmethod
    def _named(
        cls,
        classes: NDArray[Any],
        labels: NDArray[np.int64],
        targets: NDArray[np.bool_] | None,
    ) -> ClassTargets:
        found = cls(classes=classes, labels=labels, targets=targets)
        names = found.names
        if "" in names:
            raise UsageError("y has an empty label; give each class a name")
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise UsageError(f"y has several classes that are written {twice!r}; name them apart")
        return found

    def encoded(self, y: Any) -> NDArray[Any]:
        """Write another y as `predict` writes its result, to be compared with it.

        Parameters
        ----------
        y : array-like
            As for `of`.

        Returns
        -------
        array, shape (M,), or int64 array, shape (M, K)
        """
        if self.targets is None or not _are_lists(y):
            return _as_array(y)
        known = {one: place for place, one in enumerate(self.classes.tolist())}
        found = np.zeros((len(y), len(known)), np.int64)
        for place, labels in enumerate(y):
            for label in labels:
                if label not in known:
                    raise UsageError(f"the label {label!r} is none of those that fit was given")
                found[place, known[label]] = 1
        return found


def _are_lists(y: Any) -> bool:
    if isinstance(y, np.ndarray):
        return y.dtype == object and y.ndim == 1 and len(y) > 0 and _is_list(y[0])
    if is_frame(y) or not (isinstance(y, Sequence) or hasattr(y, "iloc")) or not len(y):
        return False
    return _is_list(next(iter(y))) and not _is_indicator(y)


def _is_indicator(y: Any) -> bool:
    """Whether lists are the rows of an indicator matrix, and not of labels."""
    lengths = {len(one) if isinstance(one, list | tuple) else 0 for one in y}
    if len(lengths) > 1 or min(lengths) < 2:
        return False
    return all(isinstance(label, Integral) and label in (0, 1) for one in y for label in one)


def _as_array(y: Any) -> NDArray[Any]:
    return np.asarray(y.toarray() if hasattr(y, "toarray") else y)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | set | frozenset)


def _require_no_gap(values: NDArray[Any], of: int | None = None) -> None:
    """Refuse None and NaN among objects; scikit-learn finds what is wrong with numbers."""
    if values.dtype != object:
        return
    for place, one in enumerate(values.ravel().tolist()):
        if is_missing(one):
            where = place if of is None else of
            raise UsageError(f"y[{where}] is {one}; give each image a label")
