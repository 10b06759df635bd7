"""How images are listed: their labels, and what top folders called train or test are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from penult.images.labels.rules import is_table
from penult.images.labels.split_folders import SplitsFrom
from penult.images.listing import Listing, list_images, origin_of
from penult.images.sources.base import SourceArgument

__all__ = ["ListingOptions"]


@dataclass(frozen=True, kw_only=True)
class ListingOptions:
    """How images are listed; see `list_images`.

    Attributes
    ----------
    labels : str or Path
        ``"parent"``, ``"none"``, ``"column:NAME"``, or a CSV file.
    label_pattern : str or None
        A regular expression on file names instead.
    path_column, label_column : str or None
        The columns of a table that name the images and their labels, if not the usual ones.
    splits : {"auto", "folders", "none"}
        Whether top folders called train, test and so on are splits.
    """

    labels: str | Path = "parent"
    label_pattern: str | None = None
    path_column: str | None = None
    label_column: str | None = None
    splits: SplitsFrom = "auto"

    def list(
        self,
        sources: Sequence[SourceArgument],
        *,
        leave_out: Sequence[Path] = (),
        offline: bool = False,
    ) -> Listing:
        """List the images of some sources; see `list_images`."""
        return list_images(
            sources,
            labels=self.labels,
            label_pattern=self.label_pattern,
            path_column=self.path_column,
            label_column=self.label_column,
            splits=self.splits,
            leave_out=leave_out,
            offline=offline,
        )

    def origin(self, sources: Sequence[SourceArgument], listing: Listing) -> dict[str, Any]:
        """What a feature file notes of where its images came from, and what was beside them."""
        labels = self.labels
        if is_table(labels):
            labels = Path(labels).absolute()  # as the sources are
        options = {**asdict(self), "labels": str(labels)}
        return {**origin_of(sources), **options, **listing.notes}
