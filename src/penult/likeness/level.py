"""Another similarity below which photos are unlike all that were seen, as a caller wants it."""

from __future__ import annotations

from dataclasses import replace

from penult.errors import UsageError
from penult.interface import option
from penult.likeness.likeness import Likeness

__all__ = ["with_level"]


def with_level(likeness: Likeness | None, unlike: float | str, *, unknown: str) -> Likeness | None:
    """Have a likeness mark photos below another similarity, or never.

    Parameters
    ----------
    likeness : Likeness or None
        None where it is not known what is unlike.
    unlike : float or {"auto", "off"}
        A cosine; as it is; none at all.
    unknown : str
        What to say where it is not known and a similarity is given: whose it is, and what to do.

    Returns
    -------
    Likeness or None
        None marks nothing.

    Raises
    ------
    UsageError
        For a similarity that there cannot be, or where there is no likeness.
    """
    if unlike == "auto":
        return likeness
    if unlike == "off":
        return None
    if isinstance(unlike, str) or not -1 <= unlike <= 1:
        raise UsageError(
            f"{option('unlike', unlike)} is no similarity; give auto, off, or a cosine from -1 to 1"
        )
    if likeness is None:
        raise UsageError(unknown)
    return replace(likeness, threshold=float(unlike))
