"""One self-contained HTML page of clusters, with pictures of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from penult.records import Clustering, Features
from penult.reporting.cluster_sections import CLUSTER_SECTIONS, ClustersContent
from penult.reporting.formatting import feature_file_name
from penult.web.page import write_page
from penult.web.pictures import image_opener
from penult.web.thumbnails import Thumbnails

__all__ = ["write_clusters_page"]


def write_clusters_page(
    clustering: Clustering,
    features: Features,
    path: Path,
    *,
    images: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write a page that shows what is in each cluster, the largest first and noise last.

    Its pictures are inside it, and it asks for nothing over the network. Of each of the 60 largest
    clusters it shows the medoid and at most 11 more pictures, of smaller ones a line each, up to a
    thousand; it says how many are left out. A photo that can no longer be read, or is another by
    now, is an empty frame with its id.

    Parameters
    ----------
    clustering : Clustering
        What was found.
    features : Features
        The rows that were clustered, whose images are opened from where they were made.
    path : Path
        Of the page.
    images : path, str or sequence of them, optional
        Where the images are now, if they have moved.
    offline : bool
        Never touch the network for pictures.
    overwrite : bool
        Replace the page if it is there.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
        If it is there, or cannot be written.
    """
    shown = ClustersContent.of(clustering, features, feature_file_name(features))
    return write_page(
        path,
        "penult.reporting",
        CLUSTER_SECTIONS,
        shown,
        Thumbnails(image_opener(features, images, offline=offline, announce=True)),
        overwrite=overwrite,
        template="clusters/page.html",
        folder="clusters",
        script="web/photos.js",
        clustering=clustering,
        title=Path(shown.file).stem,
    )
