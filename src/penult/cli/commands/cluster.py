"""``penult cluster``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from penult.cli import options as o
from penult.cli.console import Table, next_command, note, say, say_json, say_path, say_some, warn
from penult.wording import count, put_there

if TYPE_CHECKING:
    from penult.records import Clustering

_SHOWN = 30  # clusters


def run(
    features: Annotated[Path, typer.Argument(help="Feature file.")],
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="What to write, by suffix: a table of id and cluster (.csv), or a page with the "
            "pictures of each cluster (.html); may be given several times.",
            show_default=False,
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="The table again, for scripts."),
    ] = None,
    method: Annotated[
        Literal["kmeans", "hdbscan", "agglomerative"],
        typer.Option(
            help="k-means takes any number of rows; HDBSCAN finds how many clusters there are, and "
            "leaves out noise; agglomerative is Ward's tree, of 10,000 rows at most."
        ),
    ] = "kmeans",
    k: Annotated[
        str | None,
        typer.Option(
            "-k",
            "--k",
            metavar="N",
            help="How many clusters, 10; or from how many to how many to try, 2:30, of which the "
            "number with the highest silhouette is kept.",
            show_default="2:30",
        ),
    ] = None,
    min_cluster_size: Annotated[
        int | None,
        typer.Option(help="Of HDBSCAN: rows of the smallest cluster.", show_default="5"),
    ] = None,
    layer: o.OneLayer = None,
    metric: Annotated[
        Literal["cosine", "euclidean"],
        typer.Option(help="By which rows are near; cosine scales them to length one first."),
    ] = "cosine",
    seed: Annotated[int, typer.Option(help="Of the beginnings of k-means.")] = 0,
    sort_into: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Put the photos into a folder for each cluster, in this folder; none is "
            "overwritten.",
            show_default=False,
        ),
    ] = None,
    copy_mode: Annotated[
        Literal["copy", "hardlink", "symlink"],
        typer.Option(help="With --sort-into: copy the photos, or link to them."),
    ] = "copy",
    images: o.MovedImages = None,
    offline: o.PicturesOffline = False,
    escape_formulas: o.EscapeFormulas = False,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Put images that look alike to the network together, without labels.

    Labels, where there are some, name the clusters and score them.

    Examples
    --------
    # How many clusters there are is chosen; a page shows what is in each.
    penult cluster rows.h5 -o clusters.html
    # Twelve, as a table: id, cluster.
    penult cluster rows.h5 -k 12 -o clusters.csv
    # Photos in a folder for each cluster, as links.
    penult cluster rows.h5 -k 2:20 --sort-into sorted --copy-mode symlink
    """
    from penult.tasks.cluster_folders import OtherClustersError
    from penult.tasks.clusters import cluster

    try:
        found = cluster(
            features,
            output,
            csv=csv,
            method=method,
            k=k,
            min_cluster_size=min_cluster_size,
            layer=layer,
            metric=metric,
            seed=seed,
            sort_into=sort_into,
            copy_mode=copy_mode,
            images=images,
            offline=offline,
            escape_formulas=escape_formulas,
            overwrite=overwrite,
            progress=not quiet,
        )
    except OtherClustersError as error:
        if not as_json and error.clustering is not None:
            _show(error.clustering)
        raise
    written = [*(output or []), *([] if csv is None else [csv])]
    if as_json:
        say_json({"outputs": [str(one) for one in written], **found.to_dict()})
    else:
        _show(found)
        for path in written:
            say_path(path)
        if sort_into is not None:
            new = count(found.copied, "photo")
            told = [f"{new} put into the folders of their clusters"] * bool(found.copied)
            say(f"{sort_into}: {put_there(told, found.there_already)}")
    if found.failures:
        warn(f"{count(len(found.failures), 'photo')} could not be sorted:")
        say_some([f"  {one.line}" for one in found.failures], to=note)
        raise typer.Exit(1)
    if not as_json and not written and sort_into is None:
        of = ["-k", found.k] if method != "hdbscan" else ["--method", method]
        if method == "agglomerative":
            of += ["--method", method]
        next_command("cluster", features, "-o", "clusters.html", *of, quiet=quiet)


def _show(found: Clustering) -> None:
    named = any(one.label is not None for one in found.clusters)
    table = Table(("cluster", "images", *["label of most"] * named, "medoid"), right=("images",))
    for one in found.clusters[:_SHOWN]:
        table.add_row(f"{one.number}", f"{one.size:,}", *[one.name] * named, one.medoid)
    table.show()
    if found.k > _SHOWN:
        say(f"and {count(found.k - _SHOWN, 'more cluster', 'more clusters')}")
    for line in (
        found.method_line,
        found.choice_line,
        found.quality_line,
        found.agreement_line,
    ):
        if line:
            say(line)
