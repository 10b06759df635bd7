"""The address of a table in PostgreSQL: a URI as libpq has it, and the name of the table."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import unquote

from penult.errors import UnknownNameError, UsageError
from penult.passwords import without_password
from penult.spelling import closest
from penult.wording import count

__all__ = ["ORDER", "PostgresAddress"]

ORDER = "_order"
"""What the name of a table's order has after the table's."""

_LONGEST_NAME = 63  # bytes; PostgreSQL cuts off the rest, and another table would be meant
_LOCAL = ("", "localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class PostgresAddress:
    """Where a table is.

    Attributes
    ----------
    shown : str
        The address without its password, for messages.
    table : str
        The table's name, as it is.
    conninfo : mapping
        What libpq takes, the password within.
    """

    shown: str
    table: str
    conninfo: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, address: str) -> PostgresAddress:
        """Read an address.

        Raises
        ------
        UsageError
            If it is none, or names no table, or one that there cannot be.
        UnknownNameError
            If libpq has no such setting.
        """
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict

        shown = without_password(address)
        place, _, query = address.partition("?")
        pairs = [pair for pair in query.split("&") if pair]
        tables = [unquote(pair.partition("=")[2]) for pair in pairs if pair.startswith("table=")]
        others = "&".join(pair for pair in pairs if not pair.startswith("table="))
        if len(tables) != 1 or not tables[0]:
            if not tables and "?table=" in others:
                right = without_password(f"{place}?{others.replace('?table=', '&table=')}")
                raise UsageError(f"{shown} has a second ? where an & belongs; give {right}")
            right = f"{place}?{others}&table=flowers" if others else f"{place}?table=flowers"
            raise UsageError(
                f"{shown} has to name one table; put it at the end: {without_password(right)}"
            )
        name = tables[0]
        longest = _LONGEST_NAME - len(ORDER)
        if "\0" in name or len(name.encode("utf-8", "surrogatepass")) > longest:
            raise UsageError(
                f"{shown}: the name of a table may have {count(longest, 'byte')} at the most, and "
                "no NUL; give a shorter one"
            )
        try:
            found = conninfo_to_dict(f"{place}?{others}" if others else place)
        except ProgrammingError:
            found = None  # libpq's message quotes what it does not understand
        if found is not None and "@" in f"{found.get('host', '')}{found.get('dbname', '')}":
            found = None  # a password with an @ in it, what is behind which libpq takes for a host
        if found is None:
            _require_known(pairs, shown)
            raise UsageError(
                f"{shown} is no address of PostgreSQL; give postgresql://USER@HOST/DATABASE?"
                "table=flowers, and what else than letters and digits is in a name or a password "
                "as %XX; or leave the password to PGPASSWORD"
            )
        return cls(shown, name, {key: str(value) for key, value in found.items()})

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine."""
        if "service" in self.conninfo or os.environ.get("PGSERVICE"):
            return False  # of which only libpq knows where it is
        given = [
            self.conninfo.get(name) or os.environ.get(f"PG{name.upper()}", "")
            for name in ("host", "hostaddr")
        ]
        return all(one in _LOCAL or one.startswith("/") for one in ",".join(given).split(","))


def _require_known(pairs: list[str], shown: str) -> None:
    """Refuse a setting that libpq does not have, by its name.

    Raises
    ------
    UnknownNameError
    """
    from psycopg.pq import Conninfo

    known = [one.keyword.decode() for one in Conninfo.get_defaults()]
    for pair in pairs:
        name = unquote(pair.partition("=")[0])
        if name not in (*known, "table", "ssl"):  # the last as JDBC has it
            allowed = "" if closest(name, known) else f"; libpq has: {', '.join(known)}"
            hint = f"allowed: table, and the settings of libpq{allowed}"
            raise UnknownNameError(f"setting in {shown}", name, known, hint)
