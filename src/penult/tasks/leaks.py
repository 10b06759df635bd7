"""What training says of near-duplicates between its own parts."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from penult.classify.evaluation.seen import content_keys, is_seen
from penult.errors import PenultError
from penult.interface import command, option
from penult.partition.splits import hold_out
from penult.records import Features
from penult.retrieve.duplicates.leaks import Leaks, find_leaks
from penult.wording import count, percent

__all__ = ["log_leaks"]

_FEW = 0.001  # of the held-out images: fewer are not seen in any score
_MANY = 0.5


def log_leaks(features: Features, others: Features | None, **parts: Any) -> None:
    """Warn where held-out images have near-duplicates among those that train.

    Parameters
    ----------
    features : Features
        What was trained on.
    others : Features or None
        What was scored on, if that is another file.
    **parts : Any
        How the rows were divided: options of `hold_out`.
    """
    try:
        if others is None:
            split = hold_out(features, **parts)
            found = find_leaks(features, split.train, features, split.held_out)
        else:
            seen = _shared(features, others)
            split = hold_out(features, in_test_file=seen, **parts)
            found = find_leaks(features, split.train, others, np.arange(len(others)))
    except PenultError:  # training has said what there is to say
        return
    if found is not None and found.near > _FEW * found.looked_at:
        logging.getLogger("penult").warning(
            "penult: %s",
            _sentence(found, features, drawn=None if others is not None else split.drawn),
        )


def _sentence(found: Leaks, features: Features, *, drawn: bool | None) -> str:
    """What was found, and what to do; `drawn` is None where another file was scored on."""
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
    file = getattr(features.features, "named", "") or "FEATURES"
    other = {} if found.cosine == 0.95 else {"threshold": found.cosine}
    if not drawn:
        # Near-duplicates that are kept together would lose the training images instead.
        mend = command("duplicates", file, across_splits=True, repair="repaired.h5", **other)
        return f"{line}; {mend} shows them, and writes the rows with splits that keep them together"
    look = command("duplicates", file, across_splits=True, **other)
    keep = option("near_duplicates", found.cosine)
    return f"{line}; {keep} keeps them in one part, {look} shows them"


def _shared(features: Features, others: Features) -> Any:
    theirs = content_keys(others, np.arange(len(others)))
    seen = is_seen(features, np.arange(len(features)), theirs)
    return np.zeros(len(features), bool) if seen is None else seen
