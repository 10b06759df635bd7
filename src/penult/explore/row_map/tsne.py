"""t-SNE, by openTSNE."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import UsageError
from penult.explore.row_map.repulsion import kl_divergence
from penult.interface import option
from penult.machine import cores
from penult.neighbors.exact import nearest
from penult.progress import announce
from penult.records import Progress
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.progress import Tell

__all__ = ["EXAGGERATION", "choose_perplexity", "tsne"]

EXAGGERATION = 12
"""By how much attraction is multiplied at first (early exaggeration), as van der Maaten (2014)."""

_EARLY, _ITERATIONS = 250, 500
# Of Barnes and Hut's tree, how large a cell may be for its distance. Between 0.2 and 0.8 it makes
# little difference to a map (van der Maaten, 2014, and benchmarks/RESULTS.md), but to the time.
_THETA = 0.65
_PERPLEXITY = 30.0
_TOLD_EVERY = 25  # iterations

# Exact neighbours take time that grows with the square of the rows, and are as fast as Annoy's up
# to here; and they are the same on any number of cores.
_EXACT_ROWS = 100_000
# With fewer rows an iteration takes a millisecond, and threads wait for each other most of it.
_ROWS_FOR_THREADS = 3_000
_ASKED_AT_ONCE = 4_096  # rows whose neighbours are looked for, between two lines of progress
_PLACED_AT_ONCE = 20_000
_PLACED_TO = 25  # nearest rows of the map at whose median a placed row starts
_PLACED_PERPLEXITY = 5


def choose_perplexity(asked: float | None, rows: int) -> float:
    """Check a perplexity, or take 30, or a third of the other rows where those are fewer than 90.

    Parameters
    ----------
    asked : float or None
        The number of neighbours, roughly, that each row is kept near to.
    rows : int
        Rows that the map is fitted on.

    Raises
    ------
    UsageError
        If there are too few rows for it, or for t-SNE.
    """
    if rows < 4:
        raise UsageError(
            f"t-SNE of {count(rows, 'row')} has too few neighbours to keep; give 4 rows or more, "
            f"or {option('method', 'pca')}"
        )
    most = (rows - 1) / 3
    if asked is None:
        return min(_PERPLEXITY, most)
    if not 1 <= asked <= most:
        raise UsageError(
            f"{option('perplexity')} is {asked:g}; allowed for {count(rows, 'row')}: 1 to "
            f"{np.floor(10 * most) / 10:g}, a third of the other rows"
        )
    return asked


def tsne(
    rows: NDArray[np.float32],
    fitted: NDArray[np.bool_],
    *,
    perplexity: float,
    seed: int,
    tell: Tell,
) -> NDArray[np.float32]:
    """Map rows by t-distributed stochastic neighbour embedding (van der Maaten and Hinton, 2008).

    It starts from the first two principal components, scaled to a standard deviation of 0.0001,
    takes 250 iterations with an exaggeration of 12 and 500 without, and a learning rate of a
    twelfth of the rows, then of the rows (Belkina et al., 2019). Neighbours are exact up to 100,000
    rows; repulsion is approximated by Barnes and Hut's tree with a theta of 0.65, or by
    interpolation (Linderman et al., 2019) while the map is small for its rows and that is faster.

    Parameters
    ----------
    rows : float32 array, shape (n, k)
        Their principal components, most variance first.
    fitted : bool array, shape (n,)
        Which are mapped together. Each of the others is then placed alone: at the median of its 25
        nearest of these, and moved for 250 iterations while they stay where they are.
    perplexity : float
        The number of neighbours, roughly, that each is kept near to.
    seed : int
        Of the approximate neighbours, of more rows than 100,000.
    tell : callable
        Told of iterations.

    Returns
    -------
    float32 array, shape (n, 2)
        The same for the same rows on one machine, whatever its number of cores.
    """
    with _sleeping_threads(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from openTSNE import TSNE, initialization
        from openTSNE.affinity import PerplexityBasedNN

    learned = rows[fitted].astype(np.float64)
    n = len(learned)
    threads = cores() if n >= _ROWS_FOR_THREADS else 1
    announce("nearest neighbours", brief=n < 10_000)
    k = min(n - 1, int(3 * perplexity))
    if n <= _EXACT_ROWS:
        neighbors: dict[str, Any] = {"knn_index": _exact(rows[fitted], k, tell)}
    else:
        # One thread: with more, the trees depend on which of them is first.
        neighbors = {"data": learned, "method": "annoy", "k_neighbors": k, "random_state": seed}
    affinities = PerplexityBasedNN(perplexity=perplexity, n_jobs=threads, **neighbors)
    stages = _counted(tell)
    fit = TSNE(
        early_exaggeration=EXAGGERATION,
        early_exaggeration_iter=_EARLY,
        n_iter=_ITERATIONS,
        theta=_THETA,
        n_jobs=threads,
        negative_gradient_method=kl_divergence,
        random_state=seed,
        callbacks=stages,
        callbacks_every_iters=_TOLD_EVERY,
    )
    start = initialization.rescale(learned[:, :2], inplace=False)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = fit.fit(affinities=affinities, initialization=start)
        # As openTSNE does before it places any, so that they stay where they are.
        found -= (np.max(found, axis=0) + np.min(found, axis=0)) / 2
        # Rows that are placed do not widen the map, and openTSNE knows which way is faster.
        found.gradient_descent_params["negative_gradient_method"] = "auto"
        found.gradient_descent_params["callbacks"] = None  # they count the iterations of the map
        result = np.empty((len(rows), 2), np.float32)
        result[fitted] = np.asarray(found)
        others = np.flatnonzero(~fitted)
        for first in range(0, len(others), _PLACED_AT_ONCE):
            some = others[first : first + _PLACED_AT_ONCE]
            result[some] = np.asarray(
                found.transform(rows[some], perplexity=min(_PLACED_PERPLEXITY, k / 3), k=_PLACED_TO)
            )
            done = first + len(some)
            tell(Progress(done, len(others), 0, stage="place other rows", unit="rows"))
    return result


def _counted(tell: Tell) -> Callable[..., None]:
    total, told = _EARLY + _ITERATIONS, 0

    def iterated(iteration: int, error: float, embedding: Any) -> None:
        nonlocal told
        told = min(total, told + _TOLD_EVERY)
        tell(Progress(told, total, 0, stage="t-SNE", unit="iterations"))

    return iterated


def _exact(rows: NDArray[np.float32], k: int, tell: Tell) -> Any:
    """The k nearest other rows, as openTSNE asks for them; and those of rows that are placed."""
    from openTSNE.nearest_neighbors import KNNIndex

    class ExactNeighbors(KNNIndex):  # type: ignore[misc]
        """See `penult.neighbors.exact`."""

        VALID_METRICS = ("euclidean",)

        def build(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
            total = len(self.data)
            places, values = np.empty((total, self.k), np.int64), np.empty((total, self.k))
            for first in range(0, total, _ASKED_AT_ONCE):
                some = np.arange(first, min(first + _ASKED_AT_ONCE, total))
                found = nearest(
                    self.data, self.data[some], self.k, metric="euclidean", leave_out=some
                )
                places[some], values[some] = found.places, found.values
                tell(
                    Progress(
                        first + len(some),
                        total,
                        0,
                        stage="nearest neighbours",
                        unit="rows",
                        brief=total < 10_000,
                    )
                )
            return places, values

        def query(
            self, query: NDArray[np.float32], k: int
        ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
            found = nearest(self.data, query, k, metric="euclidean")
            return found.places, found.values

    return ExactNeighbors(rows, k)


@contextmanager
def _sleeping_threads() -> Iterator[None]:
    """Have OpenMP's threads sleep while they wait for each other, if it is loaded meanwhile.

    By default they spin: where anything else runs, t-SNE of 500 rows takes 32 seconds in place of
    4. The library reads its settings once, when it is loaded.
    """
    name = "OMP_WAIT_POLICY"
    if name in os.environ or "openTSNE" in sys.modules:
        yield
        return
    os.environ[name] = "PASSIVE"
    try:
        yield
    finally:
        os.environ.pop(name, None)
