"""What is said of outliers: on their page and at the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.wording import count, percent, ratio

if TYPE_CHECKING:
    from penult.records.outlier import Outlier
    from penult.records.outliers import Outliers

__all__ = [
    "PICTURE_REASONS",
    "REASONS",
    "UNUSUAL",
    "not_compared_line",
    "odd_about",
    "outlier_method",
    "pictures_line",
    "unusual_line",
]

REASONS = {
    "knn_distance": "far from others",
    "lof": "local outlier",
    "dark": "dark",
    "light": "light",
    "blurry": "blurred",
    "low_information": "nearly blank",
    "odd_aspect_ratio": "oddly shaped",
    "tiny": "tiny",
    "large": "large",
    "grayscale": "grey",
}
"""Why an image may be listed, to how that is said."""

PICTURE_REASONS = tuple(one for one in REASONS if one not in ("knn_distance", "lof"))
"""Those that are measured of pictures."""

UNUSUAL = "unusual: more than 3 interquartile ranges above the third quartile (Tukey's outer fence)"
"""The rule by which a row is far from others, or a local outlier, for who reads the number."""

_REFERENCES = {
    "all": "all others",
    "class": "the others of its class",
    "train": "those of the training part",
}


def outlier_method(outliers: Outliers) -> str:
    """Say what rows were compared with, and how, in a line.

    Returns
    -------
    str
        ``each of 1,360 rows against the others of its class: the 10 nearest, layer penultimate,
        cosine``
    """
    return (
        f"each of {count(len(outliers), 'row')} against {_REFERENCES[outliers.reference]}: the "
        f"{outliers.k} nearest, layer {outliers.layer}, {outliers.metric}"
    )


def unusual_line(outliers: Outliers) -> str:
    """Say how many images are unusual, in a line.

    Returns
    -------
    str
        ``12 images (0.9%) are unusual: 8 far from others, 7 local outliers, 3 of
        them both``
    """
    far, thin = (
        sum(name in reasons for reasons in outliers.reasons) for name in ("knn_distance", "lof")
    )
    if not far + thin:
        return "no image is unusual"
    many = len(outliers.unusual)
    told = [f"{far:,} far from others"] * (far > 0)
    told += [count(thin, "local outlier")] * (thin > 0)
    are = "is" if many == 1 else "are"
    both = far + thin - many
    if both:
        told.append(f"{both:,} of them both")
    share = percent(many / len(outliers))
    return f"{count(many, 'image')} ({share}) {are} unusual: {', '.join(told)}"


def not_compared_line(outliers: Outliers) -> str:
    """Say how many rows were not compared, and why, in a line; "" where all were."""
    told = [f"{count(many, 'row')} {why}" for why, many in outliers.not_compared.items()]
    return f"not compared: {'; '.join(told)}" if told else ""


def odd_about(outlier: Outlier) -> str:
    """Say what is odd about a picture, and what was measured.

    Returns
    -------
    str
        ``dark 0.05, tiny (48 pixels)``: a score, or the square root of the area.
    """
    told = []
    for reason in outlier.reasons:
        if reason in PICTURE_REASONS:
            size, score = outlier.values.get("size"), outlier.values.get(f"{reason}_score")
            if reason in ("tiny", "large") and size is not None:
                told.append(f"{REASONS[reason]} ({round(size):,} pixels)")
            elif reason != "grayscale" and score is not None:
                told.append(f"{REASONS[reason]} {ratio(score)}")
            else:
                told.append(REASONS[reason])
    return ", ".join(told)


def pictures_line(outliers: Outliers) -> str:
    """Say what is odd about pictures, in a line; "" where none were to be measured.

    Returns
    -------
    str
        ``1,366 pictures measured: 2 dark, 1 blurred, 1 tiny``
    """
    if outliers.measured is None:
        return ""
    told = [f"{len(one):,} {REASONS[one.reason]}" for one in outliers.issues if not one.common]
    most = [
        f"{percent(len(one) / outliers.measured)} are {REASONS[one.reason]}, which is usual here"
        for one in outliers.issues
        if one.common
    ]
    measured = f"{count(outliers.measured, 'picture')} measured"
    if not outliers.measured:
        return measured
    return f"{measured}: {', '.join([*told, *most]) or 'nothing odd'}"
