"""Rows in lists by the nearest of some centres, and in each list as short codes (IVF-PQ).

H. Jégou, M. Douze and C. Schmid, "Product quantization for nearest neighbor search", IEEE TPAMI
33(1), 2011.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.features.column import Refused
from penult.retrieve.structures.base import Effort, Structure, require_finite
from penult.retrieve.structures.library import fill, opened, selecting, taken
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.retrieve.structures.space import Space

__all__ = ["LEAST_ROWS", "IvfPq", "training_rows"]

_CODES = 256  # that a byte has
LEAST_ROWS = _CODES
"""Fewer cannot train the codes."""

_PIECE = 4  # numbers of a short row that become one byte
_A_LIST = 40  # rows to train a centre on
_MOST_LISTS = 8192


def _lists(rows: int) -> int:
    return max(1, min(_MOST_LISTS, int(2 * rows**0.5), rows // _A_LIST))


def training_rows(rows: int) -> int:
    """How many rows the centres and codes are to be trained on."""
    return min(rows, max(16_384, _A_LIST * _lists(rows)))


@dataclass(frozen=True, eq=False, repr=False)
class IvfPq(Structure):
    """Lists of short codes.

    Attributes
    ----------
    space : Space
    centers : float32 array, shape (L, d)
        Of the lists.
    codebook : float32 array, shape (d / 4, 256, 4)
        What each byte stands for.
    ends : int64 array, shape (L,)
        Where each list ends.
    codes : uint8 array, shape (N, d / 4)
        Of the rows, list by list.
    rows : int32 array, shape (N,)
        Their places.
    """

    kind = "ivfpq"
    efforts = tuple(
        Effort(visits, candidates)
        for visits, candidates in ((8, 8), (16, 16), (32, 16), (64, 32), (128, 32), (256, 64))
    )

    space: Space
    centers: NDArray[np.float32]
    codebook: NDArray[np.float32]
    ends: NDArray[np.int64]
    codes: NDArray[np.uint8]
    rows: NDArray[np.int32]

    @classmethod
    def trained(cls, space: Space, sample: NDArray[np.float32]) -> IvfPq:
        """See `Structure`."""
        with opened() as faiss:
            index = _empty(faiss, space.width, max(1, min(_MOST_LISTS, len(sample) // _A_LIST)))
            index.train(np.ascontiguousarray(sample))
            return cls(
                space,
                centers=index.quantizer.reconstruct_n(0, index.nlist),
                codebook=taken(index.pq.centroids).reshape(-1, _CODES, _PIECE),
                ends=np.zeros(index.nlist, np.int64),
                codes=np.empty((0, space.width // _PIECE), np.uint8),
                rows=np.empty(0, np.int32),
            )

    def candidates(
        self,
        queries: NDArray[np.float32],
        most: int,
        visits: int,
        allowed: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int64]:
        """See `Structure`."""
        most = min(most, len(self.rows))
        with opened() as faiss:
            settings: dict[str, Any] = {"nprobe": min(visits, len(self.centers))}
            if allowed is not None:
                settings["sel"] = selecting(faiss, allowed)
            _, places = self._index.search(
                np.ascontiguousarray(queries), most, params=faiss.SearchParametersIVF(**settings)
            )
        return np.asarray(places, np.int64)

    def extended(self, blocks: Iterable[NDArray[np.float32]], places: NDArray[np.int64]) -> IvfPq:
        """See `Structure`."""
        lists, codes = [self._list_numbers], [np.asarray(self.codes)]
        with opened():
            index = self._made(filled=False)
            for block in map(np.ascontiguousarray, blocks):
                lists.append(index.quantizer.search(block, 1)[1][:, 0].astype(np.int64))
                codes.append(index.pq.compute_codes(block))
        rows = np.concatenate([self.rows, places.astype(np.int32)])
        return self._sorted(np.concatenate(lists), np.concatenate(codes), rows)

    def without(self, kept: NDArray[np.bool_]) -> IvfPq:
        """See `Structure`."""
        stay = kept[self.rows]
        places = (np.cumsum(kept) - 1).astype(np.int32)[self.rows[stay]]
        return self._sorted(self._list_numbers[stay], self.codes[stay], places)

    @property
    def wasted(self) -> float:
        """See `Structure`."""
        return 0.0

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Structure`."""
        return {
            "centers": self.centers,
            "codebook": self.codebook,
            "ends": self.ends,
            "codes": self.codes,
            "rows": self.rows,
        }

    @classmethod
    def read(cls, space: Space, arrays: Mapping[str, NDArray[Any]], rows: int) -> IvfPq:
        """See `Structure`."""
        pieces = space.width // _PIECE
        shapes = {
            "centers": (len(arrays["ends"]), space.width),
            "codebook": (pieces, _CODES, _PIECE),
            "codes": (rows, pieces),
            "rows": (rows,),
        }
        for name, shape in shapes.items():
            if arrays[name].shape != shape:
                raise Refused(f"is damaged: its {name} are {arrays[name].shape}, not {shape}")
        for name in ("centers", "codebook"):
            require_finite(name, arrays[name])
        ends = arrays["ends"]
        # Differences of numbers that are far apart overflow, so these are compared themselves.
        ordered = len(ends) > 0 and ends[0] >= 0 and bool((ends[1:] >= ends[:-1]).all())
        if not ordered or ends[-1] != rows:
            raise Refused(f"is damaged: its lists are not of its {count(rows, 'row')}")
        if not np.array_equal(np.sort(arrays["rows"]), np.arange(rows)):
            raise Refused(
                f"is damaged: its lists do not have each of its {count(rows, 'row')} once"
            )
        return cls(space, **{name: arrays[name] for name in ("ends", *shapes)})

    @property
    def _list_numbers(self) -> NDArray[np.int64]:
        """The list that each row is in, as the codes are ordered."""
        return np.repeat(np.arange(len(self.ends)), np.diff(self.ends, prepend=0))

    def _sorted(
        self, numbers: NDArray[np.int64], codes: NDArray[np.uint8], places: NDArray[np.int32]
    ) -> IvfPq:
        order = np.argsort(numbers, kind="stable")
        ends = np.cumsum(np.bincount(numbers, minlength=len(self.centers)), dtype=np.int64)
        return replace(self, ends=ends, codes=codes[order], rows=places[order])

    @cached_property
    def _index(self) -> Any:
        return self._made(filled=True)

    def _made(self, *, filled: bool) -> Any:
        """Copy the arrays into an index of faiss's, the lists or what they are made by alone."""
        with opened() as faiss:
            index = _empty(faiss, self.space.width, len(self.centers))
            index.quantizer.add(np.ascontiguousarray(self.centers))
            fill(index.pq.centroids, self.codebook)
            index.is_trained = True
            if not filled:
                return index
            starts = np.concatenate([[0], self.ends[:-1]]).tolist()
            for number, (start, end) in enumerate(zip(starts, self.ends.tolist(), strict=True)):
                if start == end:
                    continue
                ids = np.ascontiguousarray(self.rows[start:end], np.int64)
                codes = np.ascontiguousarray(self.codes[start:end])
                pointers = (faiss.swig_ptr(ids), faiss.swig_ptr(codes))
                index.invlists.add_entries(number, end - start, *pointers)
            index.ntotal = len(self.rows)
            return index

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_index"}


def _empty(faiss: Any, width: int, lists: int) -> Any:
    quantizer = faiss.IndexFlatL2(width)
    index = faiss.IndexIVFPQ(quantizer, width, lists, width // _PIECE, 8)
    # Codes of the rows themselves need one table a query, and not one for each list; what they
    # lose is made up for where candidates are verified.
    index.by_residual = False
    for training in (index.cp, index.pq.cp):
        training.min_points_per_centroid = 1  # faiss would print a warning
        training.seed = 0
    return index
