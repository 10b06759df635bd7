"""A report is put together in a folder of its own; its files appear once all of them are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from penult.errors import OutputExistsError, PenultError
from penult.features.resume.lock import RunLock
from penult.interface import call_or_command
from penult.output import explain, replace_file, sync_folder

__all__ = ["is_complete", "staged", "staging_folder"]


def staging_folder(directory: Path) -> Path:
    """Where the report of `directory` is put together."""
    return directory / "report.parts"


def is_complete(directory: Path, page: str) -> bool:
    """Whether a run was killed when all but putting its files into place was done."""
    return (staging_folder(directory) / page).exists()


@contextmanager
def staged(
    directory: Path, *, rows: str, files: Sequence[str], optional: Sequence[str]
) -> Iterator[Path]:
    """Yield a folder whose files are put into `directory` if the block ends well.

    If it does not, only the rows are kept there, whole or in parts, and the next run goes on from
    them.

    Parameters
    ----------
    directory : created if need be, with its parents
    rows : the feature file
    files : the other files that a report may have, in the order in which they are put into place
    optional : those of them that are removed where this report has none and one before it had

    Raises
    ------
    OutputExistsError
        If `directory` is a file, or another run writes the same report.
    OutputError
    """
    created = not directory.exists()
    folder = staging_folder(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = RunLock(folder, directory)
    except PenultError:
        raise
    except FileExistsError as error:
        raise OutputExistsError(f"{directory} is a file; give a folder for the report") from error
    except OSError as error:
        raise explain(error, directory) from error
    placing = False
    try:
        try:
            yield folder
        except PenultError as error:
            if (folder / rows).exists() and "goes on" not in str(error):
                error.args = (
                    f"{error}; the rows are safe in {folder}: once that is mended, the same "
                    f"{call_or_command()} goes on from there",
                )
            raise
        placing = True
        _put_into_place(folder, directory, [rows, *files], optional)
        placing = False
    finally:
        # Of what is only half in place, the rest stays: by it the next run knows that it may
        # replace what is there.
        if not placing:
            for name in files:
                (folder / name).unlink(missing_ok=True)
        with suppress(OSError):  # there is none, or something was computed
            (folder / f"{rows}.parts").rmdir()
        lock.release(remove=not placing and not any(folder.glob(f"{rows}*")))
        if created:
            with suppress(OSError):  # not empty: the report, or what was finished of it
                directory.rmdir()


def _put_into_place(
    folder: Path, directory: Path, files: Sequence[str], optional: Sequence[str]
) -> None:
    made = [name for name in files if (folder / name).exists()]
    try:
        for name in set(optional) - set(made):
            (directory / name).unlink(missing_ok=True)
        for name in made:
            replace_file(folder / name, directory / name)
        sync_folder(directory)
    except OSError as error:
        raise explain(error, directory) from error
