"""``penult verify``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penult.addresses import unfolded
from penult.cli import options as o
from penult.cli.console import Table, next_command, next_step, say, say_json, say_some
from penult.interface import command

if TYPE_CHECKING:
    from penult.verification import Verification


def run(
    features: Annotated[Path, typer.Argument(help="Feature file.")],
    sample: Annotated[int, typer.Option(min=1, help="How many images to extract again.")] = 50,
    seed: Annotated[int, typer.Option(help="Seed of the choice of images.")] = 0,
    images: Annotated[
        list[str] | None,
        typer.Option(
            "--images",
            metavar="IMAGES",
            help="Where the images are now, if they have moved; may be given several times.",
            show_default=False,
        ),
    ] = None,
    weights: o.MovedWeights = None,
    offline: o.Offline = False,
    engine: o.Engine = "auto",
    device: o.Device = "auto",
    batch_size: o.BatchSize = None,
    workers: o.Workers = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Extract a random sample of a feature file's rows again, and say how far they agree.

    Ends with 1 where they do not, or where an image is gone or is not what it was.

    Examples
    --------
    # 200 of its images.
    penult verify rows.h5 --sample 200
    # The photos were moved since.
    penult verify rows.h5 --images /mnt/photos
    """
    from penult.verification import verify

    found = verify(
        features,
        sample,
        seed,
        images=images,
        weights=weights,
        offline=offline,
        engine=engine,
        device=device,
        batch_size=batch_size,
        workers=workers,
        progress=not quiet,
    )
    if as_json:
        say_json({"passed": found.passed, **dataclasses.asdict(found)})
    else:
        _show(features, found)
        if found.passed:
            every = ["--layer", "all"] * (len(found.agreements) > 1)
            here = features if features.exists() else Path(features.name)  # of an address
            skops = here.with_suffix(".skops")
            next_command("train", features, "-o", skops, *every, quiet=quiet)
        else:
            next_step(f"{command('info', str(features))} says how to make it again", quiet=quiet)
    if not found.passed:
        raise typer.Exit(1)


def _show(file: Path, found: Verification) -> None:
    if found.mismatch:
        say(f"{unfolded(file)} cannot be verified here: {found.mismatch}")
        return
    if found.agreements:
        numbers = ("worst cosine", "worst relative error")
        table = Table(("layer", *numbers, "of"), right=numbers)
        for a in found.agreements:
            table.add_row(
                a.layer, f"{a.worst_cosine:.8f}", f"{a.worst_error:.1e}", a.worst_error_id
            )
        table.show()
    say_some([failure.line for failure in found.missing])
    say_some([f"{name}: is another image than the row was made from" for name in found.changed])
    verdict = "verified" if found.passed else "NOT verified"
    say(
        f"{unfolded(file)}: {verdict}; {found.in_words}, allowed relative error {found.tolerance:g}"
    )
    say(
        "relative error: how far a row is from the one made again, as a part of its length; "
        "engines and machines differ by less than is allowed. Cosine: 1 is the same direction"
    )
