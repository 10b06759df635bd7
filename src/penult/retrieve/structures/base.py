"""What every structure can do, and how it is kept in a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from penult.features.column import Refused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.retrieve.structures.space import Space

__all__ = ["Effort", "Structure", "require_finite", "require_within"]


@dataclass(frozen=True)
class Effort:
    """How much a search looks at.

    Attributes
    ----------
    visits : int
        faiss's ``efSearch``, or ``nprobe``.
    candidates : int
        Rows that are verified for each that is asked for.
    """

    visits: int
    candidates: int


class Structure(ABC):
    """Finds rows that are likely near.

    Attributes
    ----------
    kind : str
        As ``--kind`` has it.
    space : Space
        How rows become short ones.
    efforts : sequence of Effort
        Those to be tried until enough is found, the least first.
    """

    kind: ClassVar[str]
    efforts: ClassVar[Sequence[Effort]]
    space: Space

    @classmethod
    @abstractmethod
    def trained(cls, space: Space, sample: NDArray[np.float32]) -> Structure:
        """Make one without rows.

        Parameters
        ----------
        space : Space
        sample : float32 array, shape (n, d)
            Short rows such as it is to hold.
        """

    @abstractmethod
    def candidates(
        self,
        queries: NDArray[np.float32],
        most: int,
        visits: int,
        allowed: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int64]:
        """Find rows that are likely the nearest.

        Parameters
        ----------
        queries : float32 array, shape (Q, d)
            Short.
        most : int
        visits : int
            See `Effort`.
        allowed : bool array, shape (N,), optional
            Which rows may be found.

        Returns
        -------
        int64 array, shape (Q, most)
            Their places, likely nearest first; -1 where fewer were found.
        """

    @abstractmethod
    def extended(
        self, blocks: Iterable[NDArray[np.float32]], places: NDArray[np.int64]
    ) -> Structure:
        """Add short rows.

        Parameters
        ----------
        blocks : iterable of float32 arrays, shape (m, d)
        places : int64 array, shape (n,)
            Of the rows of all blocks: what `candidates` calls them. At last, places are 0 to N - 1.
        """

    @abstractmethod
    def without(self, kept: NDArray[np.bool_]) -> Structure:
        """Leave out rows; those that stay are counted anew.

        Parameters
        ----------
        kept : bool array, shape (N,)
        """

    @property
    @abstractmethod
    def wasted(self) -> float:
        """The share of it that leads to rows which are gone."""

    @property
    @abstractmethod
    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that a file has to hold of it, but its space."""

    @classmethod
    @abstractmethod
    def read(cls, space: Space, arrays: Mapping[str, NDArray[Any]], rows: int) -> Structure:
        """Take it from a file that anybody may have written.

        Parameters
        ----------
        rows : int
            How many the file has.

        Raises
        ------
        Refused, KeyError
            If any number would lead out of the arrays.
        """


def require_within(what: str, numbers: NDArray[Any], least: int, most: int) -> None:
    """Refuse numbers that lead to nowhere.

    Raises
    ------
    Refused
    """
    step = 1 << 22
    for start in range(0, len(numbers), step):
        block = numbers[start : start + step]
        if block.min() < least or block.max() > most:
            raise Refused(f"is damaged: its {what} are not from {least} to {most}")


def require_finite(what: str, numbers: NDArray[Any]) -> None:
    """Refuse numbers that are none.

    Raises
    ------
    Refused
    """
    if not np.isfinite(numbers).all():
        raise Refused(f"is damaged: its {what} hold what is no number")
