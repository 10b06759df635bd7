"""Rows in clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from penult.records.cluster import Cluster
from penult.records.cluster_count import ClusterCount
from penult.records.clustering_words import (
    CLUSTERING_METHODS,
    choice_line,
    clustering_agreement,
    clustering_method,
    clustering_quality,
)
from penult.records.failure import Failure
from penult.records.label_agreement import LabelAgreement
from penult.representation import html_table, one_line, short_text
from penult.wording import count, ratio

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Clustering"]


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """Rows in clusters, and how good these are.

    Attributes
    ----------
    ids : sequence of str, length N
        In the order of the features.
    assignments : int64 array, shape (N,)
        The number of each row's cluster, from 0 for the largest; -1 is noise.
    distances : float32 array, shape (N,)
        Of each row to the mean of its cluster: 1 minus their cosine, or the Euclidean distance; NaN
        for noise.
    clusters : tuple of Cluster, length K
        By number: the largest first, of equal ones that with the first row.
    method : {"kmeans", "hdbscan", "agglomerative"}
        What made them.
    params : mapping
        The method's, JSON-like: ``seed``, ``min_cluster_size``, ``linkage``.
    metric : {"cosine", "euclidean"}
        Cosine where rows were scaled to length one.
    layer : str
        What the rows are called.
    silhouette : float or None
        Mean silhouette (Rousseeuw, 1987) of rows in clusters, in [-1, 1], by the metric's
        distances; None of fewer than two clusters, or if each row is one.
    silhouette_rows : int
        How many rows that is the mean of: all in clusters, or those of a random sample.
    davies_bouldin : float or None
        Davies-Bouldin index (1979) of all rows in clusters, scaled as the metric says, by Euclidean
        distances; lower is better. None of fewer than two clusters, or if each row is one.
    agreement : LabelAgreement or None
        With the labels; None where there are none.
    curve : tuple of ClusterCount
        The numbers of clusters that were tried, ascending; empty where one was given.
    copied : int
        How many photos were put into the clusters' folders, where they were sorted.
    there_already : int
        How many were in these folders before.
    failures : tuple of Failure
        Photos that could not be sorted into folders, and why.
    """

    ids: Sequence[str]
    assignments: NDArray[np.int64]
    distances: NDArray[np.float32]
    clusters: tuple[Cluster, ...]
    method: Literal["kmeans", "hdbscan", "agglomerative"]
    params: Mapping[str, Any] = field(default_factory=dict)
    metric: Literal["cosine", "euclidean"] = "cosine"
    layer: str
    silhouette: float | None = None
    silhouette_rows: int = 0
    davies_bouldin: float | None = None
    agreement: LabelAgreement | None = None
    curve: tuple[ClusterCount, ...] = ()
    copied: int = 0
    there_already: int = 0
    failures: tuple[Failure, ...] = ()

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.ids)

    @property
    def k(self) -> int:
        """How many clusters there are, without noise."""
        return len(self.clusters)

    @property
    def noise(self) -> int:
        """How many rows are in no cluster."""
        return int((self.assignments < 0).sum())

    @property
    def method_line(self) -> str:
        """How they were made, in words."""
        return clustering_method(self)

    @property
    def quality_line(self) -> str:
        """How far they are apart, in words; "" where there is nothing to measure."""
        return clustering_quality(self)

    @property
    def agreement_line(self) -> str:
        """How far they agree with the labels, in words; "" where there are none."""
        return clustering_agreement(self)

    @property
    def choice_line(self) -> str:
        """How their number was chosen, in words; "" where it was given."""
        return choice_line(self)

    def to_dict(self) -> dict[str, Any]:
        """Write what is known of them as what JSON can hold; not the assignments.

        Returns
        -------
        dict
            What ``penult cluster --json`` prints; further keys may come.
        """
        found = self.agreement
        names = ("nmi", "ari", "purity", "homogeneity", "completeness", "v_measure", "labelled")
        return {
            "k": self.k,
            "silhouette": self.silhouette,
            "davies_bouldin": self.davies_bouldin,
            **{name: None if found is None else getattr(found, name) for name in names},
            "sizes": [one.size for one in self.clusters],
            "noise": self.noise,
            "rows": len(self),
            "method": self.method,
            "params": dict(self.params),
            "metric": self.metric,
            "layer": self.layer,
            "silhouette_rows": self.silhouette_rows,
            "curve": [one.to_dict() for one in self.curve],
            "clusters": [one.to_dict() for one in self.clusters],
            "copied": self.copied,
            "there_already": self.there_already,
            "failures": [{"id": one.id, "reason": one.reason} for one in self.failures],
        }

    def to_dataframe(self) -> Any:
        """Make a pandas DataFrame, a row for each row of the features.

        Returns
        -------
        pandas.DataFrame
            ``id``; ``cluster``, -1 for noise; ``distance`` to the cluster's mean, missing for
            noise.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        from penult.tabular import clustering_to_dataframe

        return clustering_to_dataframe(self)

    def __repr__(self) -> str:
        return one_line("Clustering", self._facts())

    def _repr_html_(self) -> str:
        table = [("cluster", "rows", "label of most", "medoid")]
        table += [(f"{one.number}", f"{one.size:,}", one.name, one.medoid) for one in self.clusters]
        return html_table("Clustering", self._facts(), table)

    def _facts(self) -> list[tuple[str, str | None]]:
        found, score = self.agreement, self.silhouette
        return [
            ("clusters", count(self.k, "cluster")),
            ("rows", f"of {count(len(self), 'row')}"),
            ("noise", f"{self.noise:,} of them noise" if self.noise else None),
            ("method", CLUSTERING_METHODS[self.method]),
            ("layer", short_text(self.layer)),
            ("metric", self.metric),
            ("silhouette", None if score is None else f"silhouette {ratio(score, 3)}"),
            ("nmi", None if found is None else f"NMI {ratio(found.nmi)}"),
            ("ari", None if found is None else f"ARI {ratio(found.ari)}"),
        ]
