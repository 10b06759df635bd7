"""Everything in one go: features, a classifier, and the page that shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from penult.arguments import in_bytes
from penult.backbones.registry import DEFAULT_MODEL
from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.classify.diagnosis.label_errors import find_label_issues
from penult.classify.diagnosis.learning_curve import learning_curve
from penult.classify.options import TrainOptions
from penult.classify.training.grid import expand_grids, require_weighable
from penult.extraction import Extraction
from penult.extractor import EngineOptions, ExtractorSpec, ModelRows, as_names
from penult.features.contradictions import find_contradictions, log_contradictions
from penult.features.read import layer_recipes, load
from penult.images.listing import Images
from penult.images.listing_options import ListingOptions
from penult.progress import ShowProgress, following
from penult.reporting.build import build_report
from penult.reporting.commands import CLASSIFIER, FEATURES
from penult.reporting.findings import find
from penult.reporting.nearest_rows import NearestRows
from penult.reporting.opening import open_page
from penult.reporting.page import FILES, OPTIONAL, PAGE, write_report
from penult.reporting.refusals import feature_file_among, made_already, require_folder
from penult.reporting.report_files import ReportFiles
from penult.reporting.staging import staged
from penult.reporting.steps import extract_rows, noted, timed, train_with_rows
from penult.retrieve.duplicates.leak_warning import warn_of_leaks
from penult.retrieve.duplicates.leaks import find_leaks
from penult.web.pictures import image_opener

if TYPE_CHECKING:
    from penult.images.labels.split_folders import SplitsFrom
    from penult.recipe import Views

__all__ = ["ReportFiles", "report"]


@checked
def report(
    images: Images,
    output: str | Path,
    *,
    model: str | Sequence[str] = DEFAULT_MODEL,
    layer: str | Sequence[str] | None = None,
    views: Views | None = None,
    join: bool | None = None,
    weights: str | Path | None = None,
    offline: bool = False,
    architecture: str | None = None,
    labels: str | Path | Sequence[Any] = "parent",
    label_pattern: str | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    splits: SplitsFrom = "auto",
    engine: str = "auto",
    device: str = "auto",
    classifier: str | Sequence[str] = "logistic",
    grid: Mapping[str, Sequence[Any]] | None = None,
    scale: Literal["l2", "standard", "none"] = "l2",
    reduce: int | None = None,
    class_weight: Literal["balanced"] | None = None,
    test_size: float = 0.25,
    ignore_splits: bool = False,
    min_per_class: int = 0,
    near_duplicates: float | None = None,
    seed: int = 0,
    folds: int = 3,
    runs: int = 1,
    refit: bool = False,
    max_memory: int | str | None = None,
    label_errors: bool = True,
    curve: bool = True,
    retrieval: bool = True,
    duplicates: bool = True,
    confusion: Literal["counts", "normalized"] = "counts",
    escape_formulas: bool = False,
    open: bool = False,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> ReportFiles:
    """Extract features, train a classifier, and write one page about both.

    See docs/report.md.

    Parameters
    ----------
    images : path, address, list of them, or DataFrame
        As for `penult.extract`; or a feature file, whose rows are then taken as they are, with the
        photos from where it was made.
    output : path
        A folder, created if need be; gets ``index.html``, ``scores.json``,
        ``confusion_matrix.png``, ``held_out.csv``, ``label_errors.csv``, ``classifier.skops``,
        and of images also ``features.h5``.
    model : str or sequence of str
        Backbone, as listed by ``penult models``; the rows of several are joined.
    layer : str or sequence of str, optional
        One name, or several names and globs; of several layers, the best by cross-validation is
        kept, and the page shows all. By default the penultimate; of a feature file, all of its own.
    views : {"flip", "five-crop", "ten-crop"}, optional
        As for `penult.extract`.
    join : bool, optional
        As for `penult.extract`; rows that are not joined are compared as several layers are.
    weights : path or "random", optional
        In place of the pretrained weights.
    offline : bool
        Never touch the network, neither for weights nor for images.
    architecture : str, optional
        For a plain state dict (``checkpoint:PATH``), the backbone that it fits.
    labels : {"parent", "none"}, "column:NAME", path or sequence
        As for `penult.extract`.
    label_pattern : str, optional
        Regular expression on file names whose group ``label`` is the label.
    path_column, label_column : str, optional
        The columns of a table (a list of images, or the file `labels`) that name the images and
        their labels, where they are none of the usual ones, or there are several.
    splits : {"auto", "folders", "none"}
        As for `penult.extract`.
    engine, device : str
        As for `penult.extract`.
    classifier : str or sequence of str
        As for `penult.train`, as are the next thirteen.
    grid : mapping of str to sequence, optional
        Parameter name to values to try.
    scale : {'l2', 'standard', 'none'}
        How rows are scaled.
    reduce : int, optional
        How many principal components rows are reduced to.
    class_weight : {'balanced'}, optional
        Have all classes count alike.
    test_size : float
        The part held out where the images have no splits of their own.
    ignore_splits : bool
        Hold out a random part even where they have.
    min_per_class : int
        Classes with fewer images are left out.
    near_duplicates : float, optional
        Cosine from which images are kept in one part; needs one layer.
    seed : int
        Of the split and the folds.
    folds : int
        Of the cross-validation.
    runs : int
        How often to repeat the training, with seeds one apart; the page shows the first, and the
        mean and the spread of all.
    refit : bool
        Once scored, fit it again on all labelled rows.
    max_memory : int or str, optional
        What the rows may take.
    label_errors : bool
        Look for labels that are likely wrong.
    curve : bool
        Draw a learning curve.
    retrieval : bool
        Score a search among the rows; of more than 10,000, among a random part of them.
    duplicates : bool
        Look for copies and near-duplicates, and for those between the training and the held-out
        part; of more than 20,000 rows, among a random part.
    confusion : {"counts", "normalized"}
        What the cells of ``confusion_matrix.png`` are: ``"normalized"`` draws parts of the true
        class's images.
    escape_formulas : bool
        In ``held_out.csv`` and ``label_errors.csv``, put an apostrophe before names that a
        spreadsheet would run as a formula.
    open : bool
        Show the page in the browser, once it is written.
    overwrite : bool
        Replace those files if they exist; rows that still hold are taken over instead of computed
        again.
    progress : bool or callable, optional
        As for `penult.extract`; its ``stage`` says which step it is.

    Returns
    -------
    ReportFiles
        The page, the rows and the classifier.

    Raises
    ------
    PenultError
        As `penult.extract` and `penult.train` do, or if the folder cannot be written.
    """
    options = TrainOptions.of(
        classifier=classifier,
        grid=grid,
        scale=scale,
        reduce=reduce,
        class_weight=class_weight,
        test_size=test_size,
        ignore_splits=ignore_splits,
        min_per_class=min_per_class,
        near_duplicates=near_duplicates,
        seed=seed,
        folds=folds,
        runs=runs,
        refit=refit,
        max_memory=in_bytes(max_memory),
    )
    expand_grids(options.kinds, grid)  # refuses an unknown kind or parameter before any work
    require_weighable(options.kinds, class_weight)
    wanted = as_names(layer or ())
    rows = ModelRows(
        models=as_names(model), layers=wanted or ("penultimate",), views=views, join=join
    )
    extraction = Extraction(
        extractor=ExtractorSpec(
            rows=rows,
            weights=WeightsChoice.of(weights, offline=offline, architecture=architecture),
            engine=EngineOptions(engine=engine, device=device),
        ),
        listing=ListingOptions(
            labels=labels,
            label_pattern=label_pattern,
            path_column=path_column,
            label_column=label_column,
            splits=splits,
        ),
        needs_labels=True,
    )
    directory = Path(output)
    sources = extraction.listing.sources(images)
    file = feature_file_among(sources)
    made_by_rows = (weights, architecture) == (None, None) and replace(
        rows, layers=("penultimate",)
    ) == ModelRows()
    if file and not (made_by_rows and extraction.listing == ListingOptions()):
        raise made_already(file)
    require_folder(directory, sources, file, overwrite=overwrite)
    seconds: dict[str, float] = {}
    of_classifier: dict[str, Any] = {}
    found: dict[str, Any] = {}
    notes: dict[str, str] = {}
    files = [CLASSIFIER, *FILES]
    with (
        staged(directory, rows=FEATURES, files=files, optional=OPTIONAL) as folder,
        following(progress) as tell,
    ):
        if file is None:
            with timed(seconds, "extract"):
                extract_rows(
                    extraction,
                    sources,
                    folder / FEATURES,
                    earlier=directory / FEATURES,
                    tell=tell,
                )
        with timed(seconds, "train"):
            features, trained, held_out = train_with_rows(
                file or folder / FEATURES, (file and wanted) or ("all",), options, tell
            )
            trained.save(folder / CLASSIFIER, overwrite=True)
            # As it was divided to train: what follows says nothing of other parts.
            split = options.split(options.joined(features))
        contradictions = find_contradictions(features)
        log_contradictions(contradictions)
        if near_duplicates is None:
            leaks = find_leaks(features, split.train, features, split.held_out)
            warn_of_leaks(leaks, str(file or directory / FEATURES), drawn=split.drawn)
        if label_errors:
            with noted(notes, "labels"), timed(seconds, "label errors"):
                issues = find_label_issues(trained, features, progress=tell)
                of_classifier["label_issues"] = tuple(issues)
        if curve:
            with noted(notes, "curve"), timed(seconds, "learning curve"):
                of_classifier["curve"] = tuple(
                    learning_curve(trained, features, split=split, progress=tell)
                )
        nearest = NearestRows(
            features=features,
            held_out=trained.held_out,
            split=split,
            threshold=near_duplicates or 0.95,
            seed=seed,
            memory=options.max_memory,
            offline=offline,
        )
        if retrieval:
            with noted(notes, "retrieval"), timed(seconds, "retrieval"):
                found["retrieval"] = nearest.retrieval(tell)
        if duplicates:
            with noted(notes, "duplicates"), timed(seconds, "duplicates"):
                found["duplicates"] = nearest.duplicates()
        # Of images, their hosts were named when they were first listed.
        opener = image_opener(features, offline=offline, announce=file is not None)
        recipes = [one for one, _ in layer_recipes(file or folder / FEATURES).values()]
        content = build_report(sources, file, features, trained, opener, recipes, **of_classifier)
        content = replace(
            content, seconds=seconds, notes=notes, contradictions=contradictions, **found
        )
        write_report(
            folder,
            content,
            held_out=held_out,
            normalize=confusion == "normalized",
            escape_formulas=escape_formulas,
            overwrite=True,
        )
        on_disk: Any = features.features
        on_disk.file.close()  # some systems do not rename a file that is open
    if open:
        open_page(directory / PAGE)
    return ReportFiles(
        directory / PAGE,
        load(file or directory / FEATURES, trained.layer),
        trained,
        of_classifier.get("label_issues"),
        find(content),
    )
