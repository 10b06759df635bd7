"""A network fine-tuned on labelled photos, into a folder that every command takes for a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from penult.backbones.registry import DEFAULT_MODEL
from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.extractor import ReadingOptions
from penult.extras import require_extra, require_torch
from penult.finetuning.options import FinetuneOptions
from penult.finetuning.photos import PhotoSource
from penult.images.listing import Images
from penult.images.listing_options import ListingOptions
from penult.progress import ShowProgress, following

if TYPE_CHECKING:
    from penult.images.labels.split_folders import SplitsFrom
    from penult.records import Finetuned

__all__ = ["finetune"]


@checked
def finetune(
    images: Images,
    output: str | Path,
    *,
    model: str = DEFAULT_MODEL,
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
    test_size: float = 0.25,
    validation_size: float = 0.2,
    ignore_splits: bool = False,
    near_duplicates: float = 0.95,
    seed: int = 0,
    weights: str | Path | None = None,
    offline: bool = False,
    architecture: str | None = None,
    labels: str | Path | Sequence[Any] = "parent",
    label_pattern: str | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    splits: SplitsFrom = "auto",
    precision: Literal["float32", "bfloat16"] = "float32",
    device: str = "auto",
    workers: int | None = None,
    on_error: Literal["skip", "fail"] = "skip",
    max_pixels: int | None = None,
    allow_truncated: bool = False,
    tensorboard: str | Path | None = None,
    resume: bool = False,
    restart: bool = False,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Finetuned:
    """Train a new head on a network, then the network's last blocks, and say whether it paid.

    Probe first, then fine-tune (Kumar et al., "Fine-Tuning can Distort Pretrained Features and
    Underperform Out-of-Distribution", ICLR 2022): the head starts as the logistic regression on the
    frozen network's rows. Then it and the unfrozen blocks learn together, at learning rates that
    fall from block to block towards the image. The epoch that does best on the validation photos is
    kept, and is scored on the test photos, once, beside the frozen network. See docs/finetune.md.

    Parameters
    ----------
    images : path, address, list of them, or DataFrame
        Labelled photos, as for `penult.extract`.
    output : path
        The folder to write, whose name ends in ``.ckpt``: the network's weights, its head as a
        classifier, scores, curves and a model card.
    model : str, default="efficientnet_lite0"
        Backbone, as listed by ``penult models``; any that torch runs.
    epochs : int, default=10
        How often each training photo is seen, at most.
    unfreeze : int or {"none", "last", "all"}, default="last"
        How many blocks learn, counted from the last. With ``"none"`` the head alone does.
    head : str, default="linear"
        ``"linear"``, or ``"mlp:1024"`` for one hidden layer of 1,024 ReLUs, which is trained on the
        frozen network's rows first.
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
        with, or take each batch's. Those of frozen blocks never change.
    augment : {"light", "strong", "none"}, optional
        How training photos are changed at random, by the policies of `penult.extract`; ``"light"``
        by default where blocks are unfrozen. With ``"none"``, what frozen blocks make of each photo
        is computed once and kept.
    class_weight : {"balanced"}, optional
        Have all classes count alike, however many photos each has.
    patience : int, default=3
        Stop after so many epochs that were no better on the validation photos.
    wise_ft : bool, default=False
        Average the weights with those at the start (WiSE-FT), as far as that is better on the
        validation photos.
    train_batch_size : int, default=32
        Photos a step. Where they do not fit into memory together, they are run in parts.
    test_size : float, default=0.25
        The part that is scored in the end, where the images have no splits of their own; 0 holds
        nothing out, for where scores come from elsewhere.
    validation_size : float, default=0.2
        Of the rest, the part by which training is stopped.
    ignore_splits : bool, default=False
        Draw the parts by chance even where the images have splits of their own.
    near_duplicates : float, default=0.95
        Photos whose rows have at least this cosine stay in one part; 1 keeps identical rows
        together only. Groups are never divided.
    seed : int, default=0
        Of the parts, the order of the photos, their changes and new weights.
    weights : path or "random", optional
        A file to use in place of the pretrained weights.
    offline : bool, default=False
        Never touch the network.
    architecture : str, optional
        For a plain state dict (``checkpoint:PATH``), the backbone that it fits.
    labels : {"parent", "none"}, "column:NAME", path or sequence, default="parent"
        Where labels come from, as for `penult.extract`.
    label_pattern : str, optional
        Regular expression on file names whose group ``label`` is the label.
    path_column, label_column : str, optional
        The columns of a table that name the images and their labels.
    splits : {"auto", "folders", "none"}, default="auto"
        Whether a top folder called train, test and so on is a split, or a class.
    precision : {"float32", "bfloat16"}, default="float32"
        Of the forward pass in training; weights are float32, and scores those of float32.
    device : str, default="auto"
        What it runs on: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``. Processes that torchrun or
        ``accelerate launch`` started take a GPU each.
    workers : int, optional
        Decoding threads; no number depends on them.
    on_error : {"skip", "fail"}, default="skip"
        Whether a photo that cannot be read is left out and counted, or ends the run.
    max_pixels : int, optional
        Refuse larger images, from their header.
    allow_truncated : bool, default=False
        Take what there is of truncated and damaged images.
    tensorboard : path, optional
        A folder for logs that TensorBoard shows; needs the extra ``tensorboard``.
    resume : bool, default=False
        Go on where an interrupted run with the same options was; on one CPU thread, the result is
        that of a run that was never interrupted, to the last bit.
    restart : bool, default=False
        Throw away what an interrupted run left.
    overwrite : bool, default=False
        Replace a checkpoint that is there.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    Finetuned
        Its scores beside the frozen network's, and a verdict; without a test part, None in their
        place.

    Raises
    ------
    MissingExtraError
        If torch or accelerate is not installed.
    UsageError, SourceError, ImageError, BackboneError, EngineError
        If an option is wrong, or the images or the network cannot be had.
    TrainingError
        If there are too few labels, classes or photos.
    ResumeError
        If an interrupted run is there and neither `resume` nor `restart` was given, or it was
        another one.
    OutputExistsError, OutputError
        If the folder cannot be written.
    """
    options = FinetuneOptions(
        epochs=epochs,
        unfreeze=unfreeze,
        head=head,
        lr=lr,
        layer_decay=layer_decay,
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        batch_norm=batch_norm,
        augment=augment,
        class_weight=class_weight,
        patience=patience,
        wise_ft=wise_ft,
        train_batch_size=train_batch_size,
        test_size=test_size,
        validation_size=validation_size,
        ignore_splits=ignore_splits,
        near_duplicates=near_duplicates,
        seed=seed,
    )
    source = PhotoSource(
        images=images,
        model=model,
        weights=WeightsChoice.of(weights, offline=offline, architecture=architecture),
        listing=ListingOptions(
            labels=labels,
            label_pattern=label_pattern,
            path_column=path_column,
            label_column=label_column,
            splits=splits,
        ),
        reading=ReadingOptions(
            workers=workers,
            max_pixels=max_pixels,
            allow_truncated=allow_truncated,
            on_error=on_error,
        ),
        device=device,
    )
    require_torch("fine-tuning")
    require_extra("fine-tuning", "torch", "accelerate")
    from penult.finetuning.run import FinetuneRun

    run = FinetuneRun(
        source=source,
        output=Path(output),
        options=options,
        precision=precision,
        tensorboard=tensorboard,
        resume=resume,
        restart=restart,
        overwrite=overwrite,
        inputs=source.files,
    )
    with following(progress) as tell:
        return run.run(tell)
