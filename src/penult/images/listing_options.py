"""How images are listed: their labels, and what top folders called train or test are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from penult.errors import UsageError
from penult.images.labels.rules import is_table
from penult.images.labels.split_folders import SplitsFrom
from penult.images.listing import Images, Listing, as_sources, list_images, origin_of
from penult.images.sources.base import SourceArgument
from penult.interface import option

__all__ = ["ListingOptions"]


@dataclass(frozen=True, kw_only=True)
class ListingOptions:
    """How images are listed; see `list_images`.

    Attributes
    ----------
    labels : str, Path or sequence
        ``"parent"``, ``"none"``, ``"column:NAME"``, or a CSV file; or a label for each image, in
        the order of the list of paths that they are given with.
    label_pattern : str or None
        A regular expression on file names instead.
    path_column, label_column : str or None
        The columns of a table that name the images and their labels, if not the usual ones.
    splits : {"auto", "folders", "none"}
        Whether top folders called train, test and so on are splits.
    """

    labels: str | Path | Sequence[Any] = "parent"
    label_pattern: str | None = None
    path_column: str | None = None
    label_column: str | None = None
    splits: SplitsFrom = "auto"

    def __post_init__(self) -> None:
        if isinstance(self.labels, str | Path):
            return
        for name in ("label_pattern", "label_column"):
            if (value := getattr(self, name)) is not None:
                raise UsageError(
                    f"{option(name, value)} and a list of labels exclude each other: both say "
                    "where labels come from"
                )
        object.__setattr__(self, "labels", tuple(self.labels))

    def sources(self, images: Images | Sequence[SourceArgument]) -> list[SourceArgument]:
        """What was given as images, and the labels that were given with them, as sources."""
        return as_sources(images, None if isinstance(self.labels, str | Path) else self.labels)

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
            labels=self._rule,
            label_pattern=self.label_pattern,
            path_column=self.path_column,
            label_column=self.label_column,
            splits=self.splits,
            leave_out=leave_out,
            offline=offline,
        )

    @property
    def _rule(self) -> str | Path:
        # Labels that were given one by one stand in the table that is the source then.
        return self.labels if isinstance(self.labels, str | Path) else "parent"

    def origin(self, sources: Sequence[SourceArgument], listing: Listing) -> dict[str, Any]:
        """What a feature file notes of where its images came from, and what was beside them."""
        labels = self._rule
        if is_table(labels):
            labels = Path(labels).absolute()  # as the sources are
        options = {**asdict(self), "labels": str(labels)}
        return {**origin_of(sources), **options, **listing.notes}
