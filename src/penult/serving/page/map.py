"""The map of a gallery as the page's canvas takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.records import Neighbors
from penult.web.map.data import map_data

if TYPE_CHECKING:
    from penult.serving.gallery.collection import Collection, Places

__all__ = ["page_map"]


def page_map(collection: Collection, name: str, places: Places) -> dict[str, Any]:
    """Put the map together, with the labels as people have corrected them.

    Neighbours are left out: the page searches for those of a picture that is opened.

    Parameters
    ----------
    collection : Collection
    name : str
        What exported files are named after.
    places : Places
        The collection's, which are there by now.

    Returns
    -------
    dict
        As `penult.web.map.data.map_data` has it; no row has neighbours. Its columns are the label,
        where any row has one, and the cluster, where clusters are known by now.
    """
    gallery, now, rows = collection.gallery, collection.labels.now(), places.rows.tolist()
    columns: dict[str, list[Any]] = {}
    if now.counts:
        columns["label"] = [now.labels[place] for place in rows]
    if collection.clusters.get_or_none() is not None:
        columns["cluster"] = [collection.cluster_of(place) for place in rows]
    none = np.empty((len(rows), 0))
    return map_data(
        name,
        [str(gallery.index.ids[place]) for place in rows],
        places.xy,
        columns,
        Neighbors(places=none.astype(np.int64), values=none, metric=gallery.index.metric),
        joined=["label"] if now.several else [],
    )
