"""Options that several commands share, each defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from penult.cli.console import warn
from penult.errors import UsageError

_IMAGES = (
    "Folders, images, .csv and .parquet lists, .tar and .parquet archives, addresses such as "
    "s3://bucket/photos, or - for paths on standard input."
)

Images = Annotated[list[str], typer.Argument(metavar="IMAGES", help=_IMAGES)]
Model = Annotated[str, typer.Option("--model", "-m", help="Backbone; `penult models` lists them.")]
Layers = Annotated[
    list[str] | None,
    typer.Option(
        "--layer",
        "-l",
        help="Layer, or a glob such as 'layer4.*'; may be given several times. [penultimate]",
        show_default=False,
    ),
]
_Pooling = Literal["avg", "max", "gem", "cls", "flatten", "none"] | None
Pooling = Annotated[
    _Pooling,
    typer.Option(
        help="How maps or tokens become a row. [what suits the layer]", show_default=False
    ),
]
OldPooling = Annotated[
    _Pooling, typer.Option("--pool", hidden=True, help="The old name of --pooling.")
]


def one_pooling(pooling: str | None, pool: str | None) -> str | None:
    """Take ``--pool``, the old name of ``--pooling``, and say so."""
    if pool is None:
        return pooling
    if pooling is not None:
        raise UsageError("--pool is the old name of --pooling; give --pooling alone")
    warn("penult: --pool is now called --pooling")
    return pool


Normalize = Annotated[Literal["none", "l2"], typer.Option(help="l2 scales each row to length 1.")]
Weights = Annotated[
    str | None,
    typer.Option(
        metavar="PATH|random",
        help="A file of weights in place of the pretrained ones, or random for an untrained "
        "network.",
        show_default=False,
    ),
]
MovedWeights = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="Where the network's weights file is now, if not where it was.",
        show_default=False,
    ),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Never touch the network; so does PENULT_OFFLINE=1.")
]
Architecture = Annotated[
    str | None,
    typer.Option(
        help="For a plain state dict, checkpoint:PATH: the backbone that it fits.",
        show_default=False,
    ),
]
Decode = Annotated[
    Literal["exact", "scaled"],
    typer.Option(help="scaled decodes large JPEGs several times as fast; rows differ a little."),
]
Precision = Annotated[
    Literal["float32", "float16", "bfloat16"],
    typer.Option(help="On a GPU, float16 and bfloat16 compute faster; rows differ a little."),
]
Dtype = Annotated[Literal["float32", "float16"], typer.Option(help="float16 takes half the space.")]
Labels = Annotated[
    str,
    typer.Option(
        help="parent (what the source says, or the folder's name), none, column:NAME of the "
        "source's own table, or a CSV file with columns path, label and optionally split."
    ),
]
LabelPattern = Annotated[
    str | None,
    typer.Option(
        help=r"Regular expression on file names, e.g. '(?P<label>.+)_\d+'.", show_default=False
    ),
]
Splits = Annotated[
    Literal["auto", "folders", "none"],
    typer.Option(
        help="Top folders called train, test and so on: folders takes each for a split, none for "
        "a class; auto takes one for a class where images lie in it, beside other classes."
    ),
]
Engine = Annotated[str, typer.Option(help="What runs the network: auto, openvino or torch.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, … or mps.")]
BatchSize = Annotated[
    int | None,
    typer.Option(min=1, help="Images in one batch. [what suits the device]", show_default=False),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Decoding threads. [number of cores]", show_default=False),
]
Streams = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Inferences at the same time, engine openvino. [number of cores]",
        show_default=False,
    ),
]
OnError = Annotated[
    Literal["skip", "fail"],
    typer.Option(help="An unreadable image: skip it (and list it), or stop there."),
]
MaxPixels = Annotated[
    int | None,
    typer.Option(help="Refuse images of more pixels, from their header.", show_default=False),
]
AllowTruncated = Annotated[
    bool,
    typer.Option("--allow-truncated", help="Take what there is of truncated and damaged images."),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the output if it exists, atomically.")
]
Shuffle = Annotated[
    int | None,
    typer.Option(
        metavar="SEED",
        min=0,
        help="Store the rows shuffled, for scripts that split by position. [sorted by id]",
        show_default=False,
    ),
]
Restart = Annotated[
    bool,
    typer.Option("--restart", help="Begin anew where an interrupted run could be gone on with."),
]
Update = Annotated[
    bool,
    typer.Option(
        "--update",
        help="Bring the output up to date: compute only new and changed images, drop removed ones.",
    ),
]
Results = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder for scores.json and confusion_matrix.png; made if need be.",
        show_default=False,
    ),
]


def _renamed(value: str) -> str:
    if value == "normalised":
        warn("penult: --confusion normalised is now called --confusion normalized")
        return "normalized"
    return value


Confusion = Annotated[
    Literal["counts", "normalized", "normalised"],
    typer.Option(
        help="Cells of confusion_matrix.png: images, or parts of the true class's.",
        metavar="<counts|normalized>",
        callback=_renamed,
    ),
]
EscapeFormulas = Annotated[
    bool,
    typer.Option(
        "--escape-formulas",
        help="In CSV, put an apostrophe before names that a spreadsheet would run (=, +, -, @).",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress; only errors and results.")]


def _remember_debug(value: bool) -> bool:
    global show_traceback
    show_traceback = show_traceback or value
    return value


show_traceback = False
Debug = Annotated[
    bool,
    typer.Option(
        "--debug", help="Show the traceback of an error.", is_eager=True, callback=_remember_debug
    ),
]
