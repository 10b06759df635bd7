"""Networks compared on the same images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penult.records.compared_model import ComparedModel
from penult.records.model_difference import ModelDifference
from penult.records.similarity_matrix import SimilarityMatrix
from penult.records.skipped_model import SkippedModel
from penult.representation import one_line
from penult.wording import count, percent

__all__ = ["Comparison"]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Networks compared on the same images: what they score and cost, and which to take.

    Attributes
    ----------
    rows : tuple of ComparedModel
        The compared, highest mean of `score` first.
    score : str
        What they are ranked by: a name of ``ComparedModel.scores`` that is a mean over images.
    splits : mapping
        ``description``, in words; ``runs``; ``seed``; ``test_size``; ``images``; ``classes``;
        ``held_out``, the images held out in each run; ``left_out``, a mapping of reason to number
        of images; and ``file``, the table that says which images train and which are held out.
    differences : tuple of ModelDifference
        Between each two of them, in `score`, a pair once; a ranks above b.
    recommended : str or None
        Name of the one to take; None where fewer than two could be compared.
    reason : str
        Why, in one sentence.
    skipped : tuple of SkippedModel
        Networks that could not be compared.
    cka, rsa : SimilarityMatrix or None
        How alike their rows are; None where that was not asked for, or there are fewer than two.
    folder : Path
        Where all of it lies.
    page : Path or None
        The page about it.
    """

    rows: tuple[ComparedModel, ...]
    score: str
    splits: Mapping[str, Any]
    differences: tuple[ModelDifference, ...] = ()
    recommended: str | None = None
    reason: str = ""
    skipped: tuple[SkippedModel, ...] = ()
    cka: SimilarityMatrix | None = None
    rsa: SimilarityMatrix | None = None
    folder: Path
    page: Path | None = None

    def __repr__(self) -> str:
        best = [f"{row.name} {percent(row.scores[self.score].mean)}" for row in self.rows[:3]]
        facts = [
            ("models", count(len(self.rows), "model")),
            ("best", f"best {self.score}: {', '.join(best)}" if best else None),
            ("recommended", self.recommended and f"recommended: {self.recommended}"),
            ("skipped", f"{len(self.skipped):,} skipped" if self.skipped else None),
        ]
        return one_line("Comparison", facts)

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold, as in ``comparison.json``.

        Returns
        -------
        dict
            ``rows``, ``score``, ``splits``, ``differences``, ``recommended``, ``reason``,
            ``skipped``, ``cka`` and ``rsa``.
        """
        return {
            "rows": [row.to_dict() for row in self.rows],
            "score": self.score,
            "splits": dict(self.splits),
            "differences": [one.to_dict() for one in self.differences],
            "recommended": self.recommended,
            "reason": self.reason,
            "skipped": [one.to_dict() for one in self.skipped],
            "cka": None if self.cka is None else self.cka.to_dict(),
            "rsa": None if self.rsa is None else self.rsa.to_dict(),
        }
