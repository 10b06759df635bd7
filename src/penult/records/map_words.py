"""What is said of a row map: under its figure, on its page and at the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.wording import count, percent, ratio

if TYPE_CHECKING:
    from penult.records.row_map import RowMap

__all__ = ["METHOD_NAMES", "map_caution", "map_method", "map_quality"]

METHOD_NAMES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP", "given": "Given coordinates"}
"""What the methods are called in the literature."""


def map_method(row_map: RowMap) -> str:
    """Say how a map was made, in a line.

    Returns
    -------
    str
        ``UMAP of 1,360 rows, layer penultimate, cosine, neighbors 15, seed 0``
    """
    total, on_it = row_map.total, len(row_map)
    rows = count(total, "row") if on_it == total else f"{on_it:,} of {count(total, 'row')}"
    told = [f"{METHOD_NAMES[row_map.method]} of {rows}", f"layer {row_map.layer}", row_map.metric]
    for name, value in row_map.params.items():
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        told.append(f"{name.replace('_', ' ')} {shown}")
    if row_map.placed_rows:
        fitted = on_it - row_map.placed_rows
        told.append(f"fitted on {row_map.fit_on} ({fitted:,}), the others placed on it")
    return ", ".join(told)


def map_quality(row_map: RowMap) -> str:
    """Say how good a map is, in a line; "" where there are too few rows to say.

    Returns
    -------
    str
        ``62.1% of each row's 10 nearest neighbours kept (chance: 0.7%), trustworthiness 0.98``
    """
    told = []
    if row_map.explained_variance is not None:
        x, y = row_map.explained_variance
        told.append(
            f"{percent(x + y)} of the variance shown ({percent(x)} across, {percent(y)} up)"
        )
    if (quality := row_map.quality) is not None:
        nearest = (
            "nearest neighbour"
            if quality.neighbors == 1
            else f"{quality.neighbors} nearest neighbours"
        )
        told.append(
            f"{percent(quality.kept)} of each row's {nearest} kept "
            f"(chance: {percent(quality.chance)})"
        )
        sample = (
            "" if quality.compared == len(row_map) else f" among {count(quality.compared, 'row')}"
        )
        told.append(f"trustworthiness {ratio(quality.trustworthiness, 3)}{sample}")
    return ", ".join(told)


def map_caution(row_map: RowMap) -> str:
    """Say what must not be read out of a map; "" where there is nothing to say."""
    if row_map.method == "pca":
        return "Groups that overlap here may be apart in the other dimensions."
    whose = "" if row_map.method != "given" else "If made by t-SNE or UMAP: "
    first = "distances" if whose else "Distances"
    return (
        f"{whose}{first} between far groups, and sizes of groups, mean nothing; only who is near "
        "whom does."
    )
