"""Fine-tuning inside scikit-learn: a classifier over images."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from penult.backbones.registry import DEFAULT_MODEL
from penult.backbones.weights.choice import WeightsChoice
from penult.checking import require_fitting
from penult.errors import TrainingError, UsageError
from penult.extractor import EngineOptions, ReadingOptions
from penult.extras import require_extra, require_torch
from penult.finetuning.class_targets import ClassTargets
from penult.finetuning.given_photos import GivenPhotos
from penult.finetuning.options import FinetuneOptions
from penult.finetuning.trained_network import TrainedNetwork
from penult.images.in_memory import as_records
from penult.images.sources.given_table import is_missing
from penult.progress import ShowProgress, following
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.finetuning.outcome import Outcome
    from penult.records import Finetuned

__all__ = ["FineTuner"]


class FineTuner(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A scikit-learn classifier of images that trains a network's last blocks and a new head.

    Images are what they are for `penult.FeatureExtractor`: paths, Pillow images, uint8 arrays,
    bytes and binary files. It does what `penult.finetune` does with a `test_size` of 0, and with
    the same photos in the same order it ends in the same weights. See docs/finetune.md.

    What `fit` is given is the training set. A part of it validates: by that part training is
    stopped, weights are averaged and probabilities calibrated. Nothing is held out to be scored;
    that is for scikit-learn (`cross_val_score`, `train_test_split`). Hence there is no `test_size`
    and no `ignore_splits`. Nor are there options for listing and labelling files, which are in
    `X` and `y`; `on_error`, since a classifier cannot leave out images; `output`, `overwrite`,
    `resume`, `restart` and `tensorboard`, since nothing is written before `save`.

    Parameters
    ----------
    model : str, default="efficientnet_lite0"
        Backbone, as listed by ``penult models``; any that torch runs.
    epochs : int, default=10
        How often each training photo is seen, at most.
    unfreeze : int or {"none", "last", "all"}, default="last"
        How many blocks learn, counted from the last. With ``"none"`` the head alone does.
    head : str, default="linear"
        ``"linear"``, or ``"mlp:1024"`` for one hidden layer of 1,024 ReLUs.
    lr : float, optional
        Highest learning rate of the head; 0.0003 by default, and 0.001 where it learns alone.
    layer_decay : float, default=0.8
        The learning rate of each block is this part of the next one's.
    weight_decay : float, default=0.01
        Of AdamW; biases, normalisations, tokens and positions have none.
    label_smoothing : float, default=0.1
        Share of the truth that is spread over all classes.
    batch_norm : {"fixed", "train"}, default="fixed"
        Whether batch normalisations of unfrozen blocks keep the means and variances that they came
        with, or take each batch's.
    augment : {"light", "strong", "none"}, optional
        How training photos are changed at random; ``"light"`` by default where blocks are unfrozen.
    class_weight : {"balanced"}, optional
        Have all classes count alike, however many photos each has.
    patience : int, default=3
        Stop after so many epochs that were no better on the validation photos.
    wise_ft : bool, default=False
        Average the weights with those at the start (WiSE-FT), as far as that is better on the
        validation photos.
    train_batch_size : int, default=32
        Photos a step. Where they do not fit into memory together, they are run in parts.
    validation_size : float, default=0.2
        The part of the photos by which training is stopped.
    near_duplicates : float, default=0.95
        Photos whose rows have at least this cosine all train, or all validate; 1 keeps identical
        rows together only.
    seed : int, default=0
        Of the parts, the order of the photos, their changes and new weights: with the same seed
        and the same photos, `fit` gives the same network.
    weights : path or "random", optional
        A file to use in place of the pretrained weights.
    offline : bool, default=False
        Never touch the network.
    architecture : str, optional
        For a plain state dict (``checkpoint:PATH``), the backbone that it fits.
    precision : {"float32", "bfloat16"}, default="float32"
        Of the forward pass in training; weights are float32, and scores those of float32.
    engine : str, default="torch"
        What runs the network to predict, which torch trains. ``"auto"`` is what `penult.predict`
        takes: OpenVINO on a CPU, faster, and with most networks at the price of converting each
        fitted one, which a search over many does not want.
    device : str, default="auto"
        What it runs on: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
    workers : int, optional
        Decoding threads; no number depends on them.
    max_pixels : int, optional
        Refuse larger images, from their header.
    allow_truncated : bool, default=False
        Take what there is of truncated and damaged images.
    progress : bool or callable, default=False
        As for `penult.extract`; not shown by default, since scikit-learn calls estimators many
        times, and several at once.

    Attributes
    ----------
    classes_ : array, shape (K,)
        The classes as `y` has them, sorted. Where an image may have several, the columns of what
        `predict` gives: the labels; or of an indicator matrix, the names of a DataFrame's columns,
        and else 0 to K - 1.
    finetuned_ : penult.Finetuned
        What the training came to: its epochs, scores on the validation photos, and seconds; no
        test score.
    validation_indices_ : int64 array, shape (n,)
        Which of the images that `fit` was given validated, ascending; all others with a label
        trained.
    """

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        *,
        epochs: int = 10,
        unfreeze: int | str = "last",
        head: str = "linear",
        lr: float | None = None,
        layer_decay: float = 0.8,
        weight_decay: float = 0.01,
        label_smoothing: float = 0.1,
        batch_norm: Literal["fixed", "train"] = "fixed",
        augment: Literal["light", "strong", "none"] | None = None,
        class_weight: Literal["balanced"] | None = None,
        patience: int = 3,
        wise_ft: bool = False,
        train_batch_size: int = 32,
        validation_size: float = 0.2,
        near_duplicates: float = 0.95,
        seed: int = 0,
        weights: str | Path | None = None,
        offline: bool = False,
        architecture: str | None = None,
        precision: Literal["float32", "bfloat16"] = "float32",
        engine: str = "torch",
        device: str = "auto",
        workers: int | None = None,
        max_pixels: int | None = None,
        allow_truncated: bool = False,
        progress: ShowProgress = False,
    ) -> None:
        self.model = model
        self.epochs = epochs
        self.unfreeze = unfreeze
        self.head = head
        self.lr = lr
        self.layer_decay = layer_decay
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.batch_norm = batch_norm
        self.augment = augment
        self.class_weight = class_weight
        self.patience = patience
        self.wise_ft = wise_ft
        self.train_batch_size = train_batch_size
        self.validation_size = validation_size
        self.near_duplicates = near_duplicates
        self.seed = seed
        self.weights = weights
        self.offline = offline
        self.architecture = architecture
        self.precision = precision
        self.engine = engine
        self.device = device
        self.workers = workers
        self.max_pixels = max_pixels
        self.allow_truncated = allow_truncated
        self.progress = progress

    def fit(self, X: Any, y: Any, groups: Sequence[Any] | None = None) -> FineTuner:  # noqa: N803
        """Fine-tune the network on labelled images.

        Parameters
        ----------
        X : sequence of N images
            Paths, Pillow images, uint8 arrays, bytes or binary files, as for
            `penult.FeatureExtractor`.
        y : array-like, shape (N,) or (N, K)
            The class of each; or its labels where it may have several, as an indicator matrix of 0
            and 1 or a list of labels for each image. Images without any label train nothing.
        groups : sequence of N, optional
            Images of one group all train, or all validate.

        Returns
        -------
        FineTuner
            Itself.

        Raises
        ------
        MissingExtraError
            If torch or accelerate is not installed.
        UsageError, ValueError
            If an option, an image or a label is not what it may be.
        ImageError
            At the first image that cannot be read; names it.
        TrainingError
            If there are too few images or classes.
        BackboneError, EngineError
            If the network cannot be had, trained or run.
        """
        options = self._options()
        source = self._source(X, y, groups)
        require_torch("fine-tuning")
        require_extra("fine-tuning", "torch", "accelerate")
        from penult.finetuning.run import FinetuneRun

        def keep(outcome: Outcome) -> None:
            self._network = TrainedNetwork.of(outcome.module, outcome.model)
            self.validation_indices_ = outcome.parts.validation

        with (
            tempfile.TemporaryDirectory(prefix="penult-") as folder,
            following(self.progress) as tell,
        ):
            found = FinetuneRun(
                source=source,
                output=Path(folder) / "fitted.ckpt",
                options=options,
                precision=self.precision,
                keep=keep,
            ).run(tell)
        self._targets = source.targets
        self.classes_: NDArray[Any] = source.targets.classes
        self.finetuned_: Finetuned = replace(found, output="")
        return self

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Predict the class of each image.

        Parameters
        ----------
        X : sequence of N images
            As for `fit`.

        Returns
        -------
        array, shape (N,) or (N, K)
            Of `classes_`, the most probable one; where images may have several labels, an int64
            indicator matrix of those at least as probable as their thresholds, whose columns are
            `classes_`.

        Raises
        ------
        ImageError
            At the first image that cannot be read; names it. A classifier cannot leave out rows.
        UsageError
            If there is no image, or an element is none.
        EngineError
            If the network cannot be run.
        """
        probabilities = self.predict_proba(X)
        thresholds = self._network.model.head.thresholds
        if thresholds is not None:
            return (probabilities >= np.asarray(thresholds)).astype(np.int64)
        predicted: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return predicted

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Predict the calibrated probability of each class.

        Parameters
        ----------
        X : sequence of N images
            As for `fit`.

        Returns
        -------
        float64 array, shape (N, K)
            Of `classes_`; rows sum to 1, unless images may have several labels.

        Raises
        ------
        ImageError, UsageError, EngineError
            As `predict` does.
        """
        check_is_fitted(self)
        return self._network.model.head.calibrated.probabilities(self._rows(X))

    def decision_function(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Compute calibrated logits, the logarithms of odds.

        Parameters
        ----------
        X : sequence of N images
            As for `fit`.

        Returns
        -------
        float64 array, shape (N, K) or (N,)
            A column a class; of two classes, the logit of the second alone. Where images may have
            several labels, the logit of each less that of its threshold.

        Raises
        ------
        ImageError, UsageError, EngineError
            As `predict` does.
        """
        check_is_fitted(self)
        head = self._network.model.head.calibrated
        logits = head.logits(self._rows(X))
        if head.thresholds is not None:
            from scipy.special import logit

            found: NDArray[np.float64] = logits - logit(np.asarray(head.thresholds))
            return found
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:  # noqa: N803
        """Compute the accuracy; where images may have several labels, of all labels of each.

        Parameters
        ----------
        X : sequence of N images
            As for `fit`; those that it was fitted on flatter.
        y : array-like
            As for `fit`.
        sample_weight : array-like, shape (N,), optional
            How much each image counts.

        Returns
        -------
        float
            In [0, 1].

        Raises
        ------
        ImageError, UsageError, EngineError
            As `predict` does.
        """
        from sklearn.metrics import accuracy_score

        check_is_fitted(self)
        truth = self._targets.encoded(y)
        return float(accuracy_score(truth, self.predict(X), sample_weight=sample_weight))

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the fitted network as the folder that `penult.finetune` writes.

        Every command takes it for a model, and for a classifier. Its ``scores.json`` has no test
        score: ``test``, ``probe`` and ``difference`` are null, and the scores that its classifier
        carries are those on the validation images, and say so.

        Parameters
        ----------
        path : path
            The folder to write, whose name ends in ``.ckpt``.
        overwrite : bool, default=False
            Replace a checkpoint that is there.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        UsageError
            If the name does not end so.
        OutputExistsError, OutputError
            If the folder cannot be written.
        MissingExtraError
            If torch is not installed.
        """
        check_is_fitted(self)
        require_fitting(FineTuner.save, {"path": path, "overwrite": overwrite})
        require_torch("writing a checkpoint")
        return self._network.save(Path(path), overwrite=overwrite)

    def _options(self) -> FinetuneOptions:
        given = require_fitting(FineTuner.__init__, self.get_params(deep=False))
        names = FinetuneOptions.__dataclass_fields__.keys() & given.keys()
        return FinetuneOptions(test_size=0.0, **{name: given[name] for name in names})

    def _source(self, X: Any, y: Any, groups: Sequence[Any] | None) -> GivenPhotos:  # noqa: N803
        records = as_records(X)
        _require_some(len(records))
        targets = ClassTargets.of(y)
        named = None if groups is None else _as_groups(groups)
        for what, there in (("label", len(targets)), ("group", len(named or records))):
            if there != len(records):
                raise UsageError(
                    f"{count(len(records), 'image')} and {count(there, what)} were given; give "
                    f"one {what} an image"
                )
        if len(targets.classes) < 2:
            raise TrainingError(
                f"y has {count(len(targets.classes), 'class')} ({targets.names[0]}), and there is "
                "nothing to tell it from; give images of two or more"
            )
        return GivenPhotos(
            records=records,
            targets=targets,
            groups=named,
            model=self.model,
            weights=WeightsChoice.of(
                self.weights, offline=self.offline, architecture=self.architecture
            ),
            reading=self._reading,
            device=self.device,
        )

    @property
    def _reading(self) -> ReadingOptions:
        return ReadingOptions(
            workers=self.workers,
            max_pixels=self.max_pixels,
            allow_truncated=self.allow_truncated,
            on_error="fail",
        )

    def _rows(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        records = X if hasattr(X, "__len__") else list(X)
        rows = self._network.rows(
            records,
            engine=EngineOptions(engine=self.engine, device=self.device),
            reading=self._reading,
            progress=self.progress,
        )
        _require_some(len(rows))
        return rows

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.classifier_tags.multi_label = True
        return tags


def _require_some(images: int) -> None:
    if not images:
        raise UsageError("no images were given (0 sample(s)); give 1 or more")


def _as_groups(groups: Sequence[Any]) -> list[str]:
    found = []
    for place, one in enumerate(np.asarray(groups, dtype=object).ravel().tolist()):
        if is_missing(one):
            raise UsageError(f"groups[{place}] is {one}; give each image a group")
        found.append(str(one))
    return found
