"""``penult finetune``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from penult.cli import options as o
from penult.cli import training as t
from penult.cli.console import (
    Table,
    next_command,
    note,
    say,
    say_failures,
    say_json,
    say_path,
    warn_of_random,
)
from penult.cli.stop import resumable
from penult.cli.tables import say_accuracy, say_left_out
from penult.interface import as_argument, option
from penult.wording import count, listed, percent, points

if TYPE_CHECKING:
    from penult.records import Finetuned, Scores

_NAMED = 3  # images, or folders of them, that the next command names


def run(
    images: o.Images,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder to write, whose name ends in .ckpt."
        ),
    ],
    model: Annotated[
        str,
        typer.Option("--model", "-m", metavar="NAME", help="Network to fine-tune."),
    ] = "efficientnet_lite0",
    epochs: Annotated[
        int, typer.Option(min=1, help="How often each training photo is seen, at most.")
    ] = 10,
    unfreeze: Annotated[
        str,
        typer.Option(
            metavar="none|last|N|all",
            help="How many blocks learn, counted from the last; with none, the head alone does.",
        ),
    ] = "last",
    head: Annotated[
        str,
        typer.Option(
            metavar="linear|mlp:K",
            help="New head: linear, or with a hidden layer of K units, mlp:1024.",
        ),
    ] = "linear",
    lr: Annotated[
        float | None,
        typer.Option(
            "--lr",
            help="Highest learning rate of the head.",
            show_default="0.0003, and 0.001 for a head alone",
        ),
    ] = None,
    layer_decay: Annotated[
        float, typer.Option(help="The learning rate of each block is this part of the next one's.")
    ] = 0.8,
    weight_decay: Annotated[float, typer.Option(help="Of AdamW.")] = 0.01,
    label_smoothing: Annotated[
        float, typer.Option(help="Share of the truth that is spread over all classes.")
    ] = 0.1,
    batch_norm: Annotated[
        Literal["fixed", "train"],
        typer.Option(
            help="Whether unfrozen batch normalisations keep their means and variances, or take "
            "each batch's."
        ),
    ] = "fixed",
    augment: Annotated[
        Literal["light", "strong", "none"] | None,
        o.augment_option(
            help="How training photos are changed at random.",
            show_default="light, and none for a head alone",
        ),
    ] = None,
    class_weight: Annotated[
        Literal["balanced"] | None,
        typer.Option(
            help="Have all classes count alike, however many photos each has.",
            show_default="all photos count alike",
        ),
    ] = None,
    patience: Annotated[
        int,
        typer.Option(min=1, help="Stop after so many epochs without a better validation loss."),
    ] = 3,
    wise_ft: Annotated[
        bool,
        typer.Option(
            "--wise-ft",
            help="Average the weights with those at the start, as far as validation is for it.",
        ),
    ] = False,
    train_batch_size: Annotated[
        int, typer.Option(min=1, help="Photos a step; run in parts where memory is short.")
    ] = 32,
    test_size: Annotated[
        float,
        o.scoring_option(
            help="Part of the images that is scored in the end, if they have no splits of their "
            "own; 0 holds nothing out."
        ),
    ] = 0.25,
    validation_size: Annotated[
        float, o.scoring_option(help="Of the rest, the part by which training is stopped.")
    ] = 0.2,
    ignore_splits: t.IgnoreSplits = False,
    near_duplicates: Annotated[
        float,
        o.scoring_option(
            metavar="COSINE",
            help="Keep photos whose rows have at least this cosine in one part.",
        ),
    ] = 0.95,
    seed: Annotated[
        int, o.scoring_option(help="Seed of the parts, the order, the changes and new weights.")
    ] = 0,
    weights: o.Weights = None,
    offline: o.Offline = False,
    architecture: o.Architecture = None,
    labels: o.Labels = "parent",
    label_pattern: o.LabelPattern = None,
    path_column: o.PathColumn = None,
    label_column: o.LabelColumn = None,
    splits: o.Splits = "auto",
    precision: Annotated[
        Literal["float32", "bfloat16"],
        o.speed_option(help="Of the forward pass in training; weights are float32."),
    ] = "float32",
    device: o.Device = "auto",
    workers: o.WorkerThreads = None,
    on_error: o.OnError = "skip",
    max_pixels: o.MaxPixels = None,
    allow_truncated: o.AllowTruncated = False,
    tensorboard: Annotated[
        Path | None,
        o.output_option(
            metavar="DIR", help="Folder for logs that TensorBoard shows.", show_default=False
        ),
    ] = None,
    resume: Annotated[
        bool, o.output_option("--resume", help="Go on where an interrupted run was.")
    ] = False,
    restart: o.Restart = False,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Train a new head, then the network's last blocks, and say whether it paid.

    The result is a folder that every command takes for a model, and for a classifier.

    Examples
    --------
    # Photos in folders, one folder a class; the last block learns.
    penult finetune photos -o flowers.ckpt
    # A new head alone, with a hidden layer.
    penult finetune photos -o flowers.ckpt --unfreeze none --head mlp:1024
    # Four blocks; without random changes, frozen blocks run only once.
    penult finetune photos -o flowers.ckpt --unfreeze 4 --augment none
    # After it was interrupted.
    penult finetune photos -o flowers.ckpt --resume
    """
    from penult.backbones.checkpoint_folder import STATE
    from penult.tasks.finetuning import finetune

    warn_of_random(weights, model)
    again = f"the same command with {option('resume', True)}"
    with resumable(output / STATE, again=again):
        found = finetune(
            images,
            output,
            model=model,
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
            weights=weights,
            offline=offline,
            architecture=architecture,
            labels=labels,
            label_pattern=label_pattern,
            path_column=path_column,
            label_column=label_column,
            splits=splits,
            precision=precision,
            device=device,
            workers=workers,
            on_error=on_error,
            max_pixels=max_pixels,
            allow_truncated=allow_truncated,
            tensorboard=tensorboard,
            resume=resume,
            restart=restart,
            overwrite=overwrite,
            progress=not quiet,
        )
    if as_json:
        say_json({"output": str(output), **found.to_dict()})
        return
    _show(found)
    say_path(output)
    tested = 0 if found.scores is None else found.scores.images
    used = found.train_images + found.validation_images + tested
    total = used + sum(found.left_out.values()) + len(found.failures)
    say_failures(found.failures, total=total)
    network = ["--model", found.model]
    for name, value in (("--weights", weights), ("--architecture", architecture)):
        network += [] if value is None else [name, str(value)]
    _say_next(found, images, network, output, quiet=quiet)


