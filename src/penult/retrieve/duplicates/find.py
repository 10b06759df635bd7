"""The copies and near-duplicates of a feature file, from its rows to the records of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import SearchError
from penult.partition.row_groups import content_numbers, find_groups
from penult.records import Duplicates, Features, RepairedSplit
from penult.retrieve.duplicates.comparison import Comparison, compare, group_numbers
from penult.retrieve.duplicates.groups import PairWriter, find_members, make_groups
from penult.retrieve.duplicates.parts import PARTS, Parts, count_parts
from penult.retrieve.duplicates.repair import largest_shift, mend_parts
from penult.retrieve.duplicates.sizes import find_sizes
from penult.retrieve.duplicates.stream import find_zeros
from penult.tabular import text_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Found", "find_duplicates"]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found, and what more can be asked of it.

    Attributes
    ----------
    duplicates : Duplicates
        Without what became of the scores, and without a repair.
    comparison : Comparison
        Of all rows with all.
    features : Features
        Whose rows they are.
    parts : Parts or None
        Where pairs between them were asked for.
    """

    duplicates: Duplicates
    comparison: Comparison
    features: Features
    parts: Parts | None

    def leaked(self) -> NDArray[np.bool_]:
        """Which of the rows to score with have a near-duplicate among those to train with.

        Returns
        -------
        bool array, shape (m,)
            One for each of `parts.split.held_out`.
        """
        assert self.parts is not None
        assert self.parts.split is not None
        return self.comparison.leaked[self.parts.split.held_out]

    def not_trained_on(self) -> int:
        """Count the images that training leaves out, since they are identical to held-out ones."""
        assert self.parts is not None
        assert self.parts.split is not None
        content, held_out = content_numbers(self.features), self.parts.split.held_out
        left = self.parts.numbers >= 0
        left[self.parts.split.train] = left[held_out] = False
        return int((left & np.isin(content, content[held_out])).sum())

    def repaired(self) -> RepairedSplit:
        """Mend the parts: no group of near-duplicates, or of the file's own groups, in several."""
        assert self.parts is not None
        features, before = self.features, self.parts.numbers
        numbers = group_numbers(
            len(features), self.comparison.links, self.comparison.threshold
        ).astype(str)
        groups = find_groups(replace(features, content=numbers.tolist()))
        _, together = np.unique(numbers if groups is None else groups, return_inverse=True)
        labels = np.asarray(features.labels if features.targets is None else features.targets)
        after = mend_parts(before, together.astype(np.int64), labels)
        names = [*PARTS, ""]
        return RepairedSplit(
            splits=tuple(names[k] for k in after.tolist()),
            moved=int((after != before).sum()),
            before=count_parts(before),
            after=count_parts(after),
            share_off=largest_shift(before, after, labels),
        )


def find_duplicates(
    features: Features,
    threshold: float,
    *,
    across_splits: bool,
    named: str,
    images: str | Path | Sequence[str | Path] | None,
    offline: bool,
    memory: int | None,
    quiet: bool = False,
) -> Found:
    """Find all copies and near-duplicates.

    Parameters
    ----------
    features : Features
    threshold : float
        Least cosine, in (0, 1].
    across_splits : bool
        Whether pairs between parts are wanted.
    named : str
        What a message calls the features.
    images : path, str or sequence of them, or None
        Where the images are now, if they have moved.
    offline : bool
        Never touch the network.
    memory : int or None
        Bytes that may be taken.
    quiet : bool
        Say nothing of images that are not there, for a caller that says it itself.

    Raises
    ------
    SearchError
        If there are no parts, and pairs between them are wanted; or if a row holds a NaN or an
        infinity: names the ids.
    """
    parts = Parts.of(features, named) if across_splits else None
    split = None if parts is None else parts.split
    zeros = find_zeros(features)
    try:
        comparison = compare(
            features,
            threshold,
            parts=None if parts is None else parts.numbers,
            train=None if split is None else split.train,
            held_out=None if split is None else split.held_out,
            memory=memory,
        )
    except SearchError as error:
        raise SearchError(f"{named}: {error}") from error
    columns = text_columns(features)
    writer = PairWriter(
        ids=features.ids,
        labels=columns["label"],
        splits=columns.get("split", [None] * len(features)) if parts is None else parts.names(),
        content=features.content,
    )
    members = find_members(len(features), comparison)
    places = np.concatenate(members) if members else np.empty(0, np.int64)
    sizes = find_sizes(features, places, images, offline=offline, quiet=quiet)
    duplicates = Duplicates(
        groups=make_groups(features, comparison, members, sizes, writer),
        pairs=comparison.pairs,
        across_splits=writer.write(comparison.across),
        across_total=comparison.across_total,
        suspects=writer.write(comparison.suspects),
        suspects_total=comparison.suspects_total,
        examples=writer.write(comparison.examples),
        threshold=threshold,
        least=comparison.least,
        rows=len(features),
        identical=_identical_sets(features),
        counts=comparison.counts,
        zeros=tuple(str(features.ids[k]) for k in zeros),
        unseen=len(places) - len(sizes),
    )
    return Found(duplicates=duplicates, comparison=comparison, features=features, parts=parts)


def _identical_sets(features: Features) -> int:
    """Count the sets of two images and more that are one file."""
    return int((np.unique(content_numbers(features), return_counts=True)[1] > 1).sum())
