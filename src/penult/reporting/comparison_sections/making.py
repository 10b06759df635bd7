"""How the comparison was made, and what to type to go on."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from penult.interface import as_argument, shell_quote
from penult.records.comparison_words import different_held_out
from penult.records.failure import failure_counts
from penult.reporting.comparison_sections.content import ComparisonContent
from penult.reporting.comparison_sections.summary import held_out_words, left_out_words
from penult.reporting.formatting import apart
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails
from penult.wording import count

__all__ = ["MAKING"]

MOST_NAMED = 20
"""Images without a row that are named, of many."""
LIBRARIES = ("penult", "numpy", "scikit-learn", "openvino", "torch")

METHODS = (
    (
        "Scores",
        "The features of the training images train a logistic regression and a classifier by "
        "nearest neighbours, whose parameters are chosen inside the training part; the held-out "
        "images search among the training images by cosine. The images that train and those that "
        "are held out are the same for all models.",
    ),
    (
        "Standard deviation",
        "Over the runs, with n − 1 in its denominator. It tells how much the choice of the "
        "held-out images matters; it is no error of a difference, since all models have the same "
        "images.",
    ),
    (
        "Differences",
        "Between each two models on the same held-out images, of which copies count once. The "
        "95% interval is a paired bootstrap over the images; p is two-sided, of the exact "
        "sign-flip test, and corrected for all pairs by Holm’s method. A pair is separable where p "
        "is below 0.05 and 0 outside the interval.",
    ),
    (
        "Pareto front",
        "The models than which no other is as good and as cheap, and better in one of the two.",
    ),
)


def _content(shown: ComparisonContent, thumbnails: Thumbnails) -> Mapping[str, Any]:
    return {
        "steps": list(_steps(shown)),
        "splits": list(_splits(shown)),
        "methods": METHODS,
        "versions": list(_versions()),
    }


def _steps(shown: ComparisonContent) -> Iterator[tuple[str, str]]:
    found = shown.comparison
    folder = str(found.folder)
    yield (
        "Add a model. What is finished stays as it is, and the same images are held out. "
        "IMAGES stands for the same images.",
        f"penult compare IMAGES --model MODEL -o {shell_quote(folder)}",
    )
    for row in found.rows:
        if row.name == found.recommended and row.file:
            several = sum(one.file == row.file for one in found.rows) > 1
            layer = f" --layer {shell_quote(row.layer)}" if several else ""
            file = shell_quote(as_argument(str(found.folder / row.file)))
            yield (
                "Train a classifier on the features of the recommended model, which are kept.",
                f"penult train {file}{layer} -o classifier.skops",
            )


def _splits(shown: ComparisonContent) -> Iterator[tuple[str, str]]:
    splits = shown.comparison.splits
    different = different_held_out(shown.comparison)
    for name, text in (
        ("Images", f"{splits['images']:,}" if "images" in splits else ""),
        ("Classes", f"{splits['classes']:,}" if "classes" in splits else ""),
        ("Left out", left_out_words(splits.get("left_out"))),
        ("Without a row", _without_row(shown)),
        ("Parts", str(splits.get("description", ""))),
        ("Runs", f"{splits['runs']:,}" if "runs" in splits else ""),
        ("Held out per run", held_out_words(splits.get("held_out"))),
        ("Held out in any run", count(different, "different image") if different else ""),
        ("Seed", str(splits.get("seed", ""))),
        ("Which image is where", str(splits.get("file", ""))),
    ):
        if text:
            yield name, text


def _without_row(shown: ComparisonContent) -> str:
    failures = shown.comparison.failures
    if not failures:
        return ""
    named = apart((one.line for one in failures), MOST_NAMED)
    return f"{'; '.join(failure_counts(failures))}: {named}"


def _versions() -> Iterator[tuple[str, str]]:
    yield "Python", platform.python_version()
    for name in LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:  # it is no need of what was done here
            continue


MAKING = Section[ComparisonContent](
    name="making", title="How it was made", content=_content, tab="Making"
)
