"""What a report shows, as plain records: the page is made from these and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penult.recipe import Recipe
from penult.records import Duplicates, Failure, SearchScores

if TYPE_CHECKING:
    from penult.records import Outliers
    from penult.reporting.applied import Applied
    from penult.reporting.cluster_sections import ClustersContent
    from penult.reporting.finetuning import Finetuning
    from penult.reporting.map_block import MapBlock
    from penult.reporting.report_call import ReportCall
    from penult.reporting.trained import Trained

__all__ = ["Report"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything one page shows of one image set, and of a classifier, where there is one.

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
    open_image : callable
        From an id to the image file's bytes, or None where they cannot be had; may raise OSError.
    trained : Trained or None
        How a classifier did: one trained on the rows, or given and scored on them; None where there
        were no labels.
    untrained : str
        Why no classifier was trained, in words; "" where one was, or one was given.
    applied : Applied or None
        The classifier that was given, and what it says of every image.
    finetuning : Finetuning or None
        Of a fine-tuned network, how it was made; its head is what `trained` is of.
    map : MapBlock or None
        The map of the images; None where it was not wanted, or could not be made.
    clusters : ClustersContent or None
        The clusters of the images, as is the next.
    outliers : Outliers or None
        How unusual each image is.
    contradictions : tuple of str
        Images that are one file under several labels, a sentence each.
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
    relabelling : tuple of str
        What to type, in that order, once ``corrected.csv`` has all labels; a sentence in the place
        of a command that is not known.
    corrected_before : bool
        Whether the labels are already those of a ``corrected.csv`` that lies here.
    call : ReportCall or None
        What the report was asked for, which goes into ``scores.json``.
    feature_file : str
        The rows' file, as it is named where the report was made.
    """

    title: str
    source: str
    class_counts: Mapping[str, int]
    recipe: Recipe
    open_image: Callable[[str], bytes | None]
    trained: Trained | None = None
    untrained: str = ""
    applied: Applied | None = None
    finetuning: Finetuning | None = None
    map: MapBlock | None = None
    clusters: ClustersContent | None = None
    outliers: Outliers | None = None
    contradictions: tuple[str, ...] = ()
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
    relabelling: tuple[str, ...] = ()
    corrected_before: bool = False
    call: ReportCall | None = None
    feature_file: str = "features.h5"

    @property
    def images(self) -> int:
        """Images found: those with a row and those that failed."""
        rows = sum(self.class_counts.values()) + self.unlabelled if self.rows is None else self.rows
        return rows + len(self.failures)

    @property
    def judged(self) -> int:
        """Labels that were judged; of a fine-tuned network, those of the test images alone."""
        if self.finetuning is not None and self.trained is not None:
            return len(self.trained.held_out.ids)
        return sum(self.class_counts.values())

    @property
    def scored_image(self) -> str:
        """What one of the images that were scored is called, in words."""
        return "held-out image" if self.applied is None else "scored image"

    @property
    def scored_which(self) -> str:
        """What sets those that were scored apart from the others, to follow their name."""
        found = None if self.applied is None else self.applied.evaluation
        return "" if found is None or found.apart is None else " that did not train it"

    @property
    def multilabel(self) -> bool:
        """Whether images may have several labels."""
        return self.trained is not None and self.trained.multilabel
