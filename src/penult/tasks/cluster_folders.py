"""Photos in a folder for each cluster: copied or linked, and none overwritten."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from penult.classify.prediction.sorting import Sorter
from penult.errors import ImageError, OutputExistsError, UsageError
from penult.features.image_places import look_for_images
from penult.images.read import digest_of, read_bytes
from penult.interface import at_command_line
from penult.progress import Tell
from penult.records import Clustering, Failure, Features, ImageRecord, Progress
from penult.written import note_written

__all__ = ["ClusterFolders", "OtherClustersError", "folder_labels"]

NOISE = "noise"
"""The folder of rows that are in no cluster."""


class OtherClustersError(OutputExistsError):
    """Photos lie in the folders of other clusters.

    Attributes
    ----------
    clustering : Clustering or None
        What was found, and is not lost.
    """

    clustering: Clustering | None = None


def folder_labels(clustering: Clustering) -> list[str]:
    """Name a folder for each cluster: its number, and the label if more than half have it.

    Returns
    -------
    list of str, length K
        ``03-tulip``, or ``03``: in the order of the clusters by name too.
    """
    digits = len(str(max(0, clustering.k - 1)))
    return [
        f"{one.number:0{digits}d}" + (f"-{one.label}" if one.is_named else "")
        for one in clustering.clusters
    ]


class ClusterFolders:
    """Puts the photos of rows into the folders of their clusters, as `penult.predict` does.

    Photos are looked for when it is made, so that nothing is computed where there are none.

    Parameters
    ----------
    features : Features
    folder : path
        In which the folders are made.
    mode : {"copy", "hardlink", "symlink"}
    images : path, str or sequence of them, optional
        Where the images are now, if they have moved.
    offline : bool
        Never touch the network.

    Raises
    ------
    OutputExistsError, OutputError, UsageError
        If the folder cannot be one, or holds the images, or there are none where they are looked
        for.
    """

    def __init__(
        self,
        features: Features,
        folder: Path,
        *,
        mode: str,
        images: str | Path | Sequence[str | Path] | None,
        offline: bool,
    ) -> None:
        sorter = Sorter(folder, [NOISE], mode=mode, name="sort_into")  # whether it can be filled
        self._folder, self._mode = folder, mode
        self._content = features.content
        places = look_for_images(features, images, offline=offline)
        if not places.finders:
            raise UsageError(f"the photos cannot be found: {places.why()}")
        if places.gone:
            logging.getLogger("penult").warning(
                "penult: some of the photos cannot be found: %s", places.why()
            )
        self._find = places.find
        for require in (sorter.require_photos_outside, sorter.require_files):
            require(filter(None, (self._find(str(one)) for one in features.ids)))

    def fill(self, clustering: Clustering, tell: Tell) -> tuple[int, int, tuple[Failure, ...]]:
        """Sort the photos.

        Parameters
        ----------
        clustering : Clustering
            Of the same rows.
        tell : callable
            Told of each photo.

        Returns
        -------
        copied : int
            How many were put into folders.
        there_already : int
            How many were there before.
        failures : tuple of Failure
            Those that are not, and why.

        Raises
        ------
        OtherClustersError
            If the folder has some of these photos in other clusters: there is no telling the two
            clusterings apart afterwards. None was put there then.
        OutputError
            If it cannot be written; what was sorted by then is there.
        """
        labels = [*folder_labels(clustering), NOISE]
        other_k = "-k" if at_command_line() else "k"
        sorter = Sorter(
            self._folder,
            labels,
            mode=self._mode,
            by_another=f"another clustering, such as one with another {other_k}",
        )
        numbers = clustering.assignments.tolist()
        # -1, noise, is the last.
        to_sort = [(str(one), labels[k]) for one, k in zip(clustering.ids, numbers, strict=True)]
        try:
            self._refuse_another(to_sort, sorter)
        except OutputExistsError as error:
            other = OtherClustersError(str(error))
            other.clustering = clustering
            raise other from None
        failures, copied = list[Failure](), 0
        for place, (one, label) in enumerate(to_sort):
            try:
                copied += self._place(place, one, label, sorter)
            except ImageError as error:
                failures.append(Failure(one, str(error)))
            tell(Progress(place + 1, len(clustering), len(failures), stage="sort"))
        return copied, len(clustering) - len(failures) - copied, tuple(failures)

    def _refuse_another(self, to_sort: Sequence[tuple[str, str]], sorter: Sorter) -> None:
        """Refuse a folder in which one of the photos lies in another cluster, before all others."""
        if not self._folder.is_dir():
            return
        for place, (one, label) in enumerate(to_sort):
            record = self._find(one)
            if record is not None and sorter.has_namesake(record):
                with suppress(ImageError):  # it is said in its turn
                    sorter.require_nowhere_else(record, self._digest(place, record), label)

    def _place(self, place: int, image_id: str, label: str, sorter: Sorter) -> bool:
        """Put a photo into its folder, and say whether it is new there."""
        record = self._find(image_id)
        if record is None:
            raise ImageError("is no longer where it was")
        copied = sorter.place(record, self._digest(place, record), label)
        if copied.new:
            note_written(sorter.folder, copied.path, copy=True, source=record.path)
        return copied.new

    def _digest(self, place: int, record: ImageRecord) -> str:
        try:
            digest = digest_of(read_bytes(record))
        except OSError as error:
            raise ImageError(f"can no longer be read: {error.strerror}") from error
        if self._content is not None and str(self._content[place]) not in ("", digest):
            raise ImageError("is another photo by now than its row was made of")
        return digest
