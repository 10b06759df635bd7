"""A classifier trained on a feature file: on a layer of it, or on the best of several."""

from __future__ import annotations

import logging
import operator
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from penult.arguments import in_bytes
from penult.checking import checked
from penult.classify.classifier import Classifier
from penult.classify.diagnosis.layers import runs_of, train_best
from penult.classify.training.train import train as train_rows
from penult.deprecation import renamed_keyword
from penult.errors import OutputError, UsageError
from penult.extractor import as_names
from penult.features.contradictions import find_contradictions, log_contradictions
from penult.features.read import load
from penult.interface import at_command_line, option
from penult.output import check_output
from penult.partition.empty_classes import log_empty_classes
from penult.progress import ShowProgress, announce, following
from penult.records import Features, HeldOut
from penult.suffixes import CLASSIFIER
from penult.tasks.leaks import log_leaks

__all__ = ["ResultsNotWrittenError", "train"]


class ResultsNotWrittenError(OutputError):
    """A classifier was trained, and written where that was asked for, but not its results.

    Parameters
    ----------
    message : str
    classifier : Classifier
        The one that was trained, with its scores.
    """

    def __init__(self, message: str, classifier: Classifier | None = None) -> None:
        super().__init__(message)
        self.classifier = classifier


@renamed_keyword("stored", "ignore_splits", convert=operator.not_)
@checked
def train(
    features: Features | str | Path,
    output: str | Path | None = None,
    *,
    layer: str | Sequence[str] | None = None,
    classifier: str | Sequence[str] = "logistic",
    grid: Mapping[str, Sequence[Any]] | None = None,
    scale: Literal["l2", "standard", "none"] = "l2",
    reduce: int | None = None,
    class_weight: Literal["balanced"] | None = None,
    test_size: float = 0.25,
    test_features: Features | str | Path | None = None,
    ignore_splits: bool = False,
    min_per_class: int = 0,
    near_duplicates: float | None = None,
    seed: int = 0,
    folds: int = 3,
    runs: int = 1,
    refit: bool = False,
    max_memory: int | str | None = None,
    results: str | Path | None = None,
    confusion: Literal["counts", "normalized"] = "counts",
    escape_formulas: bool = False,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Classifier:
    """Train a classifier on a feature file's labelled rows and score it on rows held out.

    The classifier and its parameters are those of the grid with the highest mean accuracy over the
    folds of the training part; of values of C that are as good as that, the one with the least
    log-loss (`penult.classify.training.search.choose`). Everything that learns, scaling included,
    is fitted on training rows only.

    Parameters
    ----------
    features : Features or path
        The feature file, or (N, D) rows with labels; rows of more axes are flattened. Augmented
        rows of photos train wherever their photo does, and are scored nowhere.
    output : path, optional
        Classifier file to write, whole or not at all, as `Classifier.save` does.
    layer : str or sequence of str, optional
        Which of the file's layers: names, globs, or ``"all"``; of several, the best by
        cross-validation is kept. The last by default.
    classifier : str or sequence of str, default='logistic'
        Kind of classifier, or several to choose from: 'logistic', 'svm', 'ridge', 'knn', 'forest',
        'centroid'.
    grid : mapping of str to sequence, optional
        Parameter name to values; replaces the default grids, parameter by parameter.
    scale : {'l2', 'standard', 'none'}, default='l2'
        Whether each row is scaled to length one, each column to mean 0 and standard deviation 1,
        or neither.
    reduce : int, optional
        Reduce rows to so many principal components, after they are scaled; those of the rows that a
        fit learns from, in each fold as in the end.
    class_weight : {'balanced'}, optional
        Have all classes count alike, however many images each has, as in scikit-learn; 'knn' and
        'centroid' cannot. By default all images count alike.
    test_size : float, default=0.25
        The part held out where the file has no splits of its own, in (0, 1).
    test_features : Features or path, optional
        Held-out rows of another file, or that file; all rows of `features` then train, but for
        images that are in both.
    ignore_splits : bool, default=False
        Hold out a random part even where the file has splits of its own.
    min_per_class : int, default=0
        Classes with fewer rows are left out and have no place in the classifier.
    near_duplicates : float, optional
        Images whose rows have at least this cosine (0.95, say) are kept in one part, as identical
        ones always are; all rows are compared with all. Without it, a warning says how many
        held-out images have a near-duplicate among those that train, if any.
    seed : int, default=0
        Of the split, the folds and the classifier.
    folds : int, default=3
        Number of cross-validation folds.
    runs : int, default=1
        How often to repeat it all, with seeds one apart; the first run's classifier is returned,
        with the accuracies of all in ``settings.runs``.
    refit : bool, default=False
        Fit the returned pipeline once more, on all labelled rows, after it was scored. The scores
        stay those of the pipeline that saw the training part only.
    max_memory : int or str, optional
        Bytes that the rows and their copies may take, or a size such as ``"4GB"``; by default half
        of what the machine has free. Rows that need more stay on disk and are read again and again:
        logistic, svm, ridge and centroid find the same optimum so, slower; the others need all rows
        at once.
    results : path, optional
        Folder for ``scores.json``, ``confusion_matrix.png``, ``held_out.csv`` and, of several
        layers, ``layers.png``; made if need be.
    confusion : {'counts', 'normalized'}, default='counts'
        Cells of ``confusion_matrix.png``: images, or parts of the true class's.
    escape_formulas : bool, default=False
        In ``held_out.csv``, put an apostrophe before names that a spreadsheet would run.
    overwrite : bool, default=False
        Replace `output` and the files in `results` if they exist.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    Classifier
        By default exactly the one that was scored.

    Raises
    ------
    TrainingError
        If the rows are too few, hold NaN or infinite numbers, or do not fit into memory.
    UsageError
        If an option has a value that it cannot have.
    UnknownNameError
        If there is no such kind of classifier, parameter, scaling or layer.
    RecipeMismatchError
        If the rows of `test_features` were made otherwise.
    OutputExistsError, OutputError
        If `output` or `results` cannot be written. Where it is `results` alone, as on a disk that
        has become full, the error has the trained classifier as its ``classifier``.
    """
    inputs = [Path(x) for x in (features, test_features) if isinstance(x, str | Path)]
    if output is not None:
        check_output(Path(output), overwrite=overwrite, inputs=inputs, output=CLASSIFIER)
    if results is not None:
        from penult.reporting.results import check_results

        check_results(Path(results), overwrite=overwrite, name="results")
    held_out: list[HeldOut] = []
    trained = _train(
        features,
        layer,
        classifier=classifier,
        grid=grid,
        scale=scale,
        reduce=reduce,
        class_weight=class_weight,
        test_size=test_size,
        test_features=test_features,
        ignore_splits=ignore_splits,
        min_per_class=min_per_class,
        near_duplicates=near_duplicates,
        seed=seed,
        folds=folds,
        runs=runs,
        refit=refit,
        max_memory=in_bytes(max_memory),
        progress=progress,
        on_run=held_out.append,
    )
    if output is not None:
        trained.save(output, overwrite=overwrite)
    rows = features if isinstance(features, Features) else load(features)
    log_empty_classes(rows)
    named = None if isinstance(features, Features) else features
    log_contradictions(find_contradictions(rows), named)
    options = trained.settings.options
    if near_duplicates is None and options is not None:
        log_leaks(
            _of_layer(features, trained.layer),
            None if test_features is None else _of_layer(test_features, trained.layer),
            options,
        )
    if results is not None:
        from penult.reporting.results import write_results

        try:
            with following(progress):
                announce("results", brief=True)
                write_results(
                    Path(results),
                    trained.scores,
                    layers=trained.settings.layers,
                    runs=trained.settings.runs,
                    chosen=trained.layer,
                    normalize=confusion == "normalized",
                    held_out=runs_of(trained, held_out),
                    escape_formulas=escape_formulas,
                    overwrite=overwrite,
                )
        except OutputError as error:
            there = "" if output is None else f"; {output} is written"
            raise ResultsNotWrittenError(f"{error}{there}", trained) from error
    return trained


def _of_layer(features: Features | str | Path, layer: str) -> Features:
    return features if isinstance(features, Features) else load(features, layer)


def _train(
    features: Features | str | Path, layer: str | Sequence[str] | None, **options: Any
) -> Classifier:
    """Train on the rows given, on the file's last layer, or on each of those that were named."""
    if not layer:
        trained = train_rows(features, **options)
        there = trained.settings.file_layers
        if not isinstance(features, Features) and there and not at_command_line():
            logging.getLogger("penult").info(
                "trained on the layer %s, the last of %d; %s tries all",
                *(trained.layer, len(there), option("layer", "all")),
            )
        return trained
    if isinstance(features, Features):
        raise UsageError(
            f"rows in memory have one layer, {features.name}; give the feature file, or "
            "leave the layer out"
        )
    return train_best(features, as_names(layer), **options)
