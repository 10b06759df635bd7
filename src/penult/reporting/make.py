"""Everything in one go: features, a classifier, and the page that shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from penult.arguments import in_bytes
from penult.backbones.registry import DEFAULT_MODEL
from penult.checking import checked
from penult.extractor import EngineOptions, ModelRows, as_names
from penult.features.contradictions import find_contradictions, log_contradictions
from penult.features.read import layer_recipes, load
from penult.images.listing import Images
from penult.images.listing_options import ListingOptions
from penult.progress import ShowProgress, following
from penult.reporting.build import build_report, title_of
from penult.reporting.commands import CLASSIFIER, FEATURES
from penult.reporting.findings import find
from penult.reporting.given_checkpoint import checkpoint_among
from penult.reporting.opening import open_page
from penult.reporting.page import FILES, OPTIONAL, PAGE, PREDICTIONS, write_report
from penult.reporting.refusals import (
    feature_file_among,
    has_predictions,
    made_already,
    require_folder,
    tell_of_other_classifier,
)
from penult.reporting.report_call import ReportCall
from penult.reporting.report_files import ReportFiles
from penult.reporting.report_options import ReportOptions
from penult.reporting.staging import staged
from penult.reporting.steps.applied import apply_classifier
from penult.reporting.steps.collection import Looks, look_at
from penult.reporting.steps.course import Course
from penult.reporting.steps.evidence import draw_evidence
from penult.reporting.steps.finetuned import find_tested
from penult.reporting.steps.rows import extract_rows
from penult.reporting.steps.trained import train_classifier
from penult.reporting.steps.unlabelled import why_untrained, without_classifier
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
    classifier: str | Path | Sequence[str] = "logistic",
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
    map: bool = True,
    clusters: bool = True,
    outliers: bool = True,
    class_maps: bool = True,
    confusion: Literal["counts", "normalized"] = "counts",
    escape_formulas: bool = False,
    open: bool = False,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> ReportFiles:
    """Extract features, train a classifier, and write one page about both and the images.

    Of images without labels, or all of one, none is trained: the page shows what is there without.
    A classifier's file is applied in place of training one. See docs/report.md.

    Parameters
    ----------
    images : path, address, list of them, or DataFrame
        As for `penult.extract`; or a feature file, whose rows are then taken as they are, with the
        photos from where it was made; or the folder of a fine-tuned network, of which the page then
        is, and after it the photos that it was made with, if they are no longer where they were.
    output : path
        A folder, created if need be; gets ``index.html``, ``scores.json``,
        ``confusion_matrix.png``, ``held_out.csv``, ``label_errors.csv``, ``classifier.skops``,
        and of images also ``features.h5``. Without labels, those of the classifier are not made;
        one that is given makes ``predictions.csv``.
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
    classifier : str, path or sequence of str
        As for `penult.train`, as are the next thirteen; or a classifier's file, which says how rows
        are made, and is applied to all images, and scored on those that have a label it knows.
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
    map : bool
        Draw all rows on a map, in the page; of more than 5,000, a random part.
    clusters : bool
        Put images that look alike together, without their labels; of more than 20,000, a random
        part.
    outliers : bool
        Look for unusual images; of more than 20,000, in a random part.
    class_maps : bool
        Show, beside the most confident mistakes, where in the photo the classifier found its class,
        as `penult.look` does; only of linear classifiers.
    confusion : {"counts", "normalized"}
        What the cells of ``confusion_matrix.png`` are: ``"normalized"`` draws parts of the true
        class's images.
    escape_formulas : bool
        In CSV, also in what is saved from the map, put an apostrophe before names that a
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
    given = {**locals()}  # the arguments, before anything else has a name here
    wanted = as_names(layer or ())
    listing = ListingOptions(
        labels=labels,
        label_pattern=label_pattern,
        path_column=path_column,
        label_column=label_column,
        splits=splits,
    )
    sources = listing.sources(images)
    call = ReportCall.of(report, given, sources)
    tuned = checkpoint_among(sources, listing, classifier)
    if tuned is not None:
        classifier, sources, listing = tuned.folder, tuned.sources, tuned.listing
    options = ReportOptions.of(
        rows=ModelRows(
            models=as_names(model), layers=wanted or ("penultimate",), views=views, join=join
        ),
        weights=weights,
        offline=offline,
        architecture=architecture,
        listing=listing,
        engine=EngineOptions(engine=engine, device=device),
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
    directory = Path(output)
    file = feature_file_among(sources)
    if file and not options.by_default:
        raise made_already(file)
    makes = (CLASSIFIER,) if options.file is None else (PREDICTIONS,) if tuned is None else ()
    require_folder(directory, sources, file, makes=makes, overwrite=overwrite)
    looks = Looks(
        map=map,
        clusters=clusters,
        outliers=outliers,
        duplicates=duplicates,
        retrieval=retrieval,
        near=near_duplicates or 0.95,
        seed=seed,
        memory=options.training.max_memory,
        offline=offline,
        escape_formulas=escape_formulas,
        learnt=tuned is not None,
    )
    files = [CLASSIFIER, PREDICTIONS, *FILES]
    optional = [*OPTIONAL, *[PREDICTIONS] * has_predictions(directory / PAGE)]
    with (
        staged(directory, rows=FEATURES, files=files, optional=optional) as folder,
        following(progress) as tell,
    ):
        course, path, called = Course(tell), file or folder / FEATURES, file or directory / FEATURES
        if file is None:
            with course.timed("extract"):
                extract_rows(
                    options.extraction, sources, path, earlier=directory / FEATURES, tell=tell
                )
        if tuned is not None and options.classifier is not None:
            made = find_tested(
                options.classifier,
                tuned.photos,
                path,
                course,
                folder=tuned.folder,
                called=called,
                label_errors=label_errors,
            )
        elif options.classifier is not None:
            made = apply_classifier(
                options.classifier,
                path,
                course,
                save_as=folder / PREDICTIONS,
                called=called,
                escape_formulas=escape_formulas,
            )
        elif untrained := why_untrained(path):
            made = without_classifier(path, wanted if file else (), untrained)
        else:
            made = train_classifier(
                path,
                (file and wanted) or ("all",),
                options.training,
                course,
                save_as=folder / CLASSIFIER,
                called=called,
                label_errors=label_errors,
                curve=curve,
            )
        contradictions = find_contradictions(made.features)
        log_contradictions(contradictions, called)
        # Of images, their hosts were named when they were first listed.
        opener = image_opener(
            made.features, offline=offline, announce=file is not None, has_option=False
        )
        if class_maps:
            looked, maps = draw_evidence(
                made,
                course,
                open_image=opener,
                weights=weights,
                offline=offline,
                engine=options.extraction.extractor.engine,
            )
            made = replace(made, looked=looked, looked_maps=maps)
        title = title_of(sources, file) if tuned is None else title_of([tuned.folder], None)
        found = look_at(made, looks, course, title=title, open_image=opener)
        content = build_report(
            sources,
            file,
            made,
            found,
            course,
            opener,
            call=call,
            feature_file=str(called),
            recipes=[one for one, _ in layer_recipes(path).values()],
            contradictions=contradictions,
            applied=options.file if tuned is None else None,
            tuned=tuned,
        )
        write_report(
            folder,
            content,
            held_out=made.runs,
            normalize=confusion == "normalized",
            escape_formulas=escape_formulas,
            overwrite=True,
        )
        if file is None:
            on_disk: Any = made.features.features
            on_disk.file.close()  # some systems do not rename a file that is open
    if made.untrained or options.file is not None:
        tell_of_other_classifier(directory / CLASSIFIER, options.file)
    if open:
        open_page(directory / PAGE)
    return ReportFiles(
        page=directory / PAGE,
        features=load(called, made.features.name),
        classifier=made.classifier,
        label_issues=made.label_issues,
        untrained=made.untrained,
        predictions=made.predictions,
        evaluation=made.evaluation,
        verdict="" if tuned is None else tuned.finetuning.verdict,
        map=None if found.map is None else found.map.row_map,
        clusters=found.clusters,
        outliers=found.outliers,
        duplicates=found.duplicates,
        findings=find(content),
    )
