"""What a report shows, as plain records: the page is made from these and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penult.recipe import Recipe
from penult.records import Duplicates, Failure, HeldOut, Scores, SearchScores

if TYPE_CHECKING:
    from penult.classify.diagnosis.label_errors import LabelIssue
    from penult.classify.diagnosis.learning_curve import CurvePoint
    from penult.classify.settings import LayerResult, SeedRuns

__all__ = ["Report"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything one page shows of one image set and the classifier trained on it.

    Attributes
    ----------
    title : str
        The page's heading, e.g. the folder's name.
    source : str
        Where the images came from, as it was typed.
    class_counts : mapping
        Class name to number of rows with that label, in the order of the label names.
    recipe : Recipe
        How the rows were made.
    scores : Scores
        How the classifier did on the images kept from it.
    held_out : HeldOut
        What it said of each of them.
    settings : mapping
        How it was trained. ``"chosen"`` (parameter to value) and ``"grid"`` (one mapping a
        candidate: its parameters, its cross-validated ``"accuracy"`` in [0, 1], and ``"log_loss"``
        or None) make a table of the search; every other item is shown as its name and value.
    open_image : callable
        From an id to the image file's bytes, or None where they cannot be had; may raise OSError.
    layers : tuple of LayerResult
        Of each layer that was tried.
    layer : str
        The name of the chosen one; empty where it is the recipe's layer.
    runs : SeedRuns or None
        The accuracies over several seeds, of which the first is shown; None where there was one.
    label_issues : tuple of LabelIssue, or None
        Images whose labels are likely wrong; None where they were not looked for.
    contradictions : tuple of str
        Images that are one file under several labels, a sentence each.
    curve : tuple of CurvePoint
        The learning curve; empty where it was not drawn.
    retrieval : SearchScores or None
        Of each image searching the others; None where that was not scored.
    duplicates : Duplicates or None
        Among the images, and between those trained on ("train") and those held out ("test"); None
        where they were not looked for.
    notes : mapping
        Section to the reason why it has nothing to show.
    rows : int or None
        Images with a row; None where each has one label or none, so that they can be counted.
    unlabelled : int
        Rows without a label.
    failures : tuple of Failure
        Images that have no row, every one of them.
    passed_over : mapping
        Extension to number of files that are no images.
    listing_messages : tuple of str
        What else there is to say of the folders that the images came from, in sentences.
    seconds : mapping
        Step to its duration.
    versions : mapping
        Library to version.
    commands : tuple of str
        What to type to get the same again, one command each.
    """

    title: str
    source: str
    class_counts: Mapping[str, int]
    recipe: Recipe
    scores: Scores
    held_out: HeldOut
    settings: Mapping[str, Any]
    open_image: Callable[[str], bytes | None]
    layers: tuple[LayerResult, ...] = ()
    layer: str = ""
    runs: SeedRuns | None = None
    label_issues: tuple[LabelIssue, ...] | None = None
    contradictions: tuple[str, ...] = ()
    curve: tuple[CurvePoint, ...] = ()
    retrieval: SearchScores | None = None
    duplicates: Duplicates | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None
    unlabelled: int = 0
    failures: tuple[Failure, ...] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)
    listing_messages: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()

    @property
    def chosen(self) -> str:
        """The name of the chosen layer."""
        return self.layer or self.recipe.layer

    @property
    def images(self) -> int:
        """Images found: those with a row and those that failed."""
        rows = sum(self.class_counts.values()) + self.unlabelled if self.rows is None else self.rows
        return rows + len(self.failures)

    @property
    def multilabel(self) -> bool:
        """Whether images may have several labels."""
        return self.scores.mean_average_precision is not None
