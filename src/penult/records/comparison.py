"""Networks compared on the same images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

from penult.records.compared_model import ComparedModel
from penult.records.comparison_words import (
    comparison_sentences,
    comparison_tables,
    skipped_lines,
)
from penult.records.failure import Failure
from penult.records.model_difference import ModelDifference, find_best
from penult.records.similarity_matrix import SimilarityMatrix
from penult.records.skipped_model import SkippedModel
from penult.representation import html_table, one_line, text_table
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
        Name of the one to take; None where fewer than two could be compared, or some of the
        held-out images trained one of them.
    reason : str
        Why, in one sentence; it begins with "only" where the images are too few to tell any two
        apart.
    skipped : tuple of SkippedModel
        Networks that could not be compared.
    failures : tuple of Failure
        Images that could not be read.
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
    failures: tuple[Failure, ...] = ()
    cka: SimilarityMatrix | None = None
    rsa: SimilarityMatrix | None = None
    folder: Path
    page: Path | None = None

    @property
    def best(self) -> str:
        """The first of `rows` that none is better than by more than noise; "" where there are none.

        It is the first of all, unless some were scored on fewer images than others.
        """
        return find_best([row.name for row in self.rows], self.differences)

    def __repr__(self) -> str:
        best = [
            f"{row.name} {percent(mean)}"
            for row in self.rows[:3]
            if not isnan(mean := row.score(self.score).mean)
        ]
        facts = [
            ("models", count(len(self.rows), "model")),
            ("best", f"best {self.score}: {', '.join(best)}" if best else None),
            ("recommended", self.recommended and f"recommended: {self.recommended}"),
            ("skipped", f"{len(self.skipped):,} skipped" if self.skipped else None),
        ]
        return one_line("Comparison", facts)

    def __str__(self) -> str:
        """The tables, which to take, and what was skipped, as ``penult compare`` prints them."""
        tables = [
            f"{title}\n{text_table(rows)}".lstrip() for title, rows in comparison_tables(self)
        ]
        return "\n\n".join(
            [*tables, "\n".join([*comparison_sentences(self), *skipped_lines(self)])]
        )

    def _repr_html_(self) -> str:
        facts = [
            ("recommended", self.reason or None),
            ("page", self.page),
            *(("skipped", f"{one.model}: {one.reason}") for one in self.skipped),
        ]
        parts = [html_table("Comparison", facts)]
        parts += [html_table(title, (), rows) for title, rows in comparison_tables(self, None)]
        return "".join(parts)

    def to_dataframe(self) -> Any:
        """Make a pandas DataFrame, a row for each compared network, best first.

        Returns
        -------
        pandas.DataFrame
            The columns of ``comparison.csv``: ``name``, ``model``, ``layer``, ``precision`` and
            ``views``; of each score its mean, by the score's name, and its standard deviation over
            the runs, as ``accuracy_std``; those for which one right label is enough, as
            ``any_label_accuracy``; ``features``, ``images``, ``missing``, ``bytes``, ``file``; and
            what is in `ModelCost`.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        from penult.tabular import comparison_to_dataframe

        return comparison_to_dataframe(self)

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold, as in ``comparison.json``.

        Returns
        -------
        dict
            ``rows``, ``score``, ``splits``, ``differences``, ``recommended``, ``reason``,
            ``skipped``, ``failures``, ``cka`` and ``rsa``.
        """
        return {
            "rows": [row.to_dict() for row in self.rows],
            "score": self.score,
            "splits": dict(self.splits),
            "differences": [one.to_dict() for one in self.differences],
            "recommended": self.recommended,
            "reason": self.reason,
            "skipped": [one.to_dict() for one in self.skipped],
            "failures": [{"id": one.id, "reason": one.reason} for one in self.failures],
            "cka": None if self.cka is None else self.cka.to_dict(),
            "rsa": None if self.rsa is None else self.rsa.to_dict(),
        }
