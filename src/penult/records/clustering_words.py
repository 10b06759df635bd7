"""What is said of a clustering: on its page and at the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.wording import count, percent, ratio

if TYPE_CHECKING:
    from penult.records.clustering import Clustering

__all__ = [
    "CLUSTERING_METHODS",
    "choice_line",
    "clustering_agreement",
    "clustering_method",
    "clustering_quality",
]

CLUSTERING_METHODS = {
    "kmeans": "k-means",
    "hdbscan": "HDBSCAN",
    "agglomerative": "agglomerative clustering",
}
"""What the methods are called in the literature."""


def clustering_method(clustering: Clustering) -> str:
    """Say how clusters were made, in a line.

    Returns
    -------
    str
        ``12 clusters of 1,360 rows by k-means, layer penultimate, cosine, seed 0``
    """
    told = [
        f"{count(clustering.k, 'cluster')} of {count(len(clustering), 'row')} by "
        f"{CLUSTERING_METHODS[clustering.method]}",
        f"layer {clustering.layer}",
        clustering.metric,
        *(f"{name.replace('_', ' ')} {value}" for name, value in clustering.params.items()),
    ]
    return ", ".join(told)


def clustering_quality(clustering: Clustering) -> str:
    """Say how far clusters are apart, in a line; "" where there is nothing to measure.

    Returns
    -------
    str
        ``silhouette 0.151 (cosine), Davies-Bouldin 2.14, 12 rows (0.9%) are noise``
    """
    told = []
    if clustering.silhouette is not None:
        some = clustering.silhouette_rows
        of = "" if some == len(clustering) - clustering.noise else f", of {count(some, 'row')}"
        told.append(f"silhouette {ratio(clustering.silhouette, 3)} ({clustering.metric}{of})")
    if clustering.davies_bouldin is not None:
        told.append(f"Davies-Bouldin {clustering.davies_bouldin:.2f}")
    if noise := clustering.noise:
        are = "is" if noise == 1 else "are"
        told.append(f"{count(noise, 'row')} ({percent(noise / len(clustering))}) {are} noise")
    return ", ".join(told)


def clustering_agreement(clustering: Clustering) -> str:
    """Say how far clusters agree with labels, in a line; "" where there are none.

    Returns
    -------
    str
        ``against the labels: NMI 0.78, ARI 0.66, purity 81.2%, homogeneity 0.78, completeness
        0.79``
    """
    if (found := clustering.agreement) is None:
        return ""
    of = "" if found.labelled == len(clustering) else f" of {count(found.labelled, 'row')}"
    return (
        f"against the labels{of}: NMI {ratio(found.nmi)}, ARI {ratio(found.ari)}, purity "
        f"{percent(found.purity)}, homogeneity {ratio(found.homogeneity)}, completeness "
        f"{ratio(found.completeness)}"
    )


def choice_line(clustering: Clustering) -> str:
    """Say how the number of clusters was chosen, in a line; "" where it was given, or found.

    Returns
    -------
    str
        ``number of clusters chosen from 2 to 30 by the highest silhouette: 17 (0.151), then 22
        (0.149)``
    """
    curve = [one for one in clustering.curve if one.silhouette is not None]
    if not curve:
        return ""
    best = sorted(curve, key=lambda one: (-(one.silhouette or 0), one.k))[:2]
    first, *others = [f"{one.k} ({ratio(one.silhouette or 0, 3)})" for one in best]
    then = "".join(f", then {one}" for one in others)
    least, most = clustering.curve[0].k, clustering.curve[-1].k
    if most == best[0].k > least and most < len(clustering) - 1:
        then += "; it is the highest number that was tried, and more may be better"
    return (
        f"number of clusters chosen from {least} to {most} by the highest silhouette: {first}{then}"
    )
