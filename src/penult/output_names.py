"""Names that no output may have, whichever function writes it."""

from __future__ import annotations

from pathlib import Path

from penult.errors import UsageError
from penult.interface import call_or_command, option
from penult.rows_folders import is_rows_folder, rows_folder_around
from penult.table_addresses import refuse_table_output

__all__ = ["refuse_output_name"]


def refuse_output_name(path: Path, *, is_folder: bool = False, name: str | None = None) -> None:
    """Refuse a name under which nothing is to be written.

    Parameters
    ----------
    path : Path
        As it was given.
    is_folder : bool
        Whether it is filled with files, which must not be put among those of a folder of rows.
    name : str, optional
        Of the option that it was given to, where a reader would not take it for the output.

    Raises
    ------
    UsageError
        If it is the address of a table, ``-``, which is the standard output of other programs, or
        in a folder of rows.
    """
    refuse_table_output(path)
    if str(path) == "-":
        given = "- was given as an output" if name is None else f"{option(name, '-')} was given"
        raise UsageError(
            f"{given}, and this {call_or_command()} writes no rows, tables or "
            "pages to standard output; give the name of a file or folder"
        )
    around = rows_folder_around(path)
    if is_folder and around is None and is_rows_folder(path):
        around = path
    if around is not None:
        lies = "is" if around == path else f"lies in {around},"
        raise UsageError(
            f"{path} {lies} a folder of rows, which holds its parts and nothing else; give a "
            "place outside of it"
        )
