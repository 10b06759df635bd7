"""Which kind of index suits some rows, and the structure built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import UsageError
from penult.interface import option
from penult.machine import free_memory
from penult.neighbors.blocks import row_length
from penult.neighbors.glued_rows import GluedRows, Piece, row_blocks
from penult.records import Progress
from penult.retrieve.structures.hnsw import LINKS, Hnsw
from penult.retrieve.structures.ivfpq import LEAST_ROWS, IvfPq, training_rows
from penult.retrieve.structures.library import has_faiss, require_faiss
from penult.retrieve.structures.space import SAMPLE, fit_space
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.progress import Tell
    from penult.records import Rows
    from penult.records.neighbors import Metric
    from penult.retrieve.index_file.parts import Kind
    from penult.retrieve.structures.base import Structure

__all__ = ["build_structure", "choose_kind", "extended"]

_QUICK = 1 << 26
"""Numbers that exact search goes through in about ten milliseconds, from memory."""

_SAMPLE_BYTES = 256 << 20


def choose_kind(rows: Rows) -> tuple[Kind, str]:
    """Choose a kind of index.

    Parameters
    ----------
    rows : array or h5py dataset, shape (N, …)

    Returns
    -------
    kind : {"flat", "hnsw", "ivfpq"}
    why : str
        In words, to be said after the kind.
    """
    width = row_length(rows)
    numbers = len(rows) * width
    size = f"{count(len(rows), 'row')} of {width:,}"
    is_ = "is" if len(rows) == 1 else "are"
    if numbers <= _QUICK:
        return "flat", f"{size} {is_} searched exactly in some hundredths of a second"
    if not has_faiss():
        return "flat", "faiss, which builds the others, is not installed"
    needed = len(rows) * (width + 10 * LINKS) * 2
    if needed <= free_memory() // 2:
        return "hnsw", f"{size} take exact search longer than a graph"
    return "ivfpq", f"a graph of {size} may take {needed / 1e9:,.1f} GB of memory"


def build_structure(
    kind: Kind, rows: Rows, metric: Metric, held: NDArray[np.int64], tell: Tell
) -> Structure:
    """Build what finds likely neighbours.

    Parameters
    ----------
    rows : array or h5py dataset, shape (N, …)
        Searchable; read twice, a block at a time.
    held : int64 array, shape (h,)
        Places of rows that are left out, ascending.

    Raises
    ------
    UsageError
        If there are too few rows, or there is no faiss.
    """
    require_faiss(kind)
    if kind == "ivfpq" and len(rows) < LEAST_ROWS:
        raise UsageError(
            f"an index of kind ivfpq is trained on {LEAST_ROWS} rows or more, and there are "
            f"{count(len(rows))}; give {option('kind', 'flat')}"
        )
    few = max(1, min(SAMPLE, _SAMPLE_BYTES // (4 * row_length(rows))))
    sample = GluedRows([_some(rows, few)])[:]
    space = fit_space(sample.reshape(len(sample), -1), metric)
    made: Structure
    if kind == "ivfpq":
        space = space.turned()
        several = GluedRows([_some(rows, training_rows(len(rows)))])
        made = IvfPq.trained(space, np.concatenate([space(block) for block in row_blocks(several)]))
    else:
        made = Hnsw.trained(space, space(sample))
    return extended(made, rows, np.delete(np.arange(len(rows)), held), tell)


def extended(structure: Structure, rows: Rows, places: NDArray[np.int64], tell: Tell) -> Structure:
    """Add rows to a structure, a block at a time.

    Parameters
    ----------
    rows : array or h5py dataset, shape (N, …)
    places : int64 array, shape (n,)
        Of those to add, ascending.
    """
    if not len(places):
        return structure

    def shortened() -> Iterator[NDArray[np.float32]]:
        done = 0
        tell(Progress(0, len(places), 0, stage="build the index", unit="rows"))
        for block in row_blocks(GluedRows([Piece(rows, places)])):
            yield structure.space(block)
            done += len(block)
            tell(Progress(done, len(places), 0, stage="build the index", unit="rows"))

    return structure.extended(shortened(), places)


def _some(rows: Rows, most: int) -> Piece:
    if len(rows) <= most:
        return Piece(rows)
    chosen: NDArray[Any] = np.random.default_rng(0).choice(len(rows), most, replace=False)
    return Piece(rows, np.sort(chosen))
