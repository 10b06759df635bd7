"""From rows and a classifier to what the page shows of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.classify.classifier import Classifier
from penult.images.notes import listing_messages
from penult.partition.stratification import is_labelled
from penult.recipe import Recipe
from penult.records import Features
from penult.reporting.commands import FEATURES, SHOWN_SOURCES, commands_of
from penult.reporting.content import Report
from penult.reporting.trained import Trained
from penult.wording import listed

if TYPE_CHECKING:
    from penult.classify.diagnosis.label_errors import LabelIssue
    from penult.classify.diagnosis.learning_curve import CurvePoint

__all__ = ["build_report"]


def build_report(
    sources: Sequence[str | Path],
    file: Path | None,
    features: Features,
    classifier: Classifier,
    open_image: Callable[[str], bytes | None],
    recipes: Sequence[Recipe] = (),
    *,
    label_issues: tuple[LabelIssue, ...] | None = None,
    curve: tuple[CurvePoint, ...] = (),
) -> Report:
    """Gather what features and classifier say of themselves.

    Parameters
    ----------
    sources : sequence of path or str
        Where the images came from, as it was typed; or the feature file alone.
    file : Path or None
        The feature file, where one was given.
    features : Features
        The rows.
    classifier : Classifier
        Trained on them.
    open_image : callable
        As `Report` has it.
    recipes : sequence of Recipe
        Of all rows of the feature file, where there are others.
    label_issues : tuple of LabelIssue, or None
        As `Trained` has them, as is the next.
    curve : tuple of CurvePoint
        The learning curve.

    Returns
    -------
    Report
        Without notes and durations.
    """
    labels = features.labels if features.targets is None else features.targets
    return Report(
        title=_title(file.with_suffix("") if file else sources[0]),
        source=listed([str(source) for source in sources], SHOWN_SOURCES),
        class_counts={
            name: number
            for name, number in features.images_per_class().items()
            if name in classifier.label_names or not classifier.settings.left_out
        },
        recipe=features.recipe,
        trained=Trained(
            scores=classifier.scores,
            held_out=classifier.held_out,
            settings=_settings(classifier),
            chosen=classifier.settings.layer or features.recipe.layer,
            layers=classifier.settings.layers,
            runs=classifier.settings.runs,
            label_issues=label_issues,
            curve=curve,
        ),
        rows=len(features),
        unlabelled=int((~is_labelled(labels)).sum()),
        failures=features.failures,
        passed_over=features.origin.get("passed_over", {}),
        listing_messages=tuple(listing_messages({**features.origin, "passed_over": {}})),
        versions={**features.recipe.versions, **classifier.versions},
        commands=commands_of(sources, file, features, classifier, recipes),
        feature_file=str(file or FEATURES),
        open_image=open_image,
    )


def _title(source: str | Path) -> str:
    if source == "-":
        return "standard input"
    name = source.resolve().name if isinstance(source, Path) else source.rstrip("/")
    return name.rpartition("/")[2] or str(source)


def _settings(classifier: Classifier) -> dict[str, Any]:
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
    settings["grid's edge"] = [f"{name} is the {edge} tried" for name, edge in edges.items()]
    settings["not_tried"] = [
        ", ".join(f"{name} = {value:g}" for name, value in params.items())
        for params in settings.pop("not_tried", ())
    ]
    settings["reduced_to"] = classifier.settings.reduction_in_words
    for name in ("reduce", "explained_variance_ratio"):
        settings.pop(name, None)
    settings["augmented views"] = settings.pop("augmented", 0) or None
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
