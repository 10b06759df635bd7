"""The options of training, which ``penult train`` and ``penult report`` have alike."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from penult.classify.kinds.registry import kind_names
from penult.cli import completion
from penult.cli import options as o
from penult.errors import UsageError

_KINDS = " or ".join(", ".join(kind_names()).rsplit(", ", 1))

Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--classifier",
        metavar="KIND",
        autocompletion=completion.kinds,
        help=f"Kind of classifier: {_KINDS}. Given several times, the best by cross-validation is "
        "kept.",
        show_default="logistic",
    ),
]
KindsOrFile = Annotated[
    list[str] | None,
    typer.Option(
        "--classifier",
        metavar="KIND|FILE",
        autocompletion=completion.kinds,
        help=f"Kind of classifier: {_KINDS}. Given several times, the best by cross-validation is "
        "kept. Or a classifier file (.skops), which is applied in place of training one.",
        show_default="logistic",
    ),
]
Grid = Annotated[
    list[str] | None,
    typer.Option(
        "--grid",
        metavar="NAME=V1,V2,…",
        help="Values of a parameter to try, e.g. C=0.1,1,10; may be given several times. There "
        "are C (logistic, svm), alpha (ridge), n_neighbors, weights (knn), max_features, "
        "n_estimators, max_depth (forest).",
        show_default="each kind's own",
    ),
]
Scale = Annotated[
    Literal["l2", "standard", "none"],
    typer.Option(
        help="Before training, scale each row to length 1 (l2), or each column to variance 1 "
        "(standard)."
    ),
]
Reduce = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Reduce rows to N principal components first, found in the training rows of each fold "
        "alone.",
        show_default="not reduced",
    ),
]
ClassWeight = Annotated[
    Literal["balanced"] | None,
    typer.Option(
        help="Have all classes count alike, however many images each has; knn and centroid cannot.",
        show_default="all images count alike",
    ),
]
TestSize = Annotated[
    float,
    o.scoring_option(
        help="Part of the images that is held out for scoring, if they have no splits of their own."
    ),
]
IgnoreSplits = Annotated[
    bool,
    o.scoring_option(
        "--ignore-splits", help="Hold out a random part even if the images have splits."
    ),
]
MinPerClass = Annotated[
    int, o.scoring_option(min=0, help="Leave out classes that have fewer images.")
]
NearDuplicates = Annotated[
    float | None,
    o.scoring_option(
        metavar="COSINE",
        help="Keep images whose rows have at least this cosine, e.g. 0.95, together in one part, "
        "so that no copy of a training image is scored.",
        show_default="identical images only",
    ),
]
Folds = Annotated[int, o.scoring_option(help="Number of cross-validation folds.")]
Runs = Annotated[
    int,
    o.scoring_option(min=1, help="Repeat this often, with seeds one apart, for mean and spread."),
]
Refit = Annotated[
    bool,
    o.scoring_option(
        "--refit",
        help="Once scored, fit it again on all labelled rows; the scores stay those of before.",
    ),
]
MaxMemory = Annotated[
    str | None,
    o.speed_option(
        metavar="SIZE",
        help="Memory that the rows may take, e.g. 4GB.",
        show_default="half of what is free",
    ),
]


def parse_grid(given: list[str] | None) -> dict[str, list[Any]] | None:
    """Turn ``["C=0.1,1"]`` into ``{"C": [0.1, 1]}``; of a parameter given twice, all values count.

    Raises
    ------
    UsageError
    """
    grid: dict[str, list[Any]] = {}
    for text in given or ():
        name, _, listed = text.partition("=")
        name, values = name.strip(), [value.strip() for value in listed.split(",")]
        if not name or not all(values):
            raise UsageError(f"--grid {text!r} is not NAME=V1,V2,…; for example --grid C=0.1,1,10")
        if listed.strip()[0] in "[({":
            plain = ",".join(value.strip("[](){} ") for value in values)
            raise UsageError(f"--grid {text!r} has brackets; write {name}={plain}")
        known = grid.setdefault(name, [])
        known += [one for one in map(_number, values) if one not in known]
    return grid or None


def _number(text: str) -> Any:
    if text.lower() == "none":  # no limit, as max_depth may have it
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
