"""From rows, a classifier and what else was found to what the page shows of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from penult.classify.classifier import Classifier
from penult.classify.edges import edge_lines, rising_edges
from penult.images.notes import listing_messages
from penult.interface import as_argument
from penult.partition.stratification import is_labelled
from penult.recipe import Recipe
from penult.records import Features
from penult.reporting.applied import Applied
from penult.reporting.classified import Classified
from penult.reporting.cluster_sections import ClustersContent
from penult.reporting.commands import (
    CORRECTED,
    SHOWN_SOURCES,
    applied_commands,
    collection_commands,
    commands_of,
    finetune_command,
    typed,
)
from penult.reporting.content import Report
from penult.reporting.given_checkpoint import GivenCheckpoint
from penult.reporting.relabelling import relabelling_step
from penult.reporting.report_call import ReportCall, with_labels
from penult.reporting.steps.collection import Collection
from penult.reporting.steps.course import Course
from penult.reporting.trained import Trained
from penult.wording import count, listed, percent

__all__ = ["build_report", "has_corrected_labels", "title_of"]

FINETUNED = "finetuned"
"""The kind of classifier that a head is."""


def build_report(
    sources: Sequence[str | Path],
    file: Path | None,
    made: Classified,
    found: Collection,
    course: Course,
    open_image: Callable[[str], bytes | None],
    *,
    call: ReportCall,
    feature_file: str,
    recipes: Sequence[Recipe] = (),
    contradictions: tuple[str, ...] = (),
    applied: Path | None = None,
    tuned: GivenCheckpoint | None = None,
) -> Report:
    """Gather what features and classifier say of themselves, and what was found.

    Parameters
    ----------
    sources : sequence of path or str
        Where the images came from, as it was typed; or the feature file alone.
    file : Path or None
        The feature file, where one was given.
    made : Classified
        The rows, and what a classifier says of them.
    found : Collection
        What the rows show by themselves.
    course : Course
        How long that took.
    open_image : callable
        As `Report` has it.
    call : ReportCall
        What the report was asked for.
    feature_file : str
        As `Report` has it.
    recipes : sequence of Recipe
        Of all rows of the feature file, where there are others.
    contradictions : tuple of str
        As `Report` has them.
    applied : Path or None
        The file of the classifier, where one was given.
    tuned : GivenCheckpoint or None
        The fine-tuned network, where one was given in the place of images.

    Returns
    -------
    Report
    """
    features, classifier = made.features, made.classifier
    labels = features.labels if features.targets is None else features.targets
    if tuned is not None:
        commands: tuple[str, ...] = (
            finetune_command(tuned.folder, tuned.photos, sources=() if file else sources),
            typed("predict", as_argument(str(tuned.folder)), "PHOTO_OR_FOLDER"),
        )
    elif applied is not None:
        commands = applied_commands(sources, file, applied, scored=made.scores is not None)
    elif classifier is None:
        commands = collection_commands(sources, file, features, recipes)
    else:
        commands = commands_of(sources, file, features, classifier, recipes)
    return Report(
        title=title_of(sources, file) if tuned is None else title_of([tuned.folder], None),
        source=listed([str(source) for source in sources], SHOWN_SOURCES),
        class_counts=_class_counts(made),
        recipe=features.recipe,
        trained=_trained(made),
        untrained=made.untrained,
        applied=None if applied is None else _applied(made, applied),
        finetuning=None if tuned is None else tuned.finetuning,
        map=found.map,
        clusters=_clusters(found, feature_file),
        outliers=found.outliers,
        retrieval=found.retrieval,
        duplicates=found.duplicates,
        contradictions=contradictions,
        rows=len(features),
        unlabelled=int((~is_labelled(labels)).sum()),
        failures=features.failures,
        passed_over=features.origin.get("passed_over", {}),
        listing_messages=tuple(listing_messages({**features.origin, "passed_over": {}})),
        versions={**features.recipe.versions, **(classifier.versions if classifier else {})},
        call=call,
        commands=(call.command(), *commands),
        relabelling=_relabelling(features, file, call, tuned) if made.label_issues else (),
        corrected_before=has_corrected_labels(features),
        feature_file=feature_file,
        open_image=open_image,
        notes=course.notes,
        seconds=course.seconds,
    )


def _relabelling(
    features: Features, file: Path | None, call: ReportCall, tuned: GivenCheckpoint | None
) -> tuple[str, ...]:
    """What to type once labels are put right."""
    if tuned is not None:
        again = finetune_command(tuned.folder, tuned.photos, labels=CORRECTED)
        return again, call.command()
    if file is None:
        return (call.command(changed=with_labels(features, CORRECTED)),)
    return relabelling_step(file, Path(CORRECTED)), call.command()


def has_corrected_labels(features: Features) -> bool:
    """Whether the labels come from the table that the next ones would be written to."""
    table = features.origin.get("labels")
    return isinstance(table, str) and Path(table).absolute() == Path(CORRECTED).absolute()


def title_of(sources: Sequence[str | Path], file: Path | None) -> str:
    """The page's heading: the name of the first source, or of the feature file."""
    return _title(file.with_suffix("") if file else sources[0])


