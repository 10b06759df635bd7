"""A summary of rows: they are read a block at a time, and a bounded part is compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.arguments import require_seed
from penult.errors import UsageError
from penult.explore.summary.compared_rows import copies_of, nearest_others, read_compared
from penult.explore.summary.distances import measure_distances
from penult.explore.summary.hubness import measure_hubness
from penult.explore.summary.intrinsic import neighbor_distances, two_nn
from penult.explore.summary.moments import Moments
from penult.explore.summary.spectrum import by_rows, of_covariance, of_rows
from penult.interface import option
from penult.neighbors.distinct import DistinctRows
from penult.neighbors.lengths import block_lengths
from penult.partition.rows import read_blocks, read_rows, row_length
from penult.progress import announce
from penult.records import Progress, Summary
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.progress import Tell
    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["NEIGHBORS", "make_summary", "require_sample"]

NEIGHBORS = 10
"""Of hubness, as most of its literature has it."""

_LEAST = 20  # rows of a sample


def require_sample(sample: int, seed: int) -> None:
    """Refuse a sample that says nothing, before anything is read.

    Raises
    ------
    UsageError
    """
    if sample < _LEAST:
        raise UsageError(f"{option('sample')} is {sample:,}; give {_LEAST} or more")
    require_seed(seed)


def make_summary(
    features: Features, *, metric: Metric, sample: int, seed: int, tell: Tell
) -> Summary:
    """Summarise rows, which are read twice, or three times where they are sampled.

    Parameters
    ----------
    features : Features
    metric : {"cosine", "euclidean"}
        Of neighbours and distances.
    sample : int
        Rows among which these are measured, at most.
    seed : int
        Of that sample, and of the smaller ones in it.
    tell : callable
        Told of rows that were read.

    Raises
    ------
    UsageError
        If there are fewer than two rows, or rows of no numbers.
    TrainingError
        If rows hold numbers that are not finite; names the ids.
    """
    n, width = len(features), row_length(features)
    if n < 2 or not width:
        raise UsageError(
            f"a summary of {count(n, 'row')} of {count(width, 'number')} says nothing; give "
            "features of two images or more"
        )
    moments = Moments(n, width)

    def blocks() -> Iterator[NDArray[np.float32]]:
        for part, block in read_blocks(features, np.arange(n)):
            moments.add(block)
            yield block
            tell(Progress(part.stop, n, 0, stage="rows", unit="rows", brief=n < 100_000))

    few = by_rows(n, width)
    if few is None:
        spectrum = of_covariance(blocks(), n, width)
    else:
        for _ in blocks():
            pass
        announce("eigenvalues", brief=True)
        chosen = np.sort(np.random.default_rng(seed).choice(n, few, replace=False))
        spectrum = of_rows(read_rows(features, chosen))
    announce("copies", brief=n < 100_000)
    distinct = DistinctRows.of(features.features, features.ids)
    compared = read_compared(features, distinct, metric, sample, seed)
    announce("distances", brief=True)
    return Summary(
        layer=features.name,
        metric=metric,
        rows=n,
        dimensions=moments.dimensions(),
        norms=moments.norms(features.ids),
        copies=copies_of(features, distinct),
        spectrum=spectrum,
        compared=len(compared.rows),
        comparable=compared.of,
        distances=measure_distances(features, compared.places, compared.rows, metric, seed),
        **_by_neighbors(features, compared.places, compared.rows, metric, tell),
    )


def _by_neighbors(
    features: Features,
    places: NDArray[np.int64],
    rows: NDArray[np.float32],
    metric: Metric,
    tell: Tell,
) -> dict[str, Any]:
    """Measure what neighbours say, as fields of a summary; nothing of fewer than four rows."""
    k = min(NEIGHBORS, (len(rows) - 1) // 2)
    if len(rows) < 4:
        return {}
    near = nearest_others(rows, k, metric, tell)
    lengths = 1.0 if metric == "cosine" else block_lengths(rows)
    return {
        "intrinsic_dimension": two_nn(
            near.places, neighbor_distances(near.values, metric), lengths
        ),
        "hubness": measure_hubness(near.places, [str(features.ids[p]) for p in places.tolist()]),
    }
