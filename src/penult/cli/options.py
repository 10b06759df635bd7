"""Options that several commands share, each defined once.

What matters most to a command is a `typer.Option` and stands first in its help; the rest stands
under the headings below.
"""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from penult.cli import completion
from penult.cli.console import warn
from penult.errors import UsageError

HEADINGS = (
    "Labels",
    "Network",
    "Reading images",
    "Augmentation",
    "Scoring",
    "Speed",
    "Cluster",
    "Output",
    "Telegram",
    "General",
)
"""Of groups of options, in the order in which help shows them."""

label_option = partial(typer.Option, rich_help_panel="Labels")
network_option = partial(typer.Option, rich_help_panel="Network")
reading_option = partial(typer.Option, rich_help_panel="Reading images")
augment_option = partial(typer.Option, rich_help_panel="Augmentation")
scoring_option = partial(typer.Option, rich_help_panel="Scoring")
speed_option = partial(typer.Option, rich_help_panel="Speed")
cluster_option = partial(typer.Option, rich_help_panel="Cluster")
output_option = partial(typer.Option, rich_help_panel="Output")
telegram_option = partial(typer.Option, rich_help_panel="Telegram")
general_option = partial(typer.Option, rich_help_panel="General")

_IMAGES = (
    "Folders, image files, .csv and .parquet lists, .tar and .parquet archives, addresses such as "
    "s3://bucket/photos, or - for paths on standard input."
)

Images = Annotated[list[str], typer.Argument(metavar="IMAGES...", help=_IMAGES)]
Classifier = Annotated[
    Path,
    typer.Argument(help="Classifier file (.skops), or the folder of a fine-tuned network (.ckpt)."),
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="Network to use; `penult models` lists them.",
        autocompletion=completion.models,
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="Network to use; `penult models` lists them. May be given several times: their rows "
        "are joined, and each photo is read once.",
        show_default="efficientnet_lite0",
        autocompletion=completion.models,
    ),
]
ModelName = Annotated[
    str,
    typer.Argument(
        help="Name of a network; `penult models` lists them.", autocompletion=completion.models
    ),
]
Layers = Annotated[
    list[str] | None,
    typer.Option(
        "--layer",
        "-l",
        metavar="LAYER",
        help="Layer whose numbers are stored, or a glob such as 'layer4.*'; may be given several "
        "times. `penult layers MODEL` lists them.",
        show_default="penultimate",
        autocompletion=completion.layers,
    ),
]
_Pooling = Literal["avg", "max", "gem", "cls", "flatten", "none"]
Pooling = Annotated[
    _Pooling | None,
    network_option(
        help="How a layer's maps or tokens become one row.", show_default="what suits the layer"
    ),
]
OldPooling = Annotated[
    _Pooling | None, typer.Option("--pool", hidden=True, help="The old name of --pooling.")
]


def level_of(unlike: str) -> Any:
    """A similarity as it was typed; a word stays one, and the function knows which there are."""
    try:
        return float(unlike)
    except ValueError:
        return unlike


def one_pooling(pooling: _Pooling | None, pool: _Pooling | None) -> _Pooling | None:
    """Take ``--pool``, the old name of ``--pooling``, and say so."""
    if pool is None:
        return pooling
    if pooling is not None:
        raise UsageError("--pool is the old name of --pooling; give --pooling alone")
    warn("penult: --pool is now called --pooling")
    return pool


