"""faiss, imported where it is used, and arrays into and out of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import UsageError
from penult.extras import is_installed
from penult.interface import option
from penult.machine import cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fill", "has_faiss", "opened", "require_faiss", "selecting", "taken"]


@cache
def has_faiss() -> bool:
    """Whether faiss is installed; it comes with penult, and exact search does without."""
    return is_installed("faiss")


def require_faiss(kind: str) -> None:
    """Refuse to build what faiss builds where there is none.

    Raises
    ------
    UsageError
    """
    if not has_faiss():
        raise UsageError(
            f"an index of kind {kind} is built by faiss, which is not installed; type: pip install "
            f"faiss-cpu, or give {option('kind', 'flat')}"
        )


@contextmanager
def opened() -> Iterator[Any]:
    """Yield faiss, with no more threads than this process has cores."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(min(before, _cores()))  # a container may have fewer than the machine
    try:
        yield faiss
    finally:
        faiss.omp_set_num_threads(before)


@cache
def _cores() -> int:
    return cores()  # a millisecond, several times what a search takes


def taken(vector: Any) -> NDArray[Any]:
    """Copy a vector of numbers out of faiss, which owns its memory."""
    import faiss

    if not vector.size():
        return np.empty(0, np.uint8)
    return np.array(faiss.rev_swig_ptr(vector.data(), vector.size()))


def fill(vector: Any, values: NDArray[Any]) -> None:
    """Copy numbers into a vector of faiss's, of the same type.

    faiss can also be given a view of mapped memory, but not from Python: it wants an owner of its
    own for it.
    """
    import faiss

    vector.resize(values.size)
    if values.size:
        faiss.rev_swig_ptr(vector.data(), values.size)[:] = values.reshape(-1)


def selecting(faiss: Any, allowed: NDArray[np.bool_]) -> Any:
    """Make what tells faiss which it may find."""
    bits = np.packbits(allowed, bitorder="little")
    selector = faiss.IDSelectorBitmap(bits)
    selector.bits_in_use = bits  # it has the address alone
    return selector