def _show(found: Finetuned) -> None:
    numbers = ("epoch", "training loss", "validation loss", "validation accuracy", "seconds")
    last = found.epochs[-1].stage
    stages = found.epochs[0].stage != last
    table = Table((*["stage"] * stages, *numbers), right=numbers)
    for one in found.epochs:
        kept = (one.stage, one.epoch) == (last, found.best_epoch)
        table.add_row(
            *[one.stage] * stages,
            f"{one.epoch}{' (kept)' if kept else ''}",
            "" if one.train_loss is None else f"{one.train_loss:.3f}",
            f"{one.validation_loss:.3f}",
            percent(one.validation_accuracy),
            f"{one.seconds:.1f}",
        )
    table.show()
    if found.stopped:
        note(found.stopped)
    learnt = f"{listed(found.unfrozen, 3)} and the head" if found.unfrozen else "the head alone"
    say(
        f"{'learnt' if found.trained else 'trained, and not kept'}: {learnt}, "
        f"{count(found.parameters, 'parameter')}, from {count(found.train_images, 'photo')}; "
        f"validation: {count(found.validation_images, 'photo')}"
    )
    if found.wise_ft is not None and found.best_epoch:
        say(
            f"weights averaged with those of the start (WiSE-FT): {percent(found.wise_ft, 0)} of "
            "the trained ones"
        )
    say_left_out(found.left_out)
    if found.scores is not None and found.probe is not None:
        _say_scores(found.scores, found.probe)
    if found.network_line:
        say(found.network_line)
    if found.calibration is not None:
        before, after = found.calibration
        say(
            f"how far probabilities are off on average (calibration error): {points(after)} "
            f"points; {points(before)} without the temperature of {found.temperature:.3g}"
        )
    say(found.verdict)


def _say_scores(scores: Scores, probe: Scores) -> None:
    say_accuracy(scores)
    say(
        f"the probe, a classifier on the rows of the network as it was, fitted on the training and "
        f"the validation photos: {percent(probe.accuracy)}"
    )
    precision, of_probe = scores.mean_average_precision, probe.mean_average_precision
    if precision is not None and of_probe is not None:
        say(f"mean average precision: {precision:.3f}, of the probe {of_probe:.3f}")


def _say_next(
    found: Finetuned, images: list[str], network: list[str], output: Path, *, quiet: bool
) -> None:
    """Go on with what the verdict says is better."""
    if found.beats_probe or found.scores is None:
        next_command("predict", output, "PHOTOS", quiet=quiet)
        return
    from penult.backbones.checkpoint_folder import PART_TABLE

    photos = images if len(images) <= _NAMED else ["PHOTOS"]
    rows = output.with_suffix(".h5")
    asked = ("--labels", output / PART_TABLE, "-o", rows)
    next_command("extract", *map(as_argument, photos), *network, *asked, quiet=quiet)
    next_command("train", rows, "-o", output.with_suffix(".skops"), quiet=quiet)
