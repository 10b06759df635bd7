"""The address of a table where a file is read or written: one way to say what to do instead."""

from __future__ import annotations

import os
from pathlib import Path

from penult.addresses import address_of, is_table_scheme
from penult.errors import UsageError
from penult.interface import call_or_command, command

__all__ = ["refuse_address", "refuse_table", "refuse_table_output"]


def refuse_table(place: str | os.PathLike[str], *, images: bool = False) -> None:
    """Refuse the address of a table where files are read.

    Parameters
    ----------
    place : str or path
        As it was given, or as a path has folded it. A file of such a name is none.
    images : bool, default=False
        Whether images are read, and files of rows only by some commands.

    Raises
    ------
    UsageError
        Says how its rows become a file, and what takes it as it is; without its password.
    """
    address = address_of(place) if is_table_scheme(place) else None
    if address is None or os.path.lexists(place):
        return
    reads = "images" if images else "files"
    before = "give images, or where rows are taken, too, type" if images else "type"
    raise UsageError(
        f"{address} is the address of a table, and this {call_or_command()} reads {reads}; "
        f"{before} {_pull(address)} first, and give rows.h5 ({command('search')} and "
        f"{command('serve')} take the address as it is)"
    )


def refuse_address(place: str | os.PathLike[str]) -> None:
    """Refuse any address where files of this machine are read, that of a table among them.

    Raises
    ------
    UsageError
    """
    refuse_table(place)
    address = address_of(place)
    if address is None or os.path.lexists(place):
        return
    of_table = ""
    if address.lower().startswith(("http://", "https://")):  # of Qdrant, perhaps
        of_table = f", or, of a table in Qdrant, type {_pull(address)} and give rows.h5"
    raise UsageError(
        f"{address} is an address, and this {call_or_command()} reads files on this machine; "
        f"copy it here, and give the file{of_table}"
    )


def refuse_table_output(path: str | os.PathLike[str]) -> None:
    """Refuse the address of a table where a file is written.

    Raises
    ------
    UsageError
        Says how rows come into a table; without the password.
    """
    address = address_of(path) if is_table_scheme(path) else None
    if address is not None and not Path(path).exists():
        pushed = command("push", "rows.h5", to=address)
        raise UsageError(
            f"{address} is the address of a table, and this {call_or_command()} writes files; give "
            f"the name of a file, and put rows into a table by {pushed}"
        )


def _pull(address: str) -> str:
    return command("pull", address, output="rows.h5")