def _class_counts(made: Classified) -> dict[str, int]:
    counts, classifier = made.features.images_per_class(), made.classifier
    if classifier is None or made.predictions is not None or not classifier.settings.left_out:
        return counts
    return {name: n for name, n in counts.items() if name in classifier.label_names}


def _trained(made: Classified) -> Trained | None:
    classifier = made.classifier
    if classifier is None or made.scores is None or made.held_out is None:
        return None
    given = made.predictions is not None
    return Trained(
        scores=made.scores,
        held_out=made.held_out,
        settings=_settings(classifier),
        chosen=classifier.settings.layer or made.features.recipe.layer,
        layers=() if given else classifier.settings.layers,
        runs=None if given else classifier.settings.runs,
        label_issues=made.label_issues,
        curve=made.curve,
        looked=made.looked,
        looked_maps=made.looked_maps,
    )


def _applied(made: Classified, file: Path) -> Applied:
    assert made.classifier is not None
    assert made.predictions is not None
    return Applied(
        file=str(file),
        label_names=made.classifier.label_names,
        predictions=made.predictions,
        several=made.classifier.thresholds is not None,
        seen=made.seen,
        evaluation=made.evaluation,
    )


def _clusters(found: Collection, file: str) -> ClustersContent | None:
    if found.clusters is None or found.clustered is None:
        return None
    return ClustersContent.of(found.clusters, found.clustered, file)


def _title(source: str | Path) -> str:
    if source == "-":
        return "standard input"
    name = source.resolve().name if isinstance(source, Path) else source.rstrip("/")
    return name.rpartition("/")[2] or str(source)


def _settings(classifier: Classifier) -> dict[str, Any]:
    if classifier.settings.classifier == FINETUNED:  # which no search has chosen
        of = classifier.settings
        return {
            "kind": "the head of a fine-tuned network",
            **of.params,
            "seed": of.seed,
            "trained_on": count(of.train_images, "image"),
        }
    settings = classifier.settings.to_dict()
    # The page counts every class's images in its table of classes; a threshold a class is too much.
    for name in ("classes", "thresholds"):
        settings.pop(name, None)
    for name in ("layers", "file_layers", "layer", "runs"):  # they have a place of their own
        settings.pop(name, None)
    options = settings.pop("options", {})
    settings |= {name: options.get(name) for name in ("test_size", "min_per_class", "max_memory")}
    settings["trained_on"] = settings.pop("features", "")
    settings["scored_on"] = settings.pop("test_features", "")
    edges = settings.pop("edges", {})
    rising = rising_edges(classifier.settings)
    settings["grid's edge"] = [
        *edge_lines(classifier.settings),
        *(
            f"{name} is the {edge} tried, and no better than the one before it: a wider grid "
            "promises nothing"
            for name, edge in edges.items()
            if name not in rising
        ),
    ]
    settings["not_tried"] = [
        ", ".join(f"{name} = {value:g}" for name, value in params.items())
        for params in settings.pop("not_tried", ())
    ]
    settings["reduced_to"] = classifier.settings.reduction_in_words
    for name in ("reduce", "explained_variance_ratio"):
        settings.pop(name, None)
    settings["augmented views"] = settings.pop("augmented", 0) or None
    settings["held-out images that trained the network"] = settings.pop("trained_network", None)
    settings["accuracy without these"] = (
        percent(accuracy)
        if (accuracy := settings.pop("untrained_accuracy", None)) is not None
        else None
    )
    settings["identical images"] = settings.pop("copies", 0) or None
    settings["chosen"] = {"classifier": settings.pop("classifier"), **settings.pop("params")}
    settings["grid"] = [
        {
            "classifier": trial["classifier"],
            **trial["params"],
            "accuracy": trial["mean"],
            "log_loss": trial.get("log_loss"),
        }
        for trial in settings["grid"]
    ]
    return settings
