"""The copies and near-duplicates of a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penult.records.duplicate_group import DuplicateGroup
from penult.records.duplicate_pair import DuplicatePair
from penult.records.repaired_split import RepairedSplit
from penult.records.split_leaks import SplitLeaks
from penult.records.threshold_count import ThresholdCount
from penult.representation import html_table, one_line
from penult.wording import count

__all__ = ["Duplicates"]


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """The copies and near-duplicates of a dataset.

    Attributes
    ----------
    groups : tuple of DuplicateGroup
        Those of most images first; of equals, those of the strongest weakest link, then in the
        order of the file.
    pairs : int
        Near-duplicates, pair by pair: cosine of at least `threshold`, or the same file.
    across_splits : tuple of DuplicatePair
        Those of the pairs that are in different parts, the most similar first; empty where they
        were not asked for. Of more than a million, the first million.
    suspects : tuple of DuplicatePair
        Those of the pairs whose labels differ, the most similar first: one of each is likely wrong.
        Of more than a million, the first million.
    examples : tuple of DuplicatePair
        Of each threshold of `counts` the pairs just above it, which the next higher one does not
        find, to be looked at; the most similar first.
    across_total, suspects_total : int
        How many pairs in different parts, and of different labels, there are, listed or not.
    threshold : float
        The cosine from which rows are near-duplicates.
    least : float
        The least cosine that was looked for: 0.90, or the threshold; more, where there would be too
        many pairs.
    rows : int
        Images that were compared.
    identical : int
        Sets of identical files, byte for byte, whatever groups they are in: the same at every
        threshold.
    counts : tuple of ThresholdCount
        How many there would be at other thresholds, the highest first.
    leaks : SplitLeaks or None
        Of the parts, where pairs across them were asked for.
    repaired : RepairedSplit or None
        Where a repair was asked for.
    zeros : tuple of str
        Ids of images whose row is all zeros and has no cosine: of those, only copies of the file
        are found.
    unseen : int
        Images of the groups whose size is not known, since they were not found.
    """

    groups: tuple[DuplicateGroup, ...]
    pairs: int
    across_splits: tuple[DuplicatePair, ...] = ()
    suspects: tuple[DuplicatePair, ...] = ()
    examples: tuple[DuplicatePair, ...] = ()
    across_total: int
    suspects_total: int
    threshold: float
    least: float
    rows: int
    identical: int = 0
    counts: tuple[ThresholdCount, ...] = ()
    leaks: SplitLeaks | None = None
    repaired: RepairedSplit | None = None
    zeros: tuple[str, ...] = ()
    unseen: int = 0

    def __len__(self) -> int:
        """The number of groups."""
        return len(self.groups)

    @property
    def images(self) -> int:
        """The number of images in the groups."""
        return sum(map(len, self.groups))

    @property
    def removable(self) -> tuple[str, ...]:
        """The ids that may go: of each group all but the one to keep.

        Of groups that are `contested`, by different labels, none.
        """
        return tuple(one for group in self.groups if not group.contested for one in group.removable)

    def to_dict(self) -> dict[str, Any]:
        """Write them as what JSON can hold: what ``penult duplicates --json`` prints.

        Returns
        -------
        dict
            ``groups``, ``pairs`` and ``across_splits``, the last as lists of two ids and their
            cosine; further keys may come.
        """
        return {
            "groups": [group.to_dict() for group in self.groups],
            "pairs": self.pairs,
            "across_splits": [pair.to_list() for pair in self.across_splits],
            "across_total": self.across_total,
            "suspects": [[*pair.to_list(), *pair.labels] for pair in self.suspects],
            "suspects_total": self.suspects_total,
            "threshold": self.threshold,
            "least": self.least,
            "rows": self.rows,
            "identical": self.identical,
            "example_pairs": [pair.to_list() for pair in self.examples],
            "counts": [one.to_dict() for one in self.counts],
            "leaks": self.leaks and self.leaks.to_dict(),
            "repaired": self.repaired and self.repaired.to_dict(),
            "zeros": list(self.zeros),
            "unseen": self.unseen,
        }

    def to_dataframe(self) -> Any:
        """Make a pandas DataFrame, a row for each image of a group.

        Returns
        -------
        pandas.DataFrame
            The columns of the table that ``penult duplicates --csv`` prints: ``group``, counted
            from 1; ``id``; ``keep``; ``cosine``, to the kept one of the group; ``label``;
            ``split``.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        from penult.tabular import duplicates_to_dataframe

        return duplicates_to_dataframe(self)

    def __repr__(self) -> str:
        return one_line("Duplicates", self._facts())

    def _facts(self) -> list[tuple[str, str | None]]:
        across, suspects = self.across_total, self.suspects_total
        return [
            ("rows", count(self.rows, "row")),
            ("threshold", f"threshold {self.threshold:g}"),
            ("groups", f"{count(len(self), 'group')} of {count(self.images, 'image')}"),
            ("pairs", count(self.pairs, "pair")),
            ("across parts", f"{across:,} across parts" if across else None),
            ("other labels", f"{suspects:,} with different labels" if suspects else None),
        ]

    def _repr_html_(self) -> str:
        header = ("images", "weakest link", "keep", "others")
        rows = [
            (len(one), f"{one.weakest:.3f}", one.keep, ", ".join(one.removable))
            for one in self.groups
        ]
        return html_table("Duplicates", self._facts(), [header, *rows])
