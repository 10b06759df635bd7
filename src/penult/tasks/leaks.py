"""What training says of near-duplicates between its own parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from penult.classify.evaluation.seen import content_keys, is_seen
from penult.classify.options import TrainOptions
from penult.errors import PenultError
from penult.records import Features
from penult.retrieve.duplicates.leak_warning import warn_of_leaks
from penult.retrieve.duplicates.leaks import find_leaks

__all__ = ["log_leaks"]


def log_leaks(features: Features, others: Features | None, options: TrainOptions) -> None:
    """Warn where held-out images have near-duplicates among those that train.

    Parameters
    ----------
    features : Features
        What was trained on.
    others : Features or None
        What was scored on, if that is another file.
    options : TrainOptions
        By which the rows were divided.
    """
    try:
        if others is None:
            split = options.split(features)
            found = find_leaks(features, split.train, features, split.held_out)
        else:
            split = options.split(features, in_test_file=_shared(features, others))
            found = find_leaks(features, split.train, others, np.arange(len(others)))
    except PenultError:  # training has said what there is to say
        return
    file = getattr(features.features, "named", "") or "FEATURES"
    warn_of_leaks(found, file, drawn=None if others is not None else split.drawn)


def _shared(features: Features, others: Features) -> Any:
    theirs = content_keys(others, np.arange(len(others)))
    seen = is_seen(features, np.arange(len(features)), theirs)
    return np.zeros(len(features), bool) if seen is None else seen
