"""``penult extract``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penult.addresses import unfolded
from penult.cli import options as o
from penult.cli.changes import say_changes
from penult.cli.console import (
    Table,
    classes_json,
    failures_json,
    next_command,
    say,
    say_failures,
    say_json,
    say_listing_messages,
    say_trained_network,
    warn_of_random,
)
from penult.cli.made_rows import say_made_rows
from penult.cli.stop import stoppable
from penult.interface import as_argument
from penult.progress import shown
from penult.wording import count, listed, times

if TYPE_CHECKING:
    from penult.planning import Plan
    from penult.records import Progress


def run(
    images: o.Images,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Feature file to write, .h5, or a folder of rows, .rows."
        ),
    ],
    model: o.Models = None,
    layer: o.Layers = None,
    pooling: o.Pooling = None,
    normalize: o.Normalize = "none",
    views: o.Views = None,
    join: o.Join = None,
    weights: o.Weights = None,
    offline: o.Offline = False,
    architecture: o.Architecture = None,
    labels: o.Labels = "parent",
    label_pattern: o.LabelPattern = None,
    path_column: o.PathColumn = None,
    label_column: o.LabelColumn = None,
    splits: o.Splits = "auto",
    decode: o.Decode = "exact",
    resize: o.Resize = "exact",
    precision: o.Precision = "float32",
    dtype: o.Dtype = "float32",
    engine: o.Engine = "auto",
    device: o.Device = "auto",
    batch_size: o.BatchSize = None,
    workers: o.Workers = None,
    streams: o.Streams = None,
    on_error: o.OnError = "skip",
    max_pixels: o.MaxPixels = None,
    allow_truncated: o.AllowTruncated = False,
    shuffle: o.Shuffle = None,
    augment: o.Augment = 0,
    augment_to: o.AugmentTo = None,
    augment_policy: o.AugmentPolicy = "light",
    seed: o.AugmentSeed = 0,
    overwrite: o.Overwrite = False,
    restart: o.Restart = False,
    update: o.Update = False,
    ray: o.Ray = None,
    ray_workers: o.RayWorkers = None,
    ray_cpus: o.RayCpus = 1,
    ray_gpus: o.RayGpus = None,
    part_images: o.PartImages = None,
    part_format: o.PartFormat = None,
    dry_run: o.DryRun = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    pool: o.OldPooling = None,
) -> None:
    r"""Turn images into a feature file: one row an image, each with its id and label.

    Examples
    --------
    # Photos in folders, one folder a class.
    penult extract photos -o rows.h5
    # A larger network from timm, and two of its layers.
    penult extract photos -o rows.h5 -m timm:resnet50 -l 'layer[34]'
    # Two networks joined: more accurate than either; --views flip adds to it.
    penult extract photos -o rows.h5 -m efficientnet_lite0 -m efficientnet_lite1
    # Labels from file names such as tulip_17.jpg.
    penult extract photos -o rows.h5 --label-pattern '(?P<label>.+)_\d+'
    # After photos were added, changed or removed.
    penult extract photos -o rows.h5 --update
    # Small classes filled up to 80 rows with changed views of their photos, to train with.
    penult extract photos -o rows.h5 --augment-to 80
    # A large collection, as a folder of parts; add --ray to compute it on a cluster.
    penult extract photos -o photos.rows --part-images 1000
    """
    place = unfolded(output)
    models = model or ["efficientnet_lite0"]
    warn_of_random(weights, *models)
    layers = layer or "penultimate"
    one_pooling = o.one_pooling(pooling, pool)
    if dry_run:
        from penult.planning import plan

        planned = plan(
            images,
            output,
            model=models,
            layer=layers,
            pooling=one_pooling,
            normalize=normalize,
            views=views,
            join=join,
            weights=weights,
            offline=offline,
            architecture=architecture,
            labels=labels,
            label_pattern=label_pattern,
            path_column=path_column,
            label_column=label_column,
            splits=splits,
            decode=decode,
            resize=resize,
            precision=precision,
            dtype=dtype,
            engine=engine,
            device=device,
            max_pixels=max_pixels,
            allow_truncated=allow_truncated,
            shuffle=shuffle,
            augment=augment,
            augment_to=augment_to,
            augment_policy=augment_policy,
            seed=seed,
            overwrite=overwrite,
            restart=restart,
            update=update,
            ray=ray,
            ray_workers=ray_workers,
            ray_cpus=ray_cpus,
            ray_gpus=ray_gpus,
            part_images=part_images,
            part_format=part_format,
        )
        _show_plan(output, planned, as_json=as_json)
        return
    from penult.extraction import extract
    from penult.images.notes import label_messages

    kept = counted = 0
    failed_before: int | None = None  # in an interrupted run
    with (
        shown(not quiet) as tell,
        stoppable(tell, output, part_images=part_images) as tell_or_stop,
    ):

        def progress(now: Progress) -> None:
            nonlocal kept, counted, failed_before
            if now.stage == "extract":
                kept, counted = now.kept, now.total or 0
                if failed_before is None:  # what the listing knows to be missing is counted, too
                    failed_before = now.failed - (now.done - now.kept)
            tell_or_stop(now)

        features = extract(
            images,
            output,
            model=models,
            layer=layers,
            pooling=one_pooling,
            normalize=normalize,
            views=views,
            join=join,
            weights=weights,
            offline=offline,
            architecture=architecture,
            labels=labels,
            label_pattern=label_pattern,
            path_column=path_column,
            label_column=label_column,
            splits=splits,
            decode=decode,
            resize=resize,
            precision=precision,
            dtype=dtype,
            engine=engine,
            device=device,
            batch_size=batch_size,
            workers=workers,
            streams=streams,
            on_error=on_error,
            max_pixels=max_pixels,
            allow_truncated=allow_truncated,
            shuffle=shuffle,
            augment=augment,
            augment_to=augment_to,
            augment_policy=augment_policy,
            seed=seed,
            overwrite=overwrite,
            restart=restart,
            update=update,
            ray=ray,
            ray_workers=ray_workers,
            ray_cpus=ray_cpus,
            ray_gpus=ray_gpus,
            part_images=part_images,
            part_format=part_format,
            progress=progress,
        )
    rows, total = len(features), len(features) + len(features.failures)
    changes = features.changes
    known = features.trained_network
    trained = None if known is None else int(known.sum())
    if as_json:
        from penult.images.notes import listing_notes

        say_json(
            {
                "output": place,
                "rows": rows,
                "augmented": 0 if features.augmented is None else len(features.augmented),
                "kept": kept,
                "shape": list(features.features.shape),
                "dtype": str(features.features.dtype),
                "layers": list(features.layers),
                "classes": classes_json(features.images_per_class()),
                "failures": failures_json(features.failures),
                "trained_network": trained,
                **({} if changes is None else {"changes": dataclasses.asdict(changes)}),
                **listing_notes(features.origin),
            }
        )
        return
    say_made_rows(place, output, features)
    say_trained_network(trained, rows)
    if changes is not None:
        say_changes(changes)
        if not any(dataclasses.astuple(changes)):
            say("nothing has changed")
    if kept:
        were = "was" if kept == 1 else "were"
        of = count(counted, "image") + " and augmented views" * (features.augmented is not None)
        if changes is not None:  # of an image, too, that was copied or only has another name
            had = kept - (failed_before or 0)
            made = rows + len(features.augmented or ()) - had
            say(f"{made:,} of {of} computed now; the bytes of {had:,} had rows before")
        else:
            say(f"{kept:,} of {of} {were} done before, {counted - kept:,} now")
    say_failures(features.failures, total=total)
    say_listing_messages(features.origin)
    for line in label_messages(features):
        say(line)
    if len(features.classes_with_rows) > 1:
        of_all = ["--layer", "all"] * (len(features.layers) > 1)
        beside = output.name if "://" in place else output
        skops = Path(beside).with_suffix(".skops")
        next_command("train", as_argument(place), "-o", skops, *of_all, quiet=quiet)
    else:
        next_command("info", as_argument(place), quiet=quiet)


def _show_plan(output: Path, plan: Plan, *, as_json: bool) -> None:
    if as_json:
        told = dataclasses.asdict(plan)
        told["classes"] = classes_json(plan.classes)
        for name in ("changes", "unfinished", "parts", "part_images", "part_format"):
            if told[name] is None:
                del told[name]
        say_json({"output": unfolded(output), **told.pop("notes"), **told})
        return
    retried = () if plan.changes is None else plan.changes.retried
    numbers = ("row", "numbers a row")
    table = Table(("layer", "pooling", *numbers), right=numbers)
    for layer in plan.layers:
        shape = times(layer.shape)
        table.add_row(layer.name, layer.pooling, shape, f"{layer.length:,}")
    table.show()
    say(
        f"{unfolded(output)} would hold {count(plan.images - len(retried), f'{plan.dtype} row')} "
        f"{'a layer ' * (len(plan.layers) > 1)}of {plan.backbone}, "
        f"{count(len(plan.classes), 'class')}, "
        f"in about {plan.bytes / 1e6:,.1f} MB"
        f"{'' if plan.parts_line is None else f', {plan.parts_line}'}"
    )
    if plan.augmented:
        say(f"and beside them, {count(plan.augmented, 'row')} of augmented views, to train with")
    if plan.unfinished is not None:
        say(f"there is an unfinished run, {plan.unfinished.line}")
    if plan.changes is not None:
        changes = plan.changes
        say(
            f"would add {len(changes.added):,}, remove {len(changes.removed):,}"
            f"{f', relabel {len(changes.relabelled):,}' if changes.relabelled else ''}; which "
            "bytes have changed or only have another name is found when it is run"
        )
        if retried:
            parts = ", the parts" * (plan.parts_line is not None)
            say(
                f"would try {count(len(retried), 'failed image')} again, {listed(retried, 3)}: "
                f"counted in the size{parts} and the classes, not in the rows"
            )
        say_changes(changes)
    say_listing_messages(plan.notes)
