"""A classifier read from its file, and tried out before it is given to anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.checkpoint_folder import CLASSIFIER as HEAD
from penult.backbones.checkpoint_folder import is_checkpoint_folder
from penult.checking import checked
from penult.classify import classifier_file
from penult.classify.classifier import Classifier, Description
from penult.classify.finetuned_folder import at_home, home_of
from penult.classify.metrics.scores import scores_from_dict
from penult.classify.pipeline import row_width
from penult.classify.settings import TrainingSettings
from penult.errors import ClassifierFileError, FileFormatError, UsageError
from penult.inputs import refuse_unread
from penult.interface import command
from penult.likeness import Likeness
from penult.likeness.stored import StoredLikeness, with_rows
from penult.parsing import to_record
from penult.recipe import ProjectedRecipe, Recipe
from penult.records import HeldOut
from penult.suffixes import CLASSIFIER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.recipe import Projection

__all__ = ["as_classifier", "describe_classifier", "load_classifier", "refuse_swapped"]

# No backbone's rows are as long; a file that claims more is out to fill the memory.
MAX_ROW_LENGTH = 1 << 24


def describe_classifier(path: str | Path) -> Description:
    """Read what a classifier file says of itself, quickly: without skops and scikit-learn.

    Parameters
    ----------
    path : path
        The file, or the folder of a fine-tuned network.

    Returns
    -------
    Description
        All but the pipeline.

    Raises
    ------
    PathNotFoundError
        If there is no such file.
    ClassifierFileError
        If it is no classifier file, truncated, or from a newer penult.
    FileFormatError
        If the folder is not whole.
    """
    file, folder = _places(path)
    return Description(**_fields(file, classifier_file.read_description(file), folder))


def as_classifier(classifier: Classifier | str | Path) -> Classifier:
    """Take a classifier as it is, or load it from its file, or a fine-tuned network's folder.

    Raises
    ------
    PathNotFoundError, ClassifierFileError
    """
    return classifier if isinstance(classifier, Classifier) else load_classifier(classifier)


@checked
def load_classifier(path: str | Path) -> Classifier:
    """Load a classifier file. Executes nothing that the file brings.

    Parameters
    ----------
    path : path
        A file that `Classifier.save` wrote, or the folder of a fine-tuned network, whose head it
        then is, on the rows of the network in that folder.

    Returns
    -------
    Classifier
        It gives the probabilities that the saved one gave.

    Raises
    ------
    PathNotFoundError
        If there is no such file.
    ClassifierFileError
        If it is no classifier file, truncated, from a newer penult, or holds anything that a
        classifier never holds.
    FileFormatError
        If the folder is not whole.
    """
    path, folder = _places(path)
    found = classifier_file.read_all(path)
    fields = _fields(path, found.description, folder)
    held = {
        "pipeline": found.pipeline,
        "trained_on": found.trained_on,
        "network_trained_on": found.network_trained_on,
    }
    classifier = Classifier(**{**fields, **held})
    _try_out(path, classifier)
    if classifier.likeness is None:
        return classifier
    width = row_width(classifier.applied)
    fields["likeness"] = _with_rows(path, classifier.likeness, found.kept_rows, width)
    return Classifier(**{**fields, **held})


def refuse_swapped(classifier: Classifier | str | Path, images: Any) -> None:
    """Refuse photos in the place of the classifier, and the classifier in theirs.

    Raises
    ------
    UsageError
        Says what to type.
    """
    if isinstance(classifier, Classifier) or _is_named_so(classifier):
        return
    given = images if isinstance(images, list | tuple) else [images]
    for one in given:
        if isinstance(one, str | Path) and _is_named_so(one):
            right = command("predict", str(one), str(classifier))
            raise UsageError(f"the classifier comes first, and then the photos: {right}")


def _is_named_so(path: str | Path) -> bool:
    return Path(path).suffix.lower() in CLASSIFIER.suffixes or is_checkpoint_folder(path)


def _places(path: str | Path) -> tuple[Path, Path | None]:
    """The classifier file, and the folder of the fine-tuned network that it is the head of."""
    path = Path(path)
    folder = home_of(path)
    return (path, None) if folder is None else (folder / HEAD, folder)


@dataclass(frozen=True)
class _Stored:
    """The description in a classifier file, as JSON has it."""

    label_names: tuple[str, ...]
    recipe: str
    scores: Mapping[str, Any]
    held_out: Mapping[str, Any]
    versions: Mapping[str, str]
    settings: Mapping[str, Any]
    likeness: StoredLikeness | None = None


def _fields(
    path: Path, description: Mapping[str, Any], folder: Path | None = None
) -> dict[str, Any]:
    fields = _stored_fields(path, description)
    if folder is not None:
        fields["recipe"] = at_home(fields["recipe"], folder)
    return fields


def _stored_fields(path: Path, description: Mapping[str, Any]) -> dict[str, Any]:
    try:
        stored = to_record(_Stored, description, ignore_unknown=True)
        return {
            "label_names": stored.label_names,
            "recipe": _recipe(stored.recipe, description["projections"]),
            "scores": scores_from_dict(stored.scores),
            "held_out": to_record(HeldOut, stored.held_out),
            "versions": stored.versions,
            "settings": TrainingSettings.from_dict(stored.settings),
            "likeness": stored.likeness and stored.likeness.opened(),
        }
    except (FileFormatError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ClassifierFileError(
            f"{path} cannot be read as a classifier: {error}; it is damaged, or was written by a "
            "newer penult"
        ) from error


def _recipe(text: str, projections: Mapping[str, Projection]) -> Recipe:
    recipe = Recipe.from_json(text, projections)
    _ = recipe.projections  # which makes no rows without
    return recipe


def _with_rows(
    path: Path, likeness: Likeness, flat: NDArray[np.int8] | None, width: int
) -> Likeness:
    """Give a description the rows that it speaks of, if they are that many and so long."""
    try:
        return with_rows(likeness, flat, width)
    except ValueError as error:
        raise ClassifierFileError(
            f"{path} is refused: the training rows in it are not those that it describes"
        ) from error


def _try_out(path: Path, classifier: Classifier) -> None:
    # Trusted types can still hold numbers that do not fit together; found here, not at row 10,000.
    try:
        width = min(row_width(classifier.applied), MAX_ROW_LENGTH)
        probabilities = classifier.predict_features(np.ones((1, width), np.float32))
        fits = probabilities.shape == (1, len(classifier.label_names)) and bool(
            ((probabilities >= 0) & (probabilities <= 1)).all()
        )
        if classifier.thresholds is None:
            fits = fits and bool(np.allclose(probabilities.sum(axis=1), 1))
        else:
            fits = fits and len(classifier.thresholds) == len(classifier.label_names)
    except Exception as error:
        refuse_unread(path, error)
        raise ClassifierFileError(
            f"{path} is refused: its pipeline cannot be applied to a row ({error})"
        ) from error
    if not fits:
        raise ClassifierFileError(f"{path} is refused: its probabilities are none")
    recipe = classifier.recipe
    if isinstance(recipe, ProjectedRecipe) and recipe.components != width:
        raise ClassifierFileError(
            f"{path} is refused: it takes rows of {width:,} numbers, and its projection gives "
            f"{recipe.components:,}"
        )