Normalize = Annotated[
    Literal["none", "l2"],
    network_option(
        help="Scale each row to length 1 (l2), of every network and view before they are put "
        "together, or leave it as it is."
    ),
]
Views = Annotated[
    Literal["flip", "five-crop", "ten-crop"] | None,
    network_option(
        help="Average the rows of several views of each photo: it and its mirror image, its "
        "corners and centre, or these and their mirror images.",
        show_default=False,
    ),
]
Join = Annotated[
    bool | None,
    network_option(
        "--join/--no-join",
        help="Join the rows of all networks and layers to one, each scaled to length 1.",
        show_default="join several networks",
    ),
]
Weights = Annotated[
    str | None,
    network_option(
        metavar="FILE|random",
        help="File of weights to use in place of the pretrained ones, or random for an untrained "
        "network.",
        show_default=False,
    ),
]
MovedWeights = Annotated[
    list[str] | None,
    network_option(
        metavar="FILE",
        help="Where the network's weights file is now, if it is not where it was; or a file that "
        "`penult convert` made of the network. Of several networks, once for each that moved.",
        show_default=False,
    ),
]
Offline = Annotated[
    bool,
    network_option(
        "--offline", help="Download nothing. PENULT_OFFLINE=1 in the environment does the same."
    ),
]
OneLayer = Annotated[
    str | None,
    typer.Option(
        "--layer", "-l", metavar="LAYER", help="Which of its layers.", show_default="the last"
    ),
]
MovedImages = Annotated[
    list[str] | None,
    reading_option(
        "--images",
        metavar="IMAGES",
        help="Where the images are now, if they have moved; may be given several times.",
        show_default=False,
    ),
]
PicturesOffline = Annotated[
    bool,
    reading_option(
        "--offline",
        help="Look at no image that is at an address. PENULT_OFFLINE=1 does the same.",
    ),
]
Architecture = Annotated[
    str | None,
    network_option(
        metavar="NAME",
        autocompletion=completion.models,
        help="Network that a plain state dict (--model checkpoint:FILE) is for.",
        show_default=False,
    ),
]
Precision = Annotated[
    Literal["float32", "float16", "bfloat16"],
    speed_option(
        help="bfloat16 takes half the time on a CPU that has it, float16 and bfloat16 less on a "
        "GPU; rows differ a little."
    ),
]
Dtype = Annotated[
    Literal["float32", "float16"],
    output_option(help="Type of the stored numbers; float16 takes half the space."),
]
Labels = Annotated[
    str,
    label_option(
        metavar="WHERE",
        autocompletion=completion.labels,
        help="Where labels come from: parent (what the source says, or the name of the image's "
        "folder), none, column:NAME of the source's own table, or a CSV file with columns path, "
        "label and optionally split.",
    ),
]
LabelPattern = Annotated[
    str | None,
    label_option(
        metavar="REGEX",
        help=r"Take labels from file names by a regular expression, e.g. '(?P<label>.+)_\d+'.",
        show_default=False,
    ),
]
PathColumn = Annotated[
    str | None,
    label_option(
        metavar="NAME",
        help="Column of a table (a list of images, or of labels) that names the images, if it is "
        "not called path, filename, file, image or the like.",
        show_default=False,
    ),
]
LabelColumn = Annotated[
    str | None,
    label_option(
        metavar="NAME",
        help="Column of a table that holds the labels, if it is not called label, class, category "
        "or the like.",
        show_default=False,
    ),
]
Splits = Annotated[
    Literal["auto", "folders", "none"],
    label_option(
        help="Top folders called train, test and so on: folders takes each for a split, none for "
        "a class; auto takes one for a class where images lie in it, beside other classes."
    ),
]
Decode = Annotated[
    Literal["exact", "scaled"],
    reading_option(help="scaled decodes large JPEGs several times as fast; rows differ a little."),
]
Resize = Annotated[
    Literal["exact", "fast"],
    reading_option(
        help="fast resizes six times as fast; pixels differ by one here and there. Needs the extra "
        "fast."
    ),
]
OnError = Annotated[
    Literal["skip", "fail"],
    reading_option(help="At an unreadable image: skip it and list it, or stop."),
]
MaxPixels = Annotated[
    int | None,
    reading_option(
        help="Refuse images of more pixels, without decoding them.",
        show_default=False,
    ),
]
AllowTruncated = Annotated[
    bool,
    reading_option(
        "--allow-truncated", help="Use what can be read of truncated and damaged images."
    ),
]
Engine = Annotated[
    str,
    speed_option(
        metavar="[auto|openvino|torch]",
        help="What runs the network.",
        autocompletion=completion.engines,
    ),
]
Device = Annotated[
    str,
    speed_option(
        "--device",  # typer 0.27 would take the metavar, in capitals, where it is the same word
        metavar="DEVICE",
        autocompletion=completion.devices,
        help="Where it runs: auto, cpu, cuda, cuda:1 and so on, or mps.",
    ),
]
BatchSize = Annotated[
    int | None,
    speed_option(min=1, help="Images in one batch.", show_default="what suits the device"),
]
Workers = Annotated[
    int | None,
    speed_option(
        min=1,
        help="Threads that decode images; on twelve cores and more, processes.",
        show_default="what suits cores and photos",
    ),
]
WorkerThreads = Annotated[
    int | None,
    speed_option(
        min=1,
        help="Threads that decode images.",
        show_default="the number of cores; 8 at most for small photos",
    ),
]
Streams = Annotated[
    int | None,
    speed_option(
        min=1,
        help="Inferences that the engine openvino runs at the same time.",
        show_default="the number of cores",
    ),
]
Ray = Annotated[
    str | None,
    cluster_option(
        "--ray",
        metavar="[ADDRESS]",
        help="Compute on a cluster of Ray: HOST:6379; auto, as without an address, for the one "
        "that RAY_ADDRESS names, or that runs on this machine, or else a new one here for the "
        "run; local for a new one.",
    ),
]
RayWorkers = Annotated[
    str | None,
    cluster_option(
        metavar="N",
        help="Workers, each with a network of its own; of 2:16, Ray adds and removes some.",
        show_default="as many as there is room for",
    ),
]
RayCpus = Annotated[int, cluster_option(metavar="N", help="Cores a worker.")]
RayGpus = Annotated[
    float | None,
    cluster_option(
        metavar="N",
        help="GPUs a worker; several may share one (0.5).",
        show_default="1 with --device cuda, else none",
    ),
]
PartImages = Annotated[
    int | None,
    output_option(
        metavar="N",
        min=1,
        help="Images a part of a folder of rows.",
        show_default="4096, or those of the folder to update",
    ),
]
PartFormat = Annotated[
    Literal["h5", "parquet"] | None,
    output_option(
        help="Of the parts of a folder of rows.", show_default="h5, or that of the folder to update"
    ),
]
Seed = Annotated[int, scoring_option(help="Seed of the held-out part and of the folds.")]
Overwrite = Annotated[
    bool,
    output_option("--overwrite", help="Replace the output if it exists; whole, or not at all."),
]
Shuffle = Annotated[
    int | None,
    output_option(
        metavar="SEED",
        min=0,
        help="Store the rows shuffled, for scripts that split by position.",
        show_default="sorted by id",
    ),
]
Augment = Annotated[
    int,
    augment_option(
        metavar="N",
        min=0,
        help="Rows of so many changed views of each photo, to train with.",
    ),
]
AugmentTo = Annotated[
    int | None,
    augment_option(
        metavar="N",
        min=1,
        help="As many views as fill each class up to N rows, none for larger ones.",
        show_default=False,
    ),
]
AugmentPolicy = Annotated[
    Literal["light", "strong"],
    augment_option(help="How much is changed of crop, angle and colours."),
]
AugmentSeed = Annotated[int, augment_option(help="Seed of the changes.")]
Restart = Annotated[
    bool,
    output_option(
        "--restart", help="Start again from the beginning instead of resuming an interrupted run."
    ),
]
Update = Annotated[
    bool,
    output_option(
        "--update",
        help="Bring the output up to date: compute only new and changed images, drop removed ones; "
        "with --overwrite, also those of places that are not given.",
    ),
]
DryRun = Annotated[
    bool, output_option("--dry-run", help="Say what would be written, and write nothing.")
]
Results = Annotated[
    Path | None,
    output_option(
        metavar="FOLDER",
        help="Write scores.json, confusion_matrix.png and held_out.csv (every image that was "
        "scored) there; the folder is made if need be.",
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
    output_option(
        help="What the cells of confusion_matrix.png hold: numbers of images, or their part of the "
        "true class.",
        metavar="[counts|normalized]",
        callback=_renamed,
    ),
]
EscapeFormulas = Annotated[
    bool,
    output_option(
        "--escape-formulas",
        help="In CSV, put an apostrophe before names that a spreadsheet would run (=, +, -, @).",
    ),
]
AsJson = Annotated[bool, general_option("--json", help="Print the result as JSON, for programs.")]
Quiet = Annotated[
    bool, general_option("--quiet", "-q", help="Show no progress, only results and errors.")
]


def _remember_debug(value: bool) -> bool:
    global show_traceback
    if value:
        show_traceback = True
        logging.getLogger("penult").setLevel(logging.INFO)
        if logging.lastResort is not None:
            logging.lastResort.setLevel(logging.INFO)
    return value


show_traceback = False
Debug = Annotated[
    bool,
    general_option(
        "--debug",
        help="Show the traceback of an error, and what runs a network and resizes photos.",
        is_eager=True,
        callback=_remember_debug,
    ),
]
