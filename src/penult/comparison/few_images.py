"""How large a difference has to be before so many images can show it at all."""

from __future__ import annotations

from math import ceil, log2

from penult.comparison.differences import LEVEL

__all__ = ["are_few", "least_images", "what_would_tell"]

_COARSE = 0.1  # images that show no smaller difference, whatever they show, are few


def least_images(pairs: int = 1) -> int:
    """How many images have to differ, all one way, for a difference to be separable.

    k such images have a p of 2 ** (1 - k), and Holm's is that times the number of pairs.

    Parameters
    ----------
    pairs : int, default=1
        How many differences are looked at.

    Examples
    --------
    >>> least_images()
    6
    """
    return ceil(1 + log2(max(1, pairs) / LEVEL))


def are_few(images: int, pairs: int = 1) -> bool:
    """Whether a difference of ten points would not be separable even if no image spoke against it.

    Examples
    --------
    >>> are_few(59), are_few(60)
    (True, False)
    """
    return least_images(pairs) > _COARSE * images


def what_would_tell(images: int, pairs: int = 1) -> str:
    """Say what difference would be more than noise, after "on so few" images.

    Examples
    --------
    >>> what_would_tell(30)
    'only a difference of about 20 points, on which all images agree, would be more than noise'
    >>> what_would_tell(5)
    'no difference could be more than noise'
    """
    least = least_images(pairs)
    if least > images:
        return "no difference could be more than noise"
    return (
        f"only a difference of about {round(100 * least / images)} points, on which all images "
        "agree, would be more than noise"
    )
