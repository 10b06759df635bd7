"""Whether held-out images have near-duplicates among those that train, at a bounded cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.neighbors.unit import unit_rows
from penult.partition.rows import read_blocks, read_rows, row_length
from penult.texts import positions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["Leaks", "find_leaks"]

# From the first of these on two pictures are one, as a rule: see docs/duplicates.md. The others are
# for datasets whose images are much alike.
_COSINES = (0.95, 0.97, 0.99, 0.999)

# Multiplications, a few seconds of a core; training on so many rows takes minutes.
_WORK = 100_000_000_000
_HELD_BYTES = 256 << 20
_CELLS = 1 << 24  # of a table of cosines at a time

# Rows of few numbers are near to each other by chance: of a colour's three, for example.
_SHORTEST = 32

# Copies stand apart: few pictures are a little less alike. Of the held-out images whose nearest
# training image has a cosine of at least 1 - 1.5 (1 - c), and one more, at least this part has to
# reach c; else it is chance, but for 0.999, which is none. At 0.95 it was 0.77 to 0.87 on three
# splits of Flowers-17, which has copies, and 0.43 to 0.44 of the digits of 8 × 8 pixels that
# `penult.sample` writes, which have none.
_APART, _WIDER = 0.6, 1.5

# And they are of one class, but for wrong labels. Where more than this part as many come so near to
# an image of another class, the cosine says nothing either.
_OF_OTHERS = 0.5


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """How many held-out images have a near-duplicate among those that train.

    Attributes
    ----------
    near : int
        Those that have one.
    looked_at : int
        Held-out images that were looked at.
    held_out : int
        All of them.
    cosine : float
        From which two pictures were taken for one.
    """

    near: int
    looked_at: int
    held_out: int
    cosine: float


def find_leaks(
    features: Features,
    train: NDArray[np.int64],
    others: Features,
    held_out: NDArray[np.int64],
    *,
    work: int = _WORK,
) -> Leaks | None:
    """Look for near-duplicates of held-out images among those that train.

    The cosine from which two are taken for one picture is 0.95; or 0.97, 0.99 or 0.999, where the
    images of a dataset are so much alike that those below come that near by chance: where others
    are but a little less near, or as near to images of another class. The lowest is given
    of those that find the same images.

    Parameters
    ----------
    features : Features
        Of the rows that train.
    train : int64 array, shape (n,)
        Their places, ascending.
    others : Features
        Of the rows that were held out; the same features, or others.
    held_out : int64 array, shape (m,)
        Their places, ascending.
    work : int
        Multiplications that may be spent: of more, some held-out images are drawn by chance.

    Returns
    -------
    Leaks or None
        None where the rows cannot tell: they are too short, or too much alike.
    """
    width = row_length(features)
    if width < _SHORTEST or not len(train) or not len(held_out):
        return None
    most = min(work // (len(train) * width), _HELD_BYTES // (4 * width))
    some = held_out
    if most < len(held_out):
        drawn = np.random.default_rng(0).permutation(len(held_out))[: max(1, most)]
        some = held_out[np.sort(drawn)]
    asked = unit_rows(read_rows(others, some))
    names = features.label_names
    several = features.targets is not None or others.targets is not None
    theirs = _labels(others, names, several=several)[some]
    own = _labels(features, names, several=several)
    own_nearest = np.full(len(some), -1, np.float32)
    other_nearest = own_nearest.copy()
    step = max(1, _CELLS // len(some))
    for part, block in read_blocks(features, train, block_bytes=4 * width * step):
        cosines = asked @ unit_rows(block).T
        labels = own[train[part]]
        if several:
            shared = theirs.astype(np.float32) @ labels.T.astype(np.float32) > 0
        else:
            shared = theirs[:, None] == labels
        for found, alike in ((own_nearest, shared), (other_nearest, ~shared)):
            np.maximum(found, np.where(alike, cosines, -1).max(axis=1), out=found)
    nearest = np.maximum(own_nearest, other_nearest)
    for cosine in _COSINES:
        near = int((nearest >= cosine).sum())
        wider = int((nearest >= 1 - _WIDER * (1 - cosine)).sum())
        of_own, of_others = int((own_nearest >= cosine).sum()), int((other_nearest >= cosine).sum())
        apart = near >= _APART * (wider + 1) or cosine == _COSINES[-1]
        if apart and of_others <= _OF_OTHERS * of_own:
            # Where no more come as near as a lower one, that is as good, and what others say too.
            same = (one for one in _COSINES if int((nearest >= one).sum()) == near)
            return Leaks(
                near=near,
                looked_at=len(some),
                held_out=len(held_out),
                cosine=min(same) if near else cosine,
            )
    return None


def _labels(features: Features, names: Sequence[str], *, several: bool) -> NDArray[Any]:
    """Class of each row as a place among some names, (N,); or which it has, (N, K) bool."""
    own = np.array(positions(features.label_names, names), np.int64)
    if features.targets is None:
        labels = np.append(own, -1)[np.asarray(features.labels)]
        return labels[:, None] == np.arange(len(names)) if several else labels
    targets = np.zeros((len(features), len(names)), bool)
    targets[:, own[own >= 0]] = np.asarray(features.targets, bool)[:, own >= 0]
    return targets
