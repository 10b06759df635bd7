"""Principal components of rows: what maps and clusters start from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import TrainingError, UsageError
from penult.interface import option
from penult.neighbors.unit import unit_rows
from penult.partition.rows import read_blocks, row_length
from penult.records import Progress
from penult.reduction import fit_projection
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.explore.part import MapRows
    from penult.progress import Tell
    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["COMPONENTS", "Components", "find_components"]

COMPONENTS = 50
"""From how many principal components t-SNE and UMAP start, as van der Maaten and Hinton (2008)."""


@dataclass(frozen=True)
class Components:
    """Rows by their principal components.

    Attributes
    ----------
    rows : float32 array, shape (n, k)
        k is `COMPONENTS`, or less where the rows vary in fewer directions; 2 at least, of which the
        last may be zero.
    explained : pair of float
        The first two's shares of the variance of the rows that they were fitted on.
    """

    rows: NDArray[np.float32]
    explained: tuple[float, float]


def find_components(
    features: Features, rows: MapRows, metric: Metric, components: int, tell: Tell
) -> Components:
    """Fit principal components on some rows and turn all of them onto these.

    Rows are read block by block, twice, so that they may exceed the memory.

    Parameters
    ----------
    features : Features
        Rows of any shape; they are flattened.
    rows : MapRows
        Which of them, and on which to fit.
    metric : {"cosine", "euclidean"}
        For cosine, rows are scaled to length one first: the Euclidean distance of such rows orders
        them as their cosine does.
    components : int
        How many, at most.
    tell : callable
        Told of rows that were read.

    Raises
    ------
    UsageError
        If it would be fitted on fewer than two rows.
    TrainingError
        If all rows are the same, or hold numbers that are not finite.
    """
    width, fit_rows = row_length(features), rows.shown[rows.fitted]
    if len(fit_rows) < 2:
        raise UsageError(
            f"a map of {count(len(fit_rows), 'row')} says nothing; give features of more images, "
            f"or leave out {option('fit_on')} and {option('sample')}"
        )

    def blocks(
        chosen: NDArray[np.int64], stage: str
    ) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        for part, block in read_blocks(features, chosen):
            yield part, unit_rows(block) if metric == "cosine" else block
            tell(Progress(part.stop, len(chosen), 0, stage=stage, unit="rows", brief=True))

    try:
        projection = fit_projection(
            lambda: (block for _, block in blocks(fit_rows, "principal components")),
            len(fit_rows),
            width,
            min(components, width, len(fit_rows) - 1),
            fewer=True,
        )
    except TrainingError as error:
        if "are the same" in str(error) and metric == "cosine":
            raise TrainingError(
                f"{error}, once they are scaled to length one; give {option('metric', 'euclidean')}"
                " if they differ in length"
            ) from error
        raise
    found = len(projection.explained_variance)
    turned = np.zeros((len(rows.shown), max(2, found)), np.float32)
    for part, block in blocks(rows.shown, "project"):
        turned[part, :found] = projection.apply(block)
    shares = projection.explained_variance[:2].astype(float) / projection.total_variance
    x, y = [*shares.tolist(), 0.0][:2]
    return Components(turned, (x, y))
