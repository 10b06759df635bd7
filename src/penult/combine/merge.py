"""Folders of rows as one feature file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from penult.checking import checked
from penult.combine.merged_sets import MergedSets
from penult.errors import UsageError, WrongFileError
from penult.features.places import rows_address
from penult.features.read import load
from penult.interface import command
from penult.output import atomic_output, check_output
from penult.progress import ShowProgress, Tell, following
from penult.records import Features, Progress
from penult.suffixes import FEATURES, ROWS_FOLDER

__all__ = ["merge", "write_merged"]


@checked
def merge(
    folders: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Features:
    """Make one feature file of a folder of rows, or of several.

    Of one folder, it is the file that `penult.extract` would have written on one machine: the same
    rows, ids and failures in the same order, and but for the time at which it was written, the same
    bytes. Of several, as a large listing is divided into runs, it is the file of one run over all,
    in the order in which they are given and with the ids that each has; where the images came from
    is said of each. Parts are read one after the other, so that the rows may be more than fit into
    memory.

    Parameters
    ----------
    folders : path, or sequence of them
        The folder, ``photos.rows``; or its address, ``s3://bucket/photos.rows``. Of several, some
        may be feature files.
    output : path
        Feature file to write, whole or not at all.
    overwrite : bool, default=False
        Replace `output` if it exists.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    Features
        The file, as `penult.load` opens it.

    Raises
    ------
    UsageError
        If no folder is given, or one twice.
    PathNotFoundError
        If there is no such folder.
    WrongFileError
        If it is no folder of rows.
    FeatureFileError
        If its run is not finished, or a part is missing or damaged; names the part.
    RecipeMismatchError
        If folders were made with different recipes, or hold rows of different types, or augmented
        views were asked for of one and not as many of another, or they differ in `max_pixels` or
        `allow_truncated`; says in what they differ.
    SourceError
        If an image is in two folders, with a row or as a failure: names it. If an address cannot be
        reached.
    OutputExistsError, OutputError
        If `output` cannot be written.
    """
    given = [folders] if isinstance(folders, str | Path) else list(folders)
    target = Path(output)
    if target.suffix.lower() in ROWS_FOLDER.suffixes:
        raise UsageError(
            f"{target} would be a folder of rows, and {command('merge')} makes one file; name it "
            f"{target.with_suffix('.h5')}"
        )
    check_output(target, overwrite=overwrite, inputs=map(Path, given), output=FEATURES)
    _require_folders(given)
    with following(progress) as tell:
        write_merged(given, target, overwrite=overwrite, tell=tell)
    return load(target)


def _require_folders(given: Sequence[str | Path]) -> None:
    places = [str(one).rstrip("/") for one in given]
    twice = [place for k, place in enumerate(places) if place in places[:k]]
    if twice:
        raise UsageError(f"{twice[0]} was given twice; give each folder once")
    if len(given) == 1 and rows_address(given[0]) is None:
        load(given[0])  # says what is wrong with it
        raise WrongFileError(
            f"{given[0]} is one feature file already; give a folder of rows (.rows)"
        )


def write_merged(
    places: Sequence[str | Path],
    output: Path,
    *,
    splits: Sequence[str] | None = None,
    overwrite: bool = False,
    tell: Tell | None = None,
) -> None:
    """Write one feature file of folders of rows, and of feature files.

    Parameters
    ----------
    places : sequence of path
        One or more.
    splits : sequence of str, length N, optional
        In place of those that they have.

    Raises
    ------
    FeatureFileError, RecipeMismatchError, SourceError, OutputExistsError, OutputError
    """
    sets = MergedSets.of(places, splits)
    with atomic_output(output, overwrite=overwrite) as temporary:
        writer = sets.writer(temporary)
        try:
            for done in sets.fill(writer):
                if tell is not None:
                    tell(Progress(done, len(sets), 0, stage="merge", unit="rows"))
            writer.finish(sets.failures)
            writer.close()
        except BaseException:
            writer.abandon()
            raise
