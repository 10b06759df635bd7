"""Clusters of the rows of a feature file: a table, a page, a folder for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from penult.checking import checked
from penult.errors import UsageError
from penult.explore.clustering.make import make_clusters, require_clustering
from penult.explore.clustering.table import write_assignments
from penult.features.read import one_set
from penult.interface import option
from penult.output import check_output
from penult.progress import ShowProgress, following
from penult.records import Clustering, Features
from penult.suffixes import CLUSTER_TABLE, CLUSTERS
from penult.tasks.cluster_folders import ClusterFolders

__all__ = ["cluster"]


@checked
def cluster(
    features: Features | str | Path,
    output: str | Path | Sequence[str | Path] | None = None,
    *,
    csv: str | Path | None = None,
    method: Literal["kmeans", "hdbscan", "agglomerative"] = "kmeans",
    k: int | str | Sequence[int] | None = None,
    min_cluster_size: int | None = None,
    layer: str | None = None,
    metric: Literal["cosine", "euclidean"] = "cosine",
    seed: int = 0,
    sort_into: str | Path | None = None,
    copy_mode: Literal["copy", "hardlink", "symlink"] = "copy",
    images: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    escape_formulas: bool = False,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Clustering:
    """Put images that look alike to the network together, without looking at labels.

    Rows are scaled to length one, unless the metric is Euclidean, and turned onto their first 50
    principal components, which the methods see. Clusters are numbered by size, from 0 for the
    largest; -1 is noise. Labels, where there are some, name clusters and score them. See
    docs/cluster.md.

    Parameters
    ----------
    features : Features or path
        The feature file, or rows; those of more axes are flattened.
    output : path, or several, optional
        What to write, by suffix: a table of the columns ``id`` and ``cluster`` (``.csv``), or a
        page with the pictures of each cluster (``.html``).
    csv : path, optional
        The table again, for scripts.
    method : {"kmeans", "hdbscan", "agglomerative"}, default="kmeans"
        k-means takes any number of rows. HDBSCAN finds how many clusters there are, and leaves rows
        out as noise; of 50,000 rows at most. Agglomerative clustering (Ward) takes 10,000.
    k : int, str or sequence of int, optional
        How many clusters, or both ends of a range, ``(2, 30)`` or ``"2:30"``, of which that of the
        highest silhouette is chosen; these by default, or as far as there are rows. Not of HDBSCAN.
    min_cluster_size : int, optional
        Of HDBSCAN: how many rows the smallest cluster has; 5 by default.
    layer : str, optional
        Which of the file's layers; the last by default.
    metric : {"cosine", "euclidean"}, default="cosine"
        Cosine scales rows to length one first.
    seed : int, default=0
        Of the beginnings of k-means; the others need no chance.
    sort_into : path, optional
        A folder in which to make one for each cluster, with the photos. None is overwritten.
    copy_mode : {"copy", "hardlink", "symlink"}, default="copy"
        How the photos get there.
    images : path, str or sequence of them, optional
        Where the images are now, if they have moved.
    offline : bool, default=False
        Never touch the network, where images are at an address.
    escape_formulas : bool, default=False
        In CSV, put an apostrophe before ids that a spreadsheet would run as a formula.
    overwrite : bool, default=False
        Replace what is written if it exists.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    Clustering
        The cluster of each row, the clusters, and how good they are.

    Raises
    ------
    UsageError
        If options do not go together, or there are fewer rows than clusters, or too many for the
        method.
    UnknownNameError
        If there is no such layer or method.
    TrainingError
        If all rows are the same, or hold NaN or infinite numbers.
    PathNotFoundError, FeatureFileError
        If the features or the images cannot be read.
    OutputExistsError, OutputError
        If something cannot be written. Where `sort_into` has the photos in other clusters, the
        other outputs are written all the same, and the error's ``clustering`` is what was found.
    """
    targets = _targets(output, csv)
    inputs = [] if isinstance(features, Features) else [Path(features)]
    for target in targets:
        check_output(target, overwrite=overwrite, inputs=inputs, output=CLUSTERS)
    if csv is not None:
        check_output(
            Path(csv), overwrite=overwrite, inputs=inputs, output=CLUSTER_TABLE, name="csv"
        )
    if copy_mode != "copy" and sort_into is None:
        raise UsageError(
            f"{option('copy_mode', copy_mode)} is about photos that are sorted; give "
            f"{option('sort_into', 'DIR')}"
        )
    clustered = one_set(features, layer)
    require_clustering(
        method, rows=len(clustered), k=k, min_cluster_size=min_cluster_size, seed=seed
    )
    with following(progress) as tell:
        folders = None
        if sort_into is not None:
            folders = ClusterFolders(
                clustered, Path(sort_into), mode=copy_mode, images=images, offline=offline
            )
        found = make_clusters(
            clustered,
            method=method,
            k=k,
            min_cluster_size=min_cluster_size,
            metric=metric,
            seed=seed,
            tell=tell,
        )
        tables = [one for one in targets if one.suffix.lower() == ".csv"]
        for path in [*tables, *([] if csv is None else [Path(csv)])]:
            write_assignments(found, path, escape_formulas=escape_formulas, overwrite=overwrite)
        for path in targets:
            if path not in tables:
                from penult.reporting.clusters_page import write_clusters_page

                write_clusters_page(
                    found, clustered, path, images=images, offline=offline, overwrite=overwrite
                )
        if folders is not None:
            copied, there, failures = folders.fill(found, tell)
            found = replace(found, copied=copied, there_already=there, failures=failures)
    return found


def _targets(
    output: str | Path | Sequence[str | Path] | None, csv: str | Path | None
) -> list[Path]:
    several = [] if output is None else [output] if isinstance(output, str | Path) else output
    targets = [Path(one) for one in several]
    every = [one.absolute() for one in [*targets, *([] if csv is None else [Path(csv)])]]
    for k, one in enumerate(every):
        if one in every[:k]:
            raise UsageError(f"{one.name} is given twice; give each output once")
    return targets
