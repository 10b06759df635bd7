"""The networks that are finished, best first, and what their scores come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan
from pathlib import Path
from typing import TYPE_CHECKING

from penult.comparison.differences import find_differences
from penult.comparison.folder import ComparisonFolder, read_result
from penult.comparison.recommendation import recommend
from penult.comparison.splits import Splits
from penult.records import ComparedModel, Comparison, Failure, SkippedModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Ranking"]


@dataclass(frozen=True)
class _Finished:
    row: ComparedModel
    values: NDArray[np.float64] | None  # by which it is ranked; None where it has no such score


class Ranking:
    """The networks that are finished, ranked by one score.

    Each file of results is read once, also those that another call has written meanwhile; of the
    scores of each image, only those are kept by which networks are ranked.

    Parameters
    ----------
    folder : ComparisonFolder
        Where they lie.
    score : str
        By what they are ranked.
    """

    def __init__(self, folder: ComparisonFolder, score: str) -> None:
        self._folder, self._score = folder, score
        self._read: dict[tuple[str, Path, int, int], _Finished | None] = {}

    def rows(self, splits: Splits) -> list[ComparedModel]:
        """Those that were scored on these parts, highest mean first.

        Raises
        ------
        FileFormatError
        """
        return [one.row for one in self._ranked(splits)]

    def comparison(self, splits: Splits, skipped: Sequence[SkippedModel]) -> Comparison:
        """What those that were scored on these parts come to.

        Raises
        ------
        FileFormatError
        """
        found = self._ranked(splits)
        rows = tuple(one.row for one in found)
        differences = find_differences(
            {one.row.name: one.values for one in found if one.values is not None},
            splits.units,
            score=self._score,
            seed=splits.options.seed,
        )
        recommended, reason = recommend(rows, differences, score=self._score)
        return Comparison(
            rows=rows,
            score=self._score,
            splits={**splits.to_dict(), "file": self._folder.table.name},
            differences=differences,
            recommended=recommended,
            reason=reason,
            skipped=tuple(skipped),
            failures=tuple(Failure(name, reason) for name, reason in splits.failed.items()),
            folder=self._folder.path,
        )

    def _ranked(self, splits: Splits) -> list[_Finished]:
        self._refresh(splits)
        found = [one for one in self._read.values() if one is not None]
        return sorted(found, key=self._place)

    def _refresh(self, splits: Splits) -> None:
        there = dict[tuple[str, Path, int, int], _Finished | None]()
        for file in self._folder.result_files():
            known = file.stat()
            key = (splits.digest, file, known.st_mtime_ns, known.st_ino)
            there[key] = self._read[key] if key in self._read else self._of(file, splits)
        self._read = there

    def _of(self, file: Path, splits: Splits) -> _Finished | None:
        result = read_result(file, splits)
        if result is None:
            return None
        return _Finished(result.row, result.images.same.get(self._score))

    def _place(self, one: _Finished) -> tuple[float, str]:
        mean = one.row.score(self._score).mean
        return (inf if isnan(mean) else -mean, one.row.name)
