"""How a classifier was trained: what its file, the command line and the report say of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from penult.classify.options import TrainOptions
from penult.parsing import to_record
from penult.records import Scores
from penult.representation import html_table, one_line, short_repr, short_text
from penult.wording import count, no_estimate, params_in_words, percent

__all__ = ["GridResult", "LayerResult", "SeedRuns", "TrainingSettings"]


_ZERO_SAYS_MUCH = ("trained_network", "untrained_accuracy")


@short_repr
@dataclass(frozen=True)
class GridResult:
    """What cross-validation made of one candidate of the grid.

    Attributes
    ----------
    classifier : str
        Kind of classifier.
    params : mapping of str to Any
        Parameter name to value.
    mean : float
        Of the accuracy over the folds; of the mean average precision where images may have several
        labels.
    std : float
        Standard deviation over the folds.
    log_loss : float or None
        In nats; None for kinds whose decisions are no logits.
    """

    classifier: str
    params: Mapping[str, Any]
    mean: float
    std: float
    log_loss: float | None = None


@short_repr
@dataclass(frozen=True)
class SeedRuns:
    """The scores of several runs, each with its own seed.

    Attributes
    ----------
    seeds : tuple of int
        Of each run.
    accuracies : tuple of float
        Of each run, on its held-out images.
    mean : float
        Of the accuracies.
    std : float
        Sample standard deviation of the accuracies.
    balanced_accuracy : float or None
        Mean of the runs'; None in files from before, and where images may have several labels.
    recalls : mapping of str to float
        Class to the mean recall over the runs that held images of it out.
    """

    seeds: tuple[int, ...]
    accuracies: tuple[float, ...]
    mean: float
    std: float
    balanced_accuracy: float | None = None
    recalls: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, seed: int, scores: Sequence[Scores]) -> SeedRuns:
        """Summarise two runs or more, whose seeds start from `seed` and are one apart.

        Parameters
        ----------
        seed : int
            Of the first run.
        scores : sequence of Scores
            Of each run.

        Returns
        -------
        SeedRuns
            With mean and standard deviation of the accuracies, and means of the recalls.
        """
        accuracies = [one.accuracy for one in scores]
        balanced = [b for one in scores if (b := one.balanced_accuracy) is not None]
        recalls: dict[str, list[float]] = {}
        for one in scores:
            for of_class in one.classes:
                if of_class.support:
                    recalls.setdefault(of_class.label, []).append(of_class.recall)
        return cls(
            seeds=tuple(range(seed, seed + len(accuracies))),
            accuracies=tuple(accuracies),
            mean=float(np.mean(accuracies)),
            std=float(np.std(accuracies, ddof=1)),
            balanced_accuracy=float(np.mean(balanced)) if balanced else None,
            recalls={label: float(np.mean(found)) for label, found in sorted(recalls.items())},
        )


@short_repr
@dataclass(frozen=True)
class LayerResult:
    """How the classifier of one layer did, where several layers were tried.

    Attributes
    ----------
    layer : str
        Its name.
    width : int
        Numbers a row.
    cross_validated : float
        Score in cross-validation, by which the layer was chosen.
    accuracy : float
        On the held-out images.
    interval : tuple of float or None
        Of the accuracy; None where images may have several labels, whose scores here are mean
        average precisions.
    runs : SeedRuns or None
        Of the layer, where there were several; None where images may have several labels.
    """

    layer: str
    width: int
    cross_validated: float
    accuracy: float
    interval: tuple[float, float] | None
    runs: SeedRuns | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a classifier was trained.

    Attributes
    ----------
    classifier : str
        Kind of classifier, e.g. ``"logistic"``.
    params : mapping of str to Any
        The chosen parameters.
    scale : {'l2', 'standard', 'none'}
        How rows are scaled.
    reduce : int or None
        How many principal components rows are reduced to; None where they keep all their numbers.
    explained_variance_ratio : float or None
        Which part of the variance of the training rows those have, in [0, 1].
    class_weight : {'balanced'} or None
        How much the rows of each class count; None where all rows count alike.
    seed : int
        Of the split, the folds and the classifier.
    folds : int
        Number of cross-validation folds.
    grid : tuple of GridResult
        What cross-validation made of each candidate.
    edges : mapping of str to {'largest', 'smallest'}
        The parameters whose chosen value is the last one tried, so that a wider grid might do
        better.
    refit : bool
        Whether it was fitted again on all labelled images after it was scored.
    train_images : int
        Number of images it was trained on.
    augmented : int
        Number of augmented views of these images that it was trained on as well.
    held_out_images : int
        Number of images it was scored on.
    left_out : mapping of str to int
        Reason to number of images.
    copies : int
        Images that are identical to one before, kept in its part.
    trained_network : int or None
        How many of the held-out images trained the network that made the rows, so that the scores
        are no estimate for new ones; None where that is not known.
    untrained_accuracy : float or None
        On the others, where some did and some did not.
    near_duplicates : float or None
        Cosine from which images were taken for copies; None where only identical ones were.
    classes : mapping of str to int
        Class to number of training images.
    thresholds : tuple of float or None
        Of each of the K labels, the probability from which it is predicted; None where an image
        has one label.
    runs : SeedRuns or None
        Of several seeds; None where there was one run.
    layers : tuple of LayerResult
        Of each layer, where several were tried.
    file_layers : tuple of str
        The names of all rows in the feature file, where it has several, in execution order.
    layer : str
        The name of the rows that it was trained on; empty where that is the recipe's layer.
    not_tried : tuple of mapping
        Candidates that were left out because the others had clearly passed their best.
    options : TrainOptions or None
        As they were given; None in files of before they were kept.
    features : str
        Name of the feature file, without its folder; empty where the rows had none.
    test_features : str
        The same of the one that it was scored on, where that was another.
    """

    classifier: str
    params: Mapping[str, Any]
    scale: str = "l2"
    reduce: int | None = None
    explained_variance_ratio: float | None = None
    class_weight: str | None = None
    seed: int = 0
    folds: int
    grid: tuple[GridResult, ...]
    edges: Mapping[str, str] = field(default_factory=dict)
    refit: bool = False
    train_images: int
    augmented: int = 0
    held_out_images: int = 0
    left_out: Mapping[str, int]
    copies: int = 0
    trained_network: int | None = None
    untrained_accuracy: float | None = None
    near_duplicates: float | None = None
    classes: Mapping[str, int]
    thresholds: tuple[float, ...] | None = None
    runs: SeedRuns | None = None
    layers: tuple[LayerResult, ...] = ()
    file_layers: tuple[str, ...] = ()
    layer: str = ""
    not_tried: tuple[Mapping[str, Any], ...] = ()
    options: TrainOptions | None = None
    features: str = ""
    test_features: str = ""

    @property
    def chosen(self) -> GridResult:
        """The candidate that was chosen."""
        key = self.classifier, self.params
        return next(one for one in self.grid if (one.classifier, one.params) == key)

    @property
    def network_line(self) -> str | None:
        """How many of the held-out images trained the network, where some did."""
        if not self.trained_network:
            return None
        line = no_estimate(self.trained_network, self.held_out_images, "held-out image")
        others = self.held_out_images - self.trained_network
        if self.untrained_accuracy is None or not others:
            return line
        return f"{line}; accuracy on the other {others:,}: {percent(self.untrained_accuracy)}"

    @property
    def fitting(self) -> dict[str, Any]:
        """What fits with these settings take beside rows, labels and parameters."""
        return {
            "scale": self.scale,
            "seed": self.seed,
            "class_weight": self.class_weight,
            "reduce": self.reduce,
        }

    @property
    def images_in_words(self) -> str:
        """How many images it was trained on, and how many augmented views of them."""
        images = count(self.train_images, "image")
        if not self.augmented:
            return images
        of = "it" if self.train_images == 1 else "them"
        return f"{images} and {count(self.augmented, 'augmented view')} of {of}"

    @property
    def reduction_in_words(self) -> str | None:
        """What rows are reduced to, if they are, and what that keeps."""
        if self.reduce is None:
            return None
        kept = f"{count(self.reduce, 'principal component')}"
        if self.explained_variance_ratio is None:
            return kept
        have = "has" if self.reduce == 1 else "have"
        return f"{kept}, which {have} {percent(self.explained_variance_ratio)} of the variance"

    def __repr__(self) -> str:
        return one_line("TrainingSettings", [(name, said) for name, said, _ in self._told()])

    def _repr_html_(self) -> str:
        facts = [(name, whole) for name, _, whole in self._told()]
        told = [("left out", f"{images:,} {reason}") for reason, images in self.left_out.items()]
        grid = [
            (
                one.classifier,
                params_in_words(one.params),
                percent(one.mean),
                f"{100 * one.std:.1f}",
                "" if one.log_loss is None else f"{one.log_loss:.4g}",
            )
            for one in self.grid
        ]
        score = "accuracy" if self.thresholds is None else "mean average precision"
        header = ("classifier", "parameters", score, "±", "log-loss")
        return html_table("Training settings", [*facts, *told], [header, *grid])

    def _told(self) -> list[tuple[str, str | None, str | None]]:
        """What each is, and its value: in a line, and in a table."""
        params = short_text(params_in_words(self.params), 100)
        folds, candidates = count(self.folds, "fold"), count(len(self.grid), "candidate")
        train, held = f"{self.train_images:,}", f"{self.held_out_images:,}"
        runs = None if self.runs is None else count(len(self.runs.seeds), "run")
        refit = "fitted again on all" if self.refit else None
        scaled = "not scaled" if self.scale == "none" else f"scale {self.scale}"
        reduced = None if self.reduce is None else f"reduced to {self.reduce:,}"
        copies = f"{self.copies:,}" if self.copies else None
        features = short_text(self.features, 100) or None
        return [
            ("classifier", f"{self.classifier} {params}".strip(), f"{self.classifier} {params}"),
            ("scale", scaled, self.scale),
            ("reduced to", reduced, self.reduction_in_words),
            ("class weights", self.class_weight and "balanced classes", self.class_weight),
            ("seed", f"seed {self.seed}", str(self.seed)),
            ("folds", folds, str(self.folds)),
            ("candidates", candidates, f"{len(self.grid):,}"),
            ("runs", runs, runs),
            ("trained on", f"trained on {self.images_in_words}", train),
            ("augmented views", None, f"{self.augmented:,}" if self.augmented else None),
            ("held out", f"held out {held}", held),
            ("identical images", copies and f"{copies} identical", copies),
            ("fitted again", refit, refit and "on all images"),
            ("features", features, features),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            Field to value; ``thresholds``, ``runs``, ``layers``, ``file_layers``, ``layer``,
            ``not_tried``, ``options``, the files' names, ``reduce``, ``explained_variance_ratio``,
            ``class_weight`` and ``augmented`` only where there are any, ``trained_network`` and
            ``untrained_accuracy`` only where they are known.
        """
        data = dataclasses.asdict(self)
        for name in (
            *("thresholds", "runs", "layers", "file_layers", "layer", "not_tried"),
            *("options", "features", "test_features"),
            *("reduce", "explained_variance_ratio", "class_weight", "augmented"),
            *("trained_network", "untrained_accuracy"),
        ):
            if data[name] is None or (not data[name] and name not in _ZERO_SAYS_MUCH):
                del data[name]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrainingSettings:
        """Read what `to_dict` wrote, also by an older penult, and also after a trip through JSON.

        Parameters
        ----------
        data : mapping
            Field to value.

        Returns
        -------
        TrainingSettings
            An equal one.

        Raises
        ------
        FileFormatError
            If something that is needed is missing, or a value has another type.
        """
        return to_record(cls, data, ignore_unknown=True)
