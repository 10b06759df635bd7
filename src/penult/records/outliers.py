"""How unusual each row of features is, and what is odd about their pictures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from penult.records.failure import Failure
from penult.records.outlier import Outlier
from penult.records.outlier_reference import OutlierReference
from penult.records.outlier_words import (
    REASONS,
    not_compared_line,
    outlier_method,
    pictures_line,
    unusual_line,
)
from penult.records.picture_issue import PictureIssue
from penult.representation import html_table, one_line, short_text
from penult.wording import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Outliers"]

_SHOWN = 30


@dataclass(frozen=True, kw_only=True)
class Outliers:
    """How unusual each row is against a reference, and what is odd about the pictures.

    Iterating gives an `Outlier` for each row: first those that are unusual by both rules, then by
    one, then the others; in each of the three the highest percentile first, of equal ones the
    highest local outlier factor; rows that were not compared are last. What is odd about pictures
    has no part in that order; see `odd`.

    Attributes
    ----------
    ids : sequence of str, length N
        In the order of the features.
    labels : int64 array, shape (N,)
        Indices into `label_names`, -1 where there is no one label.
    label_names : tuple of str
        Sorted.
    reference : {"all", "class", "train"}
        What each row was compared with: all others, the others of its class, or the training part.
    k : int
        How many neighbours of each row counted.
    metric : {"cosine", "euclidean"}
        Of distances: 1 minus the cosine, or Euclidean.
    layer : str
        What the rows are called.
    distances : float64 array, shape (N,)
        Mean distance to the k nearest rows of the reference; NaN where a row was not compared.
    lof : float64 array, shape (N,)
        Local outlier factor (Breunig et al., 2000); NaN where a row was not compared.
    distance_percentiles, lof_percentiles : float64 array, shape (N,)
        How much of the reference has a smaller distance, or factor, in [0, 100]; NaN where a row
        was not compared.
    neighbors : int64 array, shape (N, 3)
        Places of the nearest rows of the reference, the nearest first; -1 for none.
    reasons : sequence of tuple of str, length N
        Why each row is listed; see `Outlier`.
    references : tuple of OutlierReference
        The classes in the order of `label_names`, or the one reference of all rows.
    not_compared : mapping of str to int
        Why rows were not compared, in words, to how many.
    issues : tuple of PictureIssue
        What is odd about pictures, in the order of `REASONS`; those that no picture has are left
        out.
    measures : mapping of str to float64 array, shape (N,)
        What was measured of each picture, NaN where it could not be; empty if none were to be.
        ``dark_score``, ``light_score``, ``blurry_score``, ``low_information_score``,
        ``odd_aspect_ratio_score`` and ``grayscale_score`` are in [0, 1], the lower the more so;
        ``size`` is the square root of the picture's area, in pixels.
    measured : int or None
        How many pictures were measured; None if none were to be.
    failures : tuple of Failure
        Pictures that could not be measured, and why.
    """

    ids: Sequence[str]
    labels: NDArray[np.int64]
    label_names: tuple[str, ...] = ()
    reference: Literal["all", "class", "train"]
    k: int
    metric: Literal["cosine", "euclidean"] = "cosine"
    layer: str
    distances: NDArray[np.float64]
    lof: NDArray[np.float64]
    distance_percentiles: NDArray[np.float64]
    lof_percentiles: NDArray[np.float64]
    neighbors: NDArray[np.int64]
    reasons: Sequence[tuple[str, ...]]
    references: tuple[OutlierReference, ...] = ()
    not_compared: Mapping[str, int] = field(default_factory=dict)
    issues: tuple[PictureIssue, ...] = ()
    measures: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    measured: int | None = None
    failures: tuple[Failure, ...] = ()

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.ids)

    def __iter__(self) -> Iterator[Outlier]:
        """Each row's, the most unusual first."""
        return map(self.at, self.order.tolist())

    def at(self, place: int) -> Outlier:
        """Say how unusual the row at a place of the features is.

        Parameters
        ----------
        place : int
            From 0.

        Returns
        -------
        Outlier
            Its numbers and reasons.
        """
        label = int(self.labels[place])
        near = [one for one in self.neighbors[place].tolist() if one >= 0]
        told = {name: float(values[place]) for name, values in self.measures.items()}
        return Outlier(
            id=str(self.ids[place]),
            percentile=_known(self.percentiles[place]),
            reasons=self.reasons[place],
            label=str(self.label_names[label]) if label >= 0 else None,
            distance=_known(self.distances[place]),
            lof=_known(self.lof[place]),
            distance_percentile=_known(self.distance_percentiles[place]),
            lof_percentile=_known(self.lof_percentiles[place]),
            nearest=tuple(str(self.ids[one]) for one in near),
            values={name: value for name, value in told.items() if not math.isnan(value)},
        )

    @cached_property
    def percentiles(self) -> NDArray[np.float64]:
        """The greater percentile of each row, shape (N,); NaN where it was not compared."""
        import numpy as np

        return np.maximum(self.distance_percentiles, self.lof_percentiles)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Places of all rows, the most unusual first; shape (N,)."""
        import numpy as np

        # Percentiles of small classes are coarse, so that many are equal; factors are not.
        keys = (-self.lof, -self.percentiles, -self._rules)
        return np.lexsort(keys)  # NaN last, equal ones in the order of the features

    @property
    def unusual(self) -> NDArray[np.int64]:
        """Places of the rows that are far from others or local outliers, most unusual first."""
        return self.order[: int((self._rules > 0).sum())]

    @cached_property
    def odd(self) -> NDArray[np.int64]:
        """Places of the pictures that are listed as odd, those that are so in most ways first.

        Then in the order of `issues`, and the worst of each first. What most pictures are does not
        count.
        """
        import numpy as np

        places = {str(one): place for place, one in enumerate(self.ids)}
        listed = [places[one] for issue in self.issues if not issue.common for one in issue.ids]
        ways = Counter(listed)  # keeps the order
        return np.array(sorted(ways, key=lambda place: -ways[place]), np.int64)

    @cached_property
    def _rules(self) -> NDArray[np.int64]:
        """By how many of the two rules each row is unusual."""
        import numpy as np

        told = [("knn_distance" in one) + ("lof" in one) for one in self.reasons]
        return np.array(told, np.int64)

    @property
    def method_line(self) -> str:
        """What rows were compared with, and how, in words."""
        return outlier_method(self)

    @property
    def unusual_line(self) -> str:
        """How many rows are unusual, and by which rule, in words."""
        return unusual_line(self)

    @property
    def pictures_line(self) -> str:
        """How many pictures were measured, and what is odd about some, in words."""
        return pictures_line(self)

    @property
    def not_compared_line(self) -> str:
        """How many rows were not compared, and why, in words; "" where all were."""
        return not_compared_line(self)

    def to_dict(self) -> dict[str, Any]:
        """Write what is known of all rows together as what JSON can hold.

        Returns
        -------
        dict
            Further keys may come. Of each row, `Outlier.to_dict` has what there is.
        """
        return {
            "rows": len(self),
            "reference": self.reference,
            "k": self.k,
            "metric": self.metric,
            "layer": self.layer,
            "unusual": len(self.unusual),
            "not_compared": dict(self.not_compared),
            "measured": self.measured,
            "issues": [one.to_dict() for one in self.issues],
            "failures": [{"id": one.id, "reason": one.reason} for one in self.failures],
        }

    def to_dataframe(self) -> Any:
        """Make a pandas DataFrame, a row for each row of the features, the most unusual first.

        Returns
        -------
        pandas.DataFrame
            ``id``, ``label``, ``reasons`` joined by ``|``, ``percentile``, ``distance``, ``lof``,
            ``distance_percentile`` and ``lof_percentile``; missing where a row was not compared.
            Where pictures were measured, also the columns of `measures`, missing of those that
            could not be.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        from penult.tabular import outliers_to_dataframe

        return outliers_to_dataframe(self)

    def __repr__(self) -> str:
        return one_line("Outliers", self._facts())

    def _repr_html_(self) -> str:
        table = [("image", "percentile", "reasons", "label")]
        listed = [place for place in self.order.tolist() if self.reasons[place]]
        for place in listed[:_SHOWN]:
            one = self.at(place)
            words = ", ".join(REASONS.get(reason, reason) for reason in one.reasons)
            told = "" if one.percentile is None else f"{one.percentile:.1f}"
            table.append((one.id, told, words, one.label or ""))
        return html_table("Outliers", self._facts(), table)

    def _facts(self) -> list[tuple[str, str | None]]:
        told = None if self.measured is None else f"{count(self.measured, 'picture')} measured"
        failed = len(self.failures)
        return [
            ("unusual", f"{len(self.unusual):,} unusual of {count(len(self), 'row')}"),
            ("reference", f"reference {self.reference}"),
            ("k", f"k {self.k}"),
            ("layer", short_text(self.layer)),
            ("metric", self.metric),
            ("pictures", told),
            ("failures", f"{count(failed, 'picture')} not measured" if failed else None),
        ]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
