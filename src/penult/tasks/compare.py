"""Networks compared on the same images."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.comparison.candidates import default_models, given_files, list_candidates
from penult.comparison.folder import ComparisonFolder
from penult.comparison.run import ComparisonRun
from penult.comparison.splits import SplitOptions, Splits
from penult.errors import PenultError, UnknownNameError, UsageError
from penult.extraction import Extraction
from penult.extractor import (
    EngineOptions,
    ExtractorSpec,
    ModelRows,
    ReadingOptions,
    as_names,
)
from penult.features.places import rows_address
from penult.images.listing import Images
from penult.images.listing_options import ListingOptions
from penult.interface import option
from penult.progress import ShowProgress, following
from penult.recipe import Pooling, Precision, Views
from penult.records import Comparison
from penult.representation import what_given
from penult.suffixes import FEATURES
from penult.wording import count, listed

if TYPE_CHECKING:
    from penult.images.labels.split_folders import SplitsFrom
    from penult.images.sources.base import SourceArgument

__all__ = ["compare"]

_log = logging.getLogger("penult")


@checked
def compare(
    images: Images,
    output: str | Path,
    *,
    model: str | Sequence[str] | None = None,
    layer: str | Sequence[str] = "penultimate",
    pooling: Pooling | None = None,
    normalize: Literal["none", "l2"] = "none",
    views: Views | Sequence[Views | Literal["none"]] | None = None,
    weights: str | Path | None = None,
    offline: bool = False,
    architecture: str | None = None,
    labels: str | Path | Sequence[Any] = "parent",
    label_pattern: str | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    splits: SplitsFrom = "auto",
    decode: Literal["exact", "scaled"] = "exact",
    resize: Literal["exact", "fast"] = "exact",
    precision: Precision | Sequence[Precision] = "float32",
    engine: str = "auto",
    device: str = "auto",
    batch_size: int | None = None,
    workers: int | None = None,
    streams: int | None = None,
    max_pixels: int | None = None,
    allow_truncated: bool = False,
    score: Literal["accuracy", "knn_accuracy", "hit@1", "hit@5", "precision@5"] = "accuracy",
    test_size: float = 0.2,
    runs: int | None = None,
    min_per_class: int = 0,
    near_duplicates: float | None = None,
    ignore_splits: bool = False,
    seed: int = 0,
    folds: int = 3,
    cost: bool = True,
    similarity: bool = True,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Comparison:
    """Compare networks on your own images: what they score and cost, and which to take.

    Each network's rows are made once and kept. All networks are scored on the same parts of the
    images, which are drawn once and lie in the folder, so that another network, or another run of
    the same call, is compared on them too: it adds to what is there, and computes nothing again
    that is finished. See docs/compare.md.

    Parameters
    ----------
    images : path, address, list of them, or DataFrame
        As for `penult.extract`; or feature files, each set of whose rows is compared.
    output : path
        Folder to write: ``comparison.json``, ``comparison.csv``, ``index.html``, ``figures``,
        ``splits.csv``, and ``features`` and ``results``, in which lies what is finished.
    model : str or sequence of str, optional
        Networks to compare, as listed by ``penult models``; ``"A+B"`` is two whose rows are joined.
        By default the bundled ones, and those whose weights are on this machine and that have fewer
        than 100 million parameters.
    layer : str or sequence of str, default="penultimate"
        Names and globs; each layer of each network is compared.
    pooling : {"avg", "max", "gem", "cls", "flatten", "none"}, optional
        As for `penult.extract`.
    normalize : {"none", "l2"}, default="none"
        As for `penult.extract`.
    views : {"flip", "five-crop", "ten-crop", "none"} or sequence, optional
        Views whose rows are averaged; of several, each network is compared with each.
    weights : path or "random", optional
        In place of the pretrained weights.
    offline : bool, default=False
        Never touch the network, neither for weights nor for images.
    architecture : str, optional
        For a plain state dict (``checkpoint:PATH``), the backbone that it fits.
    labels : {"parent", "none"}, "column:NAME", path or sequence, default="parent"
        As for `penult.extract`.
    label_pattern : str, optional
        Regular expression on file names whose group ``label`` is the label.
    path_column, label_column : str, optional
        The columns of a table that name the images and their labels.
    splits : {"auto", "folders", "none"}, default="auto"
        As for `penult.extract`.
    decode : {"exact", "scaled"}, default="exact"
        As for `penult.extract`.
    resize : {"exact", "fast"}, default="exact"
        As for `penult.extract`.
    precision : {"float32", "float16", "bfloat16"} or sequence, default="float32"
        Of several, each network is compared in each.
    engine, device : str, default="auto"
        As for `penult.extract`.
    batch_size, workers, streams, max_pixels : int, optional
        As for `penult.extract`.
    allow_truncated : bool, default=False
        As for `penult.extract`.
    score : {"accuracy", "knn_accuracy", "hit@1", "hit@5", "precision@5"}, default="accuracy"
        By what networks are ranked, told apart and recommended.
    test_size : float, default=0.2
        The part held out where the images have no splits of their own, in (0, 1).
    runs : int, optional
        How often another part is held out, with seeds one apart; by default 3 times, or once where
        the images have splits of their own.
    min_per_class : int, default=0
        Classes with fewer images are left out.
    near_duplicates : float, optional
        Images whose rows have at least this cosine (0.95, say) are kept in one part, as identical
        ones always are; by the rows of the network that is compared first.
    ignore_splits : bool, default=False
        Hold out random parts even where the images have splits of their own.
    seed : int, default=0
        Of the parts, the folds, the probes and the bootstrap.
    folds : int, default=3
        Of the cross-validation inside the training part, which chooses the probe's parameters.
    cost : bool, default=True
        Measure what each network costs: time, memory, operations.
    similarity : bool, default=True
        Work out how alike the networks' rows are: CKA and RSA.
    overwrite : bool, default=False
        Begin anew in a folder that holds a comparison: other parts, and all scored again. Rows
        that lie there are kept.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    Comparison
        The networks, best first; what is noise; and which to take.

    Raises
    ------
    UsageError
        If an option is wrong, these are not the images that the folder was made of, or no network
        could be compared.
    UnknownNameError
        If there is no such model.
    OutputExistsError, OutputError
        If the folder holds something else, or cannot be written.
    SourceError, TrainingError
        If there are no images, or too few labels, classes or images to divide.
    """
    options = SplitOptions(
        test_size=test_size,
        runs=runs,
        seed=seed,
        folds=folds,
        min_per_class=min_per_class,
        near_duplicates=near_duplicates,
        ignore_splits=ignore_splits,
    )
    options.of_training()  # what is wrong with them is said before any work
    extraction = Extraction(
        extractor=ExtractorSpec(
            rows=ModelRows(
                layers=as_names(layer),
                pooling=pooling,
                normalize=normalize,
                decode=decode,
                resize=resize,
            ),
            weights=WeightsChoice.of(weights, offline=offline, architecture=architecture),
            engine=EngineOptions(
                engine=engine, device=device, batch_size=batch_size, streams=streams
            ),
            reading=ReadingOptions(
                workers=workers, max_pixels=max_pixels, allow_truncated=allow_truncated
            ),
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
    precisions = _words("precision", precision, get_args(Precision))
    seen = _words("views", "none" if views is None else views, ("none", *get_args(Views)))
    sources = extraction.listing.sources(images)
    files = _feature_files(sources)
    if files:
        _require_no_options(files[0], extraction, model=model, precision=precisions, views=seen)
        candidates = given_files(files)
    else:
        models = default_models() if model is None else as_names(model)
        candidates = list_candidates(
            models,
            precisions=precisions,
            views=[None if one == "none" else one for one in seen],
            extraction=extraction,
        )
    folder = ComparisonFolder(Path(output))
    folder.require_usable()
    with following(progress) as tell:
        listing = None
        if not files:
            listing = extraction.listing.list(sources, leave_out=(folder.path,), offline=offline)
            extraction.require_labels(listing)
            if overwrite or folder.splits() is None:
                Splits.require_possible(listing.records, options)
            if model is None:
                _log.warning(
                    "penult: no model was named: %s are compared, which may take minutes; %s names "
                    "others",
                    listed(models, len(models)),
                    option("model"),
                )
        made = folder.prepare(overwrite=overwrite)
        run = ComparisonRun(
            folder=folder,
            sources=sources,
            listing=listing,
            splits=options,
            score=score,
            cost=cost and not files,
            similarity=similarity,
            overwrite=overwrite,
            tell=tell,
        )
        try:
            comparison = run.run(candidates)
        except PenultError:
            folder.remove_empty(made)
            raise
    from penult.reporting.comparison_figures import comparison_figures, write_figures
    from penult.reporting.comparison_page import write_comparison_page

    comparison = replace(comparison, page=folder.page)
    figures = comparison_figures(comparison)
    write_figures(figures, folder.path / "figures")
    write_comparison_page(comparison, figures, folder.page, overwrite=True)
    return comparison


def _require_no_options(file: Path, extraction: Extraction, **given: Any) -> None:
    """Refuse options that say how rows are made, where they have been.

    Raises
    ------
    UsageError
    """
    default = {"model": None, "precision": ("float32",), "views": ("none",)}
    if given != default or extraction != Extraction(extractor=ExtractorSpec(), needs_labels=True):
        raise UsageError(
            f"{file} has rows already, so options that say how rows are made, and how images are "
            "listed, are of no use; leave them out, or give images"
        )


def _feature_files(sources: Sequence[SourceArgument]) -> list[Path]:
    """Those of the sources that are feature files: all of them, or none.

    Raises
    ------
    UsageError
    """
    files = [
        Path(one)
        for one in sources
        if isinstance(one, str | Path)
        and (Path(one).suffix.lower() in FEATURES.suffixes or rows_address(one) is not None)
    ]
    if files and len(files) < len(sources):
        raise UsageError(
            f"{files[0]} is a feature file, and {count(len(sources) - len(files), 'other')} of "
            "what was given is not; give feature files alone, or images"
        )
    return files


def _words(name: str, given: Any, known: tuple[Any, ...]) -> tuple[Any, ...]:
    """Each of the words that were given for an option, all of which have to be known.

    Raises
    ------
    UnknownNameError, UsageError
    """
    try:
        words = as_names(given)
    except TypeError:  # an array of no axes, which only looks as if it had elements
        words = (given,)
    if not words:
        raise UsageError(f"{option(name)} names none; give {', '.join(known)}, or several of them")
    for one in words:
        if not isinstance(one, str):
            raise UsageError(f"{name} is {what_given(given)}; give {', '.join(known)}, or several")
        if one not in known:
            raise UnknownNameError(name, one, known)
    return words
