"""The warning that held-out images have near-duplicates among those that train."""

from __future__ import annotations

import logging

from penult.interface import command, option
from penult.retrieve.duplicates.leaks import Leaks
from penult.wording import count, percent

__all__ = ["warn_of_leaks"]

_FEW = 0.001  # of the held-out images: fewer are not seen in any score
_MANY = 0.5


def warn_of_leaks(found: Leaks | None, file: str, *, drawn: bool | None) -> None:
    """Log a warning where there are so many that a score may show them.

    Parameters
    ----------
    found : Leaks or None
        None where the rows cannot tell.
    file : str
        How the feature file is typed.
    drawn : bool or None
        Whether chance chose the parts, not the file's own splits; None where another file was
        scored on.
    """
    if found is not None and found.near > _FEW * found.looked_at:
        logging.getLogger("penult").warning("penult: %s", _sentence(found, file, drawn=drawn))


def _sentence(found: Leaks, file: str, *, drawn: bool | None) -> str:
    of = count(found.held_out, "held-out image")
    if found.looked_at < found.held_out:
        of = f"{count(found.looked_at)} that were drawn from {of}"
    have = "has" if found.near == 1 else "have"
    line = (
        f"{found.near:,} of {of} ({percent(found.near / found.looked_at)}) {have} a near-duplicate "
        f"among those that train, a cosine of {found.cosine:g} or more, which may flatter the "
        "scores"
    )
    if found.near > _MANY * found.looked_at:
        line += ", unless the images of this dataset are all that much alike"
    if drawn is None:
        return line
    other = {} if found.cosine == 0.95 else {"threshold": found.cosine}
    if not drawn:
        # Near-duplicates that are kept together would lose the training images instead.
        mend = command("duplicates", file, across_splits=True, repair="repaired.h5", **other)
        return f"{line}; {mend} shows them, and writes the rows with splits that keep them together"
    look = command("duplicates", file, across_splits=True, **other)
    keep = option("near_duplicates", found.cosine)
    return f"{line}; {keep} keeps them in one part, {look} shows them"
