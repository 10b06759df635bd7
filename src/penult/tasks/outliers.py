"""Outliers of a feature file: a table, a page with the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from penult.checking import checked
from penult.errors import UsageError
from penult.explore.outliers.make import find_outliers
from penult.explore.outliers.references import require_reference
from penult.explore.outliers.table import write_outliers
from penult.explore.tables import require_parquet
from penult.features.read import one_set
from penult.interface import option
from penult.output import check_output
from penult.progress import ShowProgress, following
from penult.records import Features, Outliers
from penult.suffixes import OUTLIERS
from penult.web.pictures import image_opener

__all__ = ["outliers"]


@checked
def outliers(
    features: Features | str | Path,
    output: str | Path | Sequence[str | Path] | None = None,
    *,
    reference: Literal["all", "class", "train"] | None = None,
    k: int | None = None,
    layer: str | None = None,
    metric: Literal["cosine", "euclidean"] = "cosine",
    pictures: bool = True,
    images: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    escape_formulas: bool = False,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Outliers:
    """Find images that are unlike others, and pictures that are too dark, blurred, tiny and so on.

    Each row is compared with a reference by two measures: its mean distance to the k nearest rows,
    and its local outlier factor. Both are told as percentiles of the reference; unusual is what is
    beyond the reference's outer fence. Pictures are decoded and measured as cleanvision does. See
    docs/outliers.md.

    Parameters
    ----------
    features : Features or path
        The feature file, or rows; those of more axes are flattened.
    output : path, or several, optional
        What to write, by suffix: a table of all images (``.csv``, ``.parquet``), or a page with
        pictures (``.html``).
    reference : {"all", "class", "train"}, optional
        What a row is compared with: all others; the others of its class; or the training part,
        whose own rows are compared with the others of it. By default the class, if more than half
        of the rows are in classes large enough for it, and otherwise all.
    k : int, optional
        How many neighbours count; 10 by default, or as many as there are. Of classes with fewer
        others the rows are not compared.
    layer : str, optional
        Which of the file's layers; the last by default.
    metric : {"cosine", "euclidean"}, default="cosine"
        Of distances: 1 minus the cosine, or Euclidean.
    pictures : bool, default=True
        Measure the pictures as well, which takes the time of decoding them. A page shows some
        either way.
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
    Outliers
        Of each row how unusual it is and why; what is odd about pictures; and, as ``failures``,
        the pictures that could not be measured.

    Raises
    ------
    UsageError
        If k is too large for every reference, or there is no such reference.
    UnknownNameError
        If there is no such layer.
    SearchError
        If rows hold NaN or infinite numbers.
    PathNotFoundError, FeatureFileError
        If the features or the images cannot be read.
    OutputExistsError, OutputError
        If something cannot be written.
    """
    several = [] if output is None else [output] if isinstance(output, str | Path) else output
    targets = [Path(one) for one in several]
    inputs = [] if isinstance(features, Features) else [Path(features)]
    for place, target in enumerate(targets):
        if target.absolute() in [other.absolute() for other in targets[:place]]:
            raise UsageError(f"{target.name} is given twice; give each output once")
        check_output(target, overwrite=overwrite, inputs=inputs, output=OUTLIERS)
        if target.suffix.lower() == ".parquet":
            require_parquet()
    pages = [one for one in targets if one.suffix.lower() == ".html"]
    if images is not None and not pictures and not pages:
        raise UsageError(
            f"{option('images', 'FOLDER')} says where pictures are, and none is opened; "
            "leave it out"
        )
    rows = one_set(features, layer)
    require_reference(rows, reference, k)
    with following(progress) as tell:
        open_image = None
        if pictures or pages:
            named = "the page" if pages else "the list of outliers"
            open_image = image_opener(rows, images, offline=offline, announce=True, page=named)
        found = find_outliers(
            rows,
            reference=reference,
            k=k,
            metric=metric,
            open_image=open_image if pictures else None,
            tell=tell,
        )
        for path in targets:
            if path in pages and open_image is not None:
                from penult.reporting.outliers_page import write_outliers_page

                write_outliers_page(found, rows, path, open_image, overwrite=overwrite)
            else:
                write_outliers(found, path, escape_formulas=escape_formulas, overwrite=overwrite)
    return found
