"""What an evaluation found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.records import Failure, HeldOut, Scores, in_words
from penult.representation import html_table, one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Evaluation", "score_apart"]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How a classifier did on labelled rows.

    Attributes
    ----------
    scores : Scores
        Over the images whose label the classifier knows. Where some of them trained it, they are no
        estimate for new ones, and have no ``interval``; `apart` has one.
    images : HeldOut
        Those images, and what was predicted for each.
    unseen : HeldOut
        The images whose label it has never seen, and what was predicted for each. They are in no
        score, for whatever is predicted for them is wrong.
    unlabelled : int
        Number of images without a label, left out.
    trained : int or None
        How many of the scored images trained the classifier, byte for byte; None where that cannot
        be known, one of the two having no digests of its images.
    apart : Scores or None
        Over the others, where some of the images trained it and some did not.
    unlike : int or None
        How many of the scored images are unlike anything that the classifier was trained on; None
        where it does not know.
    unseen_unlike : int or None
        How many images without a label that it knows are.
    total : int
        Number of images there were, those that could not be read included.
    failures : tuple of Failure
        The images that could not be read, and are in no score.
    notes : mapping
        What was found beside the images, as a feature file's origin has it; empty of rows.
    several : bool
        Whether some of the images have several labels.
    digests : bool
        Whether the classifier has digests of the images that trained it.
    """

    scores: Scores
    images: HeldOut
    unseen: HeldOut
    unlabelled: int
    trained: int | None = None
    apart: Scores | None = None
    unlike: int | None = None
    unseen_unlike: int | None = None
    total: int = 0
    failures: tuple[Failure, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    several: bool = False
    digests: bool = False

    def __repr__(self) -> str:
        return one_line("Evaluation", self._facts())

    def _repr_html_(self) -> str:
        tables = [scores._repr_html_() for scores in (self.apart, self.scores) if scores]
        return html_table("Evaluation", self._facts()) + "".join(tables)

    def _facts(self) -> list[tuple[str, str | None]]:
        unseen, failed = len(self.unseen.ids), len(self.failures)
        scores, trained = in_words(self.scores), None
        if self.apart is not None:
            trained = f"no estimate: {scores}, {self.trained:,} of which trained it"
            scores = f"{in_words(self.apart)} that did not train it"
        elif self.trained:
            trained = "no estimate: all of them trained it"
        return [
            ("scores", scores),
            ("trained", trained),
            ("unseen", f"{unseen:,} of labels never seen" if unseen else None),
            ("unlabelled", f"{self.unlabelled:,} without a label" if self.unlabelled else None),
            ("failures", f"{failed:,} failed" if failed else None),
        ]

    @property
    def unseen_labels(self) -> Mapping[str, int]:
        """Label that the classifier has never seen to the number of its images."""
        names, counts = np.unique(np.array(self.unseen.truth, dtype=str), return_counts=True)
        return dict(zip(names.tolist(), counts.tolist(), strict=True))


def score_apart(
    scores: Scores,
    score_rows: Callable[[NDArray[np.bool_], str], Scores],
    known: NDArray[np.bool_],
    seen: NDArray[np.bool_] | None,
) -> dict[str, Any]:
    """Make the ``scores``, ``trained`` and ``apart`` of an `Evaluation`.

    Parameters
    ----------
    scores : Scores
        Of all known rows.
    score_rows : callable
        Scores the rows of a mask, those that did not train it, and names them in the scores.
    known : bool array, shape (n,)
        The rows to score.
    seen : bool array, shape (n,), or None
        Of `penult.classify.evaluation.seen.is_seen`.
    """
    if seen is None:
        return {"scores": scores}
    new = known & ~seen
    apart = None
    if new.any() and (new < known).any():
        apart = score_rows(new, "those that did not train it")
    trained = int((known & seen).sum())
    if trained:
        scores = replace(scores, interval=None)
    return {"scores": scores, "trained": trained, "apart": apart}
