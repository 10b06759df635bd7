"""What a report is made of: how rows are made, and a training, or a classifier that is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from penult.backbones.weights.choice import WeightsChoice
from penult.classify.classifier import Classifier
from penult.classify.loading import as_classifier
from penult.classify.options import TrainOptions
from penult.classify.training.grid import expand_grids, require_weighable
from penult.extraction import Extraction
from penult.extractor import EngineOptions, ExtractorSpec, ModelRows, RecipeRows
from penult.images.listing_options import ListingOptions
from penult.interface import option
from penult.reporting.refusals import classifier_file_among, refuse_rows, refuse_training

__all__ = ["ReportOptions"]


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """What a report is made of.

    Attributes
    ----------
    extraction : Extraction
        How rows are made of images, and how images are listed.
    training : TrainOptions
        How a classifier is trained on them.
    file : Path or None
        Of the classifier that is given in place of training one.
    classifier : Classifier or None
        It.
    by_default : bool
        Whether nothing was said of how rows and labels are made.
    """

    extraction: Extraction
    training: TrainOptions
    file: Path | None
    classifier: Classifier | None
    by_default: bool

    @classmethod
    def of(
        cls,
        *,
        rows: ModelRows,
        weights: str | Path | None,
        offline: bool,
        architecture: str | None,
        listing: ListingOptions,
        engine: EngineOptions,
        classifier: str | Path | Sequence[str],
        grid: Mapping[str, Sequence[Any]] | None,
        **training: Any,
    ) -> ReportOptions:
        """Make one of what `penult.report` was given, and refuse what does not go together.

        Raises
        ------
        UsageError, UnknownNameError
        PathNotFoundError, ClassifierFileError
            If a classifier's file cannot be read.
        """
        file = classifier_file_among(classifier)
        if file is not None:
            kinds: str | Sequence[str] = "logistic"
        else:
            kinds = str(classifier) if isinstance(classifier, Path) else classifier
        options = TrainOptions.of(classifier=kinds, grid=grid, **training)
        unlabelled = listing.label_pattern is None and listing.labels == "none"
        given = None
        if file is None:
            # Refuses an unknown kind or parameter before any work.
            expand_grids(options.kinds, grid)
            require_weighable(options.kinds, options.class_weight)
            if unlabelled:
                refuse_training(options, f"{option('labels', 'none')} leaves nothing to train on")
            choice = WeightsChoice.of(weights, offline=offline, architecture=architecture)
            spec = ExtractorSpec(rows=rows, weights=choice, engine=engine)
        else:
            refuse_training(options, f"{file} is applied as it is")
            refuse_rows(file, rows, architecture)
            given = as_classifier(file)
            spec = ExtractorSpec(
                rows=RecipeRows((given.recipe,), str(file)),
                weights=WeightsChoice.moved(weights, offline=offline),
                engine=engine,
            )
        # Labels that were asked for and are nowhere are a mistake.
        asked = listing.label_pattern is not None or listing.labels not in ("parent", "none")
        usual = replace(rows, layers=("penultimate",)) == ModelRows()
        return cls(
            extraction=Extraction(extractor=spec, listing=listing, needs_labels=asked),
            training=options,
            file=file,
            classifier=given,
            by_default=usual
            and (weights, architecture) == (None, None)
            and listing == ListingOptions(),
        )
