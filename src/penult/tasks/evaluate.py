"""A classifier scored on photos, or on their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.classify.classifier import Classifier
from penult.classify.evaluation.evaluate import evaluate as evaluate_rows
from penult.classify.evaluation.evaluate import load_rows_for
from penult.classify.evaluation.result import Evaluation
from penult.classify.loading import as_classifier
from penult.classify.metrics.scores import scores_to_dict
from penult.errors import UsageError
from penult.extraction import Extraction
from penult.extractor import EngineOptions, ExtractorSpec, ReadingOptions, RecipeRows
from penult.features.places import is_feature_file
from penult.images.listing import Images
from penult.images.listing_options import ListingOptions
from penult.images.notes import listing_notes, log_failures
from penult.progress import ShowProgress, announce, following
from penult.records import Features
from penult.wording import listed

if TYPE_CHECKING:
    from penult.images.labels.split_folders import SplitsFrom

__all__ = ["evaluate"]


@checked
def evaluate(
    classifier: Classifier | str | Path,
    data: Features | Images,
    *,
    labels: str | Path | Sequence[Any] = "parent",
    label_pattern: str | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    splits: SplitsFrom = "auto",
    weights: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    engine: str = "auto",
    device: str = "auto",
    batch_size: int | None = None,
    workers: int | None = None,
    on_error: Literal["skip", "fail"] = "skip",
    results: str | Path | None = None,
    confusion: Literal["counts", "normalized"] = "counts",
    escape_formulas: bool = False,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Evaluation:
    """Score a classifier on other labelled images, or on a feature file of them.

    If some of them trained it, the others are scored by themselves as well.

    Parameters
    ----------
    classifier : Classifier or path
        The classifier, or its file.
    data : Features, path, address, list of them, or DataFrame
        Rows made with the classifier's recipe; the file that holds them, perhaps beside those of
        other layers; or images, as for `penult.extract`.
    labels : {"parent", "none"}, "column:NAME", path or sequence, default="parent"
        Of images; as for `penult.extract`.
    label_pattern : str, optional
        Regular expression on file names whose group ``label`` is the label.
    path_column, label_column : str, optional
        The columns of a table (a list of images, or the file `labels`) that name the images and
        their labels, where they are none of the usual ones, or there are several.
    splits : {"auto", "folders", "none"}, default="auto"
        Whether top folders called train, test and so on are splits.
    weights : path or sequence of paths, optional
        Where the backbone's weights file is now, if not where it was; of several, those that
        moved.
    offline : bool, default=False
        Never touch the network.
    engine : str, default="auto"
        What runs the network.
    device : str, default="auto"
        What it runs on.
    batch_size : int, optional
        Images a call of the engine; chosen from the machine by default.
    workers : int, optional
        Decoding threads; chosen from the machine by default.
    on_error : {"skip", "fail"}, default="skip"
        ``"skip"`` lists images that cannot be read as ``failures``; ``"fail"`` stops at the first
        with an `ImageError`.
    results : path, optional
        Folder for ``scores.json`` and ``confusion_matrix.png``; made if need be.
    confusion : {"counts", "normalized"}, default="counts"
        Cells of ``confusion_matrix.png``: images, or parts of the true class's.
    escape_formulas : bool, default=False
        In ``held_out.csv``, put an apostrophe before names that a spreadsheet would run.
    overwrite : bool, default=False
        Replace the files in `results` if they exist.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    Evaluation
        The scores, and what was predicted for each image.

    Raises
    ------
    RecipeMismatchError
        If the rows were made otherwise.
    UsageError
        If no row has a label that the classifier knows.
    TrainingError
        If a row holds NaN or infinite numbers.
    OutputExistsError, OutputError
        If the results cannot be written.
    SourceError, ImageError, BackboneError, EngineError
        If images cannot be turned into rows.
    """
    if results is not None:
        from penult.reporting.results import check_results

        check_results(Path(results), overwrite=overwrite, name="results")
    carrier = "the classifier" if isinstance(classifier, Classifier) else str(classifier)
    classifier = as_classifier(classifier)
    listing = ListingOptions(
        labels=labels,
        label_pattern=label_pattern,
        path_column=path_column,
        label_column=label_column,
        splits=splits,
    )
    notes = {}
    if isinstance(data, Features):
        features, name = data, "these features"
    else:
        sources = listing.sources(data)
        name = listed(map(str, sources), 5)
        if len(sources) == 1 and is_feature_file(sources[0]):
            features = load_rows_for(classifier, str(sources[0]))
        else:
            features = Extraction(
                extractor=ExtractorSpec(
                    rows=RecipeRows((classifier.recipe,), carrier),
                    weights=WeightsChoice.moved(weights, offline=offline),
                    engine=EngineOptions(engine=engine, device=device, batch_size=batch_size),
                    reading=ReadingOptions(workers=workers, on_error=on_error),
                ),
                listing=listing,
                needs_labels=True,
            ).to_memory(sources, progress=progress)
            log_failures(features.failures, total=len(features) + len(features.failures))
            notes = {"splits": splits, **listing_notes(features.origin)}
    if not notes and listing != ListingOptions():
        raise UsageError(
            f"{name} has its labels and splits with it; other labels and splits are for images"
        )
    classifier.require_recipe(features.recipe, other_name=name)
    with following(progress) as tell:
        evaluated = evaluate_rows(classifier, features, split=f"all of {name}", tell=tell)
    found = replace(
        evaluated,
        total=len(features) + len(features.failures),
        failures=features.failures,
        notes=notes,
        several=features.targets is not None,
        digests=classifier.trained_on is not None,
    )
    if results is not None:
        from penult.reporting.results import write_results

        with following(progress):
            announce("results", brief=True)
            write_results(
                Path(results),
                found.scores,
                normalize=confusion == "normalized",
                also={
                    "trained": found.trained,
                    "apart": None if found.apart is None else scores_to_dict(found.apart),
                },
                held_out=[found.images],
                escape_formulas=escape_formulas,
                overwrite=overwrite,
            )
    return found
