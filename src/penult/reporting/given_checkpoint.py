"""A fine-tuned network that a report is asked of, and the photos that it was made with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penult.backbones.checkpoint_folder import (
    PHOTOS,
    SCORES,
    is_checkpoint_folder,
    require_whole,
)
from penult.errors import FileFormatError, PathNotFoundError, UsageError
from penult.finetuning.training_photos import TrainingPhotos
from penult.images.listing_options import ListingOptions
from penult.interface import command, option
from penult.reporting.finetuning import Finetuning
from penult.suffixes import CHECKPOINT

__all__ = ["GivenCheckpoint", "checkpoint_among"]


@dataclass(frozen=True, kw_only=True)
class GivenCheckpoint:
    """A fine-tuned network in the place of images.

    Attributes
    ----------
    folder : Path
        As it was typed.
    finetuning : Finetuning
        How it was made.
    photos : TrainingPhotos
        Which photos are in which part.
    sources : list
        Where they are now: what was given after the folder, or where they were.
    listing : ListingOptions
        How they are listed: as they were, unless something else was asked for.
    """

    folder: Path
    finetuning: Finetuning
    photos: TrainingPhotos
    sources: list[Any]
    listing: ListingOptions


def checkpoint_among(
    sources: Sequence[Any], listing: ListingOptions, classifier: str | Path | Sequence[str]
) -> GivenCheckpoint | None:
    """Find the fine-tuned network that a report is asked of: it comes first, before its photos.

    Parameters
    ----------
    sources : sequence
        What was given as images.
    listing : ListingOptions
        As it was given.
    classifier : str, path or sequence of str
        As it was given; a fine-tuned network has one.

    Returns
    -------
    GivenCheckpoint or None
        None where there are images alone.

    Raises
    ------
    UsageError
        If it does not come first, or a classifier was given as well.
    PathNotFoundError
        If its photos are no longer where they were, and nothing says where they are.
    FileFormatError
        If the folder is not whole, or does not know its photos.
    """
    folders = [one for one in sources if isinstance(one, Path) and _is_checkpoint(one)]
    if not folders:
        return None
    folder, *others = folders
    if others or sources[0] != folder:
        raise UsageError(
            f"{folder} is a fine-tuned network, which a report takes one of, before its photos: "
            f"{_with_photos(folder)}"
        )
    require_whole(folder)
    if classifier not in ("logistic", ["logistic"], ("logistic",)):
        raise UsageError(
            f"{folder} has a classifier of its own, its head; give it without "
            f"{option('classifier')}"
        )
    if not (folder / PHOTOS).is_file():
        raise FileFormatError(
            f"{folder} has no {PHOTOS}, which says what photos it was fine-tuned on; fine-tune "
            f"again, or have it applied to photos: "
            f"{command('report', 'PHOTOS', classifier=str(folder), output='report')}"
        )
    photos = TrainingPhotos.read(folder / PHOTOS)
    if not photos.test:
        raise UsageError(
            f"no photo was held out when {folder} was made, so that there is nothing to score; "
            f"have it applied to photos that it has never seen: "
            f"{command('report', 'PHOTOS', classifier=str(folder), output='report')}"
        )
    rest = list(sources[1:])
    asked = listing != ListingOptions()
    return GivenCheckpoint(
        folder=folder,
        finetuning=Finetuning.read(folder / SCORES),
        photos=photos,
        sources=rest or _where_they_were(folder, photos),
        listing=listing if asked else _as_they_were(photos),
    )


def _is_checkpoint(path: Path) -> bool:
    return is_checkpoint_folder(path) or (
        path.suffix.lower() in CHECKPOINT.suffixes and path.is_dir()
    )


def _with_photos(folder: Path) -> str:
    return command("report", str(folder), "PHOTOS", output="report")


def _where_they_were(folder: Path, photos: TrainingPhotos) -> list[Any]:
    give = f"say where they are now: {_with_photos(folder)}"
    if not photos.sources:
        raise UsageError(f"{folder} does not know the place of the photos it was made with; {give}")
    found: list[Any] = []
    for source in photos.sources:
        path = Path(source)
        if not path.is_absolute():  # an address
            found.append(source)
        elif path.exists():
            found.append(path)
        else:
            raise PathNotFoundError(
                f"the photos that {folder} was made with are not at {source} any more; {give}"
            )
    return found


def _as_they_were(photos: TrainingPhotos) -> ListingOptions:
    fields: Any = {name: value for name, value in photos.listing.items() if value is not None}
    try:
        return ListingOptions(**fields)
    except TypeError as error:
        raise FileFormatError(f"its {PHOTOS} is damaged: {error}") from error
