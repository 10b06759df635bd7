"""A trained classifier: its pipeline, what it was trained on, and the file that holds both."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from penult.checking import checked
from penult.classify import classifier_file
from penult.classify.description import Description
from penult.classify.edges import edge_lines
from penult.classify.given_rows import checked_rows
from penult.classify.metrics.scores import scores_to_dict
from penult.classify.outcome import layers_rows, runs_line, trials_rows
from penult.classify.pipeline import (
    Applicable,
    class_probabilities,
    label_probabilities,
    row_width,
)
from penult.classify.prediction.ranked import ranked
from penult.classify.unbuilt import BuiltWhenAsked, Unbuilt
from penult.errors import UsageError
from penult.progress import ShowProgress
from penult.recipe import Recipe, require_equal
from penult.records import Features, Prediction, Predictions, in_words
from penult.representation import html_table, one_line, short, short_text
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Classifier", "Description"]


@dataclass(frozen=True, kw_only=True)
class Classifier(Description):
    """A classifier on feature vectors, with the recipe that makes them from photos.

    Attributes
    ----------
    label_names : tuple of str
        The K classes.
    recipe : Recipe
        How the rows it was trained on were made, and new ones must be.
    scores : Scores
        On the held-out images.
    held_out : HeldOut
        What it predicted for each of them.
    versions : mapping of str to str
        Library to version, of the run that trained it.
    settings : TrainingSettings
        How it was trained: ``classifier``, ``params``, ``grid`` and so on; ``to_dict()`` gives all
        of it, JSON-like.
    likeness : Likeness or None
        What tells photos like those that trained it from others; None in files from before, and
        where they were too few.
    pipeline : sklearn.pipeline.Pipeline
        Fitted; its classes are indices into `label_names`. That of a file is built when it is first
        asked for, which imports scikit-learn; linear classifiers predict without.
    trained_on : uint64 array or None
        Keys of the images it was trained on, of `penult.classify.evaluation.seen.content_keys`;
        None where they are not known.
    network_trained_on : uint64 array or None
        Of the head of a network whose fine-tuning was not kept: keys of the images that had trained
        the network before, of which there may be none. Else None.
    """

    pipeline: BuiltWhenAsked = BuiltWhenAsked()  # noqa: RUF009 - a descriptor
    trained_on: NDArray[np.uint64] | None = dataclasses.field(
        default=None, compare=False, repr=False
    )
    network_trained_on: NDArray[np.uint64] | None = dataclasses.field(
        default=None, compare=False, repr=False
    )

    def __repr__(self) -> str:
        each = [f"{kind} {score} ± {std}" for kind, _, score, std in trials_rows(self.settings)[1:]]
        compared = f"cross-validated: {', '.join(each)}" if each else None
        return one_line("Classifier", [*self._facts(), ("compared", compared)])

    def _repr_html_(self) -> str:
        edges = [("edge of the grid", line) for line in edge_lines(self.settings)]
        layers = layers_rows(self.settings, self.layer)
        return (
            html_table("Classifier", [*self._facts(), *edges], trials_rows(self.settings))
            + (html_table("Layers", (), layers) if layers else "")
            + self.scores._repr_html_()
        )

    def _facts(self) -> list[tuple[str, str | None]]:
        reduce = self.settings.reduce
        params = ", ".join(f"{name}={short(v)}" for name, v in self.settings.params.items())
        return [
            ("kind", " ".join(filter(None, (self.settings.classifier, params)))),
            ("class weights", self.settings.class_weight and "balanced classes"),
            ("reduced to", None if reduce is None else f"reduced to {reduce:,}"),
            ("classes", count(len(self.label_names), "class")),
            ("network", short_text(self.recipe.network)),
            ("layer", short_text(self.layer) + self._among()),
            ("scores", in_words(self.scores)),
            ("runs", runs_line(self.settings)),
        ]

    def _among(self) -> str:
        there = self.settings.file_layers
        if not there:
            return ""
        return f" ({'the last' if self.layer == there[-1] else 'one'} of {len(there)})"

    def require_recipe(self, other: Recipe, *, other_name: str) -> None:
        """Refuse rows that were made otherwise than the classifier's own.

        Parameters
        ----------
        other : Recipe
            Of the rows.
        other_name : str
            What brought it, for the message.

        Raises
        ------
        RecipeMismatchError
            Says where the recipes differ.
        """
        require_equal(
            self.recipe, other, name="the classifier", other_name=other_name, made_again=True
        )

    def predict_features(self, rows: NDArray[np.floating[Any]] | Features) -> NDArray[np.float64]:
        """Predict each class's probability for each row.

        Parameters
        ----------
        rows : array, shape (N, D), or Features
            Or (N, ...) with D numbers a row; made with the classifier's recipe.

        Returns
        -------
        float64 array, shape (N, K)
            Rows sum to one, unless the classifier is one for several labels an image; a class that
            had no image to train with has probability 0.

        Raises
        ------
        UsageError
            If the rows have another length or hold NaN or infinite numbers.
        RecipeMismatchError
            If the features were made otherwise.
        """
        rows = self._checked(rows)
        if self.thresholds is not None:
            return label_probabilities(self.applied, rows)
        return class_probabilities(self.applied, rows, len(self.label_names))

    @property
    def applied(self) -> Applicable:
        """What rows are put into: the pipeline, or what was read of one that is not built."""
        held = vars(self)["pipeline"]
        return held.said if isinstance(held, Unbuilt) else held

    def similarity(self, rows: NDArray[np.floating[Any]] | Features) -> NDArray[np.float32] | None:
        """Measure how near rows come to those that trained the classifier.

        Parameters
        ----------
        rows : array, shape (N, D), or Features
            As for `predict_features`.

        Returns
        -------
        float32 array, shape (N,), or None
            Cosines to the fifth nearest training row of those that were kept; below
            ``likeness.threshold`` a row is unlike anything that it was trained on. None where
            `likeness` is None.

        Raises
        ------
        UsageError
            As `predict_features` does.
        """
        rows = self._checked(rows)
        return None if self.likeness is None else self.likeness.similarity(rows)

    def _checked(self, given: NDArray[np.floating[Any]] | Features) -> NDArray[np.float32]:
        if isinstance(given, Features):
            self.require_recipe(given.recipe, other_name="these features")
            given = given.features[:]
        return checked_rows(given, row_width(self.applied))

    @checked
    def predictions(
        self,
        ids: Sequence[str],
        probabilities: NDArray[np.float64],
        *,
        similarity: NDArray[np.float32] | None = None,
        top: int = 1,
    ) -> list[Prediction]:
        """Turn probabilities into predictions, most probable class first.

        Parameters
        ----------
        ids : sequence of str
            Names of the N rows.
        probabilities : float64 array, shape (N, K)
            Of `predict_features`.
        similarity : float32 array, shape (N,), optional
            Of the method of that name; without it nothing is said of which are unlike.
        top : int, default=1
            How many classes to list; at most K are.

        Returns
        -------
        list of Prediction
            One for each row.

        Raises
        ------
        UsageError
            If `top` is less than 1.
        """
        if top < 1:
            raise UsageError(f"top is {top}; give 1 or more")
        marked = None
        if similarity is not None and self.likeness is not None:
            marked = self.likeness.is_unlike(similarity)
        return ranked(
            ids,
            probabilities,
            self.label_names,
            top=top,
            thresholds=self.thresholds,
            similarity=similarity,
            unlike=marked,
        )

    @checked
    def predict(
        self,
        images: str | Path | Iterable[Any],
        *,
        top: int = 1,
        threshold: float | None = None,
        unlike: float | Literal["auto", "off"] = "auto",
        copy_to: str | Path | None = None,
        copy_mode: Literal["copy", "hardlink", "symlink", "move"] = "copy",
        weights: str | Path | Sequence[str | Path] | None = None,
        offline: bool = False,
        engine: str = "auto",
        device: str = "auto",
        batch_size: int | None = None,
        workers: int | None = None,
        on_error: Literal["skip", "fail"] = "skip",
        progress: ShowProgress = None,
        on_listing: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> Predictions:
        """Classify photos.

        An image that cannot be read is none of the predictions, but of their ``failures``; a
        warning is logged that says so. Of images in memory, whose results are told apart by their
        places, one that cannot be read is an error. The generator
        `penult.classify.prediction.predict.predict_images` gives one outcome after the other.

        Parameters
        ----------
        images : path, address, or list
            As for `penult.extract`; or a list of images as for `penult.FeatureExtractor` (bytes or
            binary files of an upload, Pillow images, uint8 arrays), perhaps with paths between
            them, whose order is then kept.
        top : int, default=1
            How many classes to list for each.
        threshold : float, optional
            Predictions whose probability is lower are marked as unsure; in (0, 1].
        unlike : float or {"auto", "off"}, default="auto"
            Photos whose similarity is lower are marked as unlike all training photos; by default
            the classifier's own threshold. ``"off"`` marks none.
        copy_to : path, optional
            A folder, made if need be, in which each photo is put into the folder of its class, the
            unlike and the unsure ones into folders of their own, by what they may be; nothing there
            is replaced, and a photo that is there already is not put there twice. One that lies in
            the folder of another class already is an `OutputExistsError`.
        copy_mode : {"copy", "hardlink", "symlink", "move"}, default="copy"
            How photos are put there; `penult.move_back` undoes ``"move"``.
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
            ``"skip"`` has images that cannot be read among the ``failures``; ``"fail"`` stops at
            the first, with an `ImageError`.
        progress : bool or callable, optional
            As for `penult.extract`.
        on_listing : callable, optional
            Called once, before the first photo, with what was found beside the images:
            ``passed_over`` (extension to number of files) and ``left_out`` (what penult wrote
            itself). By default, that is logged as a warning.

        Returns
        -------
        Predictions
            A list of `Prediction`, one for each image that could be read, in the order of their
            ids; of images in memory, in theirs. The other images are its ``failures``.

        Raises
        ------
        UsageError, SourceError, BackboneError, EngineError
            If an option is wrong, or the images or the network cannot be had.
        RecipeMismatchError
            If the backbone on this machine is not the one the classifier was trained with.
        ImageError
            If an image in memory, or a path between them, cannot be read; with `on_error` "fail",
            any.
        OutputError
            If a photo cannot be copied; those before it were.
        """
        from penult.classify.prediction.predict import collect, predict_images

        return collect(
            predict_images(
                self,
                images,
                top=top,
                threshold=threshold,
                unlike=unlike,
                copy_to=copy_to,
                copy_mode=copy_mode,
                weights=weights,
                offline=offline,
                engine=engine,
                device=device,
                batch_size=batch_size,
                workers=workers,
                on_error=on_error,
                progress=progress,
                on_listing=on_listing,
            )
        )

    @checked
    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the classifier file; see `penult.load_classifier`.

        Parameters
        ----------
        path : path
            The file to write, whole or not at all.
        overwrite : bool, default=False
            Replace the file if it exists.

        Raises
        ------
        OutputExistsError
            If the file exists.
        PathNotFoundError
            If its folder does not exist.
        OutputError
            If it cannot be written.
        ClassifierFileError
            If it could not be opened again: its kind of classifier trusts too few types.
        FileFormatError
            If the arrays of a projection of its recipe are not at hand.
        """
        description = {
            "label_names": list(self.label_names),
            "recipe": self.recipe.to_json(),
            "scores": scores_to_dict(self.scores),
            "held_out": dataclasses.asdict(self.held_out),
            "versions": dict(self.versions),
            "settings": self.settings.to_dict(),
        }
        if self.likeness is not None:
            description["likeness"] = self.likeness.to_dict()
        classifier_file.write(
            Path(path),
            self.pipeline,
            description,
            trained_on=self.trained_on,
            network_trained_on=self.network_trained_on,
            kept_rows=None if self.likeness is None else self.likeness.rows,
            projections=self.recipe.projections,
            overwrite=overwrite,
        )
