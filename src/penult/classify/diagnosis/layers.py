"""A probe for each layer of a feature file, and which of them to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from penult.backbones.layer import one_by_one
from penult.classify.classifier import Classifier
from penult.classify.settings import LayerResult
from penult.classify.training.train import train
from penult.errors import UnknownNameError, UsageError
from penult.features.h5_file import find_rows
from penult.features.read import layer_recipes, load
from penult.interface import option
from penult.progress import ShowProgress, Tell, following
from penult.records import Features, HeldOut, Progress

__all__ = ["best_layer", "choose_layers", "runs_of", "train_best", "train_layers"]


def choose_layers(path: str | Path, wanted: Sequence[str]) -> list[str]:
    """Return which layers of a feature file are meant, in execution order.

    Parameters
    ----------
    path : path
        A feature file.
    wanted : sequence of str
        Names, globs such as ``"layer4.*"``, or ``"all"``; also a layer that only one set of rows
        is of, whatever its name.

    Returns
    -------
    list of str
        Names, as `Features.layers` has them.

    Raises
    ------
    UnknownNameError
        If one of them is no layer of the file; suggests close names.
    """
    recipes = {name: recipe for name, (recipe, _) in layer_recipes(path).items()}
    layers = tuple(recipes)
    chosen: set[str] = set()
    for name in wanted:
        found = layers
        if name != "all":
            found = tuple(layer for layer in layers if layer == name or fnmatchcase(layer, name))
        if not found and (of_layer := find_rows(name, recipes)):
            found = (of_layer,)
        if not found:
            hint = one_by_one(name, layers, every="all")
            raise UnknownNameError(f"layer in {path}", name, layers, hint=hint)
        chosen.update(found)
    return [layer for layer in layers if layer in chosen]


def train_layers(
    path: str | Path,
    layers: Sequence[str] = ("all",),
    *,
    test_features: str | Path | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> dict[str, Classifier]:
    """Train on each layer of a feature file in turn, in execution order.

    Parameters
    ----------
    path : path
        A feature file with one layer or several.
    layers : sequence of str, default=('all',)
        Names, globs such as ``"layer4.*"``, or ``"all"``.
    test_features : path, optional
        Another file with the same layers, to score on.
    progress : bool or callable, optional
        As for `penult.extract`; the fits of all layers are counted.
    **options : Any
        Others of `penult.train`; with the same seed every layer is scored on the same images.

    Returns
    -------
    dict of str to Classifier
        Layer to classifier, in execution order; `best_layer` says which to keep.

    Raises
    ------
    UnknownNameError
        If there is no such layer.
    UsageError
        If near-duplicates are to be found in several layers.
    PenultError
        As `penult.train` does.
    """
    if isinstance(test_features, Features):
        raise UsageError("rows in memory have one layer; give the file to score on")
    names = choose_layers(path, layers)
    if len(names) > 1 and options.get("near_duplicates") is not None:
        raise UsageError(
            f"near-duplicates differ from layer to layer, and so would the parts that "
            f"{len(names)} layers are judged on; give one {option('layer')}, or leave out "
            f"{option('near_duplicates')}"
        )
    trained = {}
    with following(progress) as tell:
        for number, layer in enumerate(names):
            other = None if test_features is None else load(test_features, layer)
            trained[layer] = train(
                load(path, layer),
                test_features=other,
                progress=_share_of(number, len(names), tell),
                **options,
            )
    return trained


def train_best(path: str | Path, layers: Sequence[str], **options: Any) -> Classifier:
    """Train on each of some layers of a feature file, and return the best of them.

    Parameters
    ----------
    path : path
        A feature file.
    layers : sequence of str
        As for `train_layers`.
    **options : Any
        As for `train_layers`.

    Returns
    -------
    Classifier
        As `best_layer` chooses it; of one layer, that layer's.

    Raises
    ------
    PenultError
        As `train_layers` does.
    """
    trained = train_layers(path, layers, **options)
    return best_layer(trained) if len(trained) > 1 else next(iter(trained.values()))


def runs_of(classifier: Classifier, held_out: Sequence[HeldOut]) -> Sequence[HeldOut]:
    """Pick the runs of one layer among those of all that `train_layers` went through.

    Parameters
    ----------
    classifier : Classifier
        Of that layer.
    held_out : sequence of HeldOut
        What ``on_run`` was called with.

    Returns
    -------
    sequence of HeldOut
        The classifier's own first.
    """
    runs = classifier.settings.runs
    first = next(k for k, run in enumerate(held_out) if run is classifier.held_out)
    return held_out[first : first + (1 if runs is None else len(runs.seeds))]


def best_layer(trained: Mapping[str, Classifier]) -> Classifier:
    """Return the classifier with the highest score in cross-validation on its training part.

    Parameters
    ----------
    trained : mapping of str to Classifier
        Of `train_layers`.

    Returns
    -------
    Classifier
        One of them; its ``settings.layers`` says how each layer did.

    Notes
    -----
    The held-out images have no part in the choice, so that the score of the chosen one stays
    honest; of equals, the first is taken.
    """
    best = max(trained.values(), key=_cross_validated)
    layers = tuple(_layer_result(layer, one) for layer, one in trained.items())
    return replace(best, settings=replace(best.settings, layers=layers))


def _layer_result(layer: str, classifier: Classifier) -> LayerResult:
    scores = classifier.scores
    accuracy, interval = scores.accuracy, scores.interval
    runs = classifier.settings.runs
    if scores.mean_average_precision is not None:  # what cross-validation measured too
        accuracy, interval = scores.mean_average_precision, None
        runs = None
    return LayerResult(
        layer=layer,
        width=int(classifier.pipeline.n_features_in_),
        cross_validated=_cross_validated(classifier),
        accuracy=accuracy,
        interval=interval,
        runs=runs,
    )


def _cross_validated(classifier: Classifier) -> float:
    return classifier.settings.chosen.mean


def _share_of(number: int, count: int, tell: Tell) -> Tell:
    def tell_share(now: Progress) -> None:
        total = now.total or 0
        tell(replace(now, done=number * total + now.done, total=count * total))

    return tell_share
