"""Where the parts of a folder of rows lie: a local folder, or an address that fsspec reaches."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from penult.errors import OutputError, PathNotFoundError, PenultError, SourceError
from penult.images.sources.remote.connection import (
    cause,
    is_missing,
    is_url,
    join,
    open_system,
    require_network,
    with_retries,
)
from penult.offline import works_offline
from penult.output import explain, replace_file, require_not_read_only, sync_folder
from penult.scratch import scratch_file, sweep

__all__ = ["PartsStore"]

_T = TypeVar("_T")

# Where a file appears only once all of it has arrived; elsewhere it is renamed when it has.
_WHOLE_AT_ONCE = {
    *("abfs", "abfss", "adl", "az", "gcs", "gs", "memory", "oci", "oss", "s3", "s3a"),
}
_LOCAL = ("file://", "local://")
_SCRATCH = ".partial"


@dataclass(frozen=True)
class PartsStore:
    """A folder that files are put into whole, or not at all; small, and to be pickled.

    Attributes
    ----------
    address : str
        A local path, or an address such as ``s3://bucket/photos.rows``.
    """

    address: str

    @classmethod
    def at(cls, place: str | Path, *, offline: bool = False) -> PartsStore:
        """Return the store at a path or an address; nothing is looked at yet.

        Raises
        ------
        UsageError
            If it is on the network, and the network is not to be touched.
        """
        address = str(place)
        if not is_url(address):
            return cls(address)
        for scheme in _LOCAL:
            if address.startswith(scheme):
                return cls(address.removeprefix(scheme))
        require_network(address, "", offline=works_offline(offline))
        return cls(address.rstrip("/"))

    @property
    def folder(self) -> Path | None:
        """The local folder; None of an address."""
        return None if is_url(self.address) else Path(self.address)

    def place(self, name: str) -> str:
        """Write where a file of the store is, as messages say it."""
        folder = self.folder
        return join(self.address, name) if folder is None else str(folder / name)

    def create(self) -> None:
        """Make the folder, if there is none, in one that there is.

        Raises
        ------
        OutputError
        """
        folder = self.folder
        if folder is None:
            system, path = open_system(self.address)
            if self._is_object_store():
                return  # there are no folders
            self._write("", lambda: system.makedirs(path, exist_ok=True))
            return
        require_not_read_only(folder)
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise explain(error, folder) from error

    def sizes(self) -> dict[str, int]:
        """Return name to size in bytes of every file in it; of no folder, none.

        Raises
        ------
        SourceError
        """
        folder = self.folder
        if folder is not None:
            try:
                with os.scandir(folder) as found:
                    return {one.name: one.stat().st_size for one in found if one.is_file()}
            except FileNotFoundError:
                return {}
            except OSError as error:
                raise SourceError(f"{folder} cannot be read: {error.strerror}") from error
        system, path = open_system(self.address)
        try:
            found_there = with_retries(lambda: system.ls(path, detail=True))
        except Exception as error:  # whatever the library of that address raises
            if is_missing(error):
                return {}
            raise self._unreadable("", error) from error
        return {
            str(one["name"]).rstrip("/").rpartition("/")[2]: int(one.get("size") or 0)
            for one in found_there
            if one.get("type") != "directory"
        }

    def names(self) -> list[str]:
        """Return the names of the files in it, sorted."""
        return sorted(self.sizes())

    def size(self, name: str) -> int | None:
        """Return the size of a file in bytes; None where there is none of that name.

        Raises
        ------
        SourceError
        """
        folder = self.folder
        try:
            if folder is not None:
                return (folder / name).stat().st_size
            system, path = open_system(self.place(name))
            return int(with_retries(lambda: system.info(path))["size"] or 0)
        except PenultError:
            raise
        except Exception as error:
            if is_missing(error):
                return None
            raise self._unreadable(name, error) from error

    def read(self, name: str) -> bytes:
        """Read a small file.

        Raises
        ------
        PathNotFoundError
            If there is none of that name.
        SourceError
            If it cannot be read.
        """
        folder = self.folder
        try:
            if folder is not None:
                return (folder / name).read_bytes()
            system, path = open_system(self.place(name))
            return bytes(with_retries(lambda: system.cat_file(path)))
        except PenultError:
            raise
        except Exception as error:
            raise self._unreadable(name, error) from error

    def read_all(self, names: Iterable[str]) -> dict[str, bytes]:
        """Read small files, many at a time where that waits for a network.

        Returns
        -------
        dict
            Name to bytes, without those that there are not.

        Raises
        ------
        SourceError
        """
        wanted, folder = list(names), self.folder
        if not wanted:
            return {}
        found: dict[str, bytes] = {}
        if folder is None:
            system, path = open_system(self.address)
            paths = {f"{path.rstrip('/')}/{name}": name for name in wanted}
            try:
                some = with_retries(lambda: system.cat([*paths], on_error="return"))
            except Exception:  # each is asked for by itself then, and says what is wrong
                some = {}
            for place, data in some.items():
                if place in paths and isinstance(data, bytes):
                    found[paths[place]] = data
        for name in wanted:
            if name not in found:
                with suppress(PathNotFoundError):
                    found[name] = self.read(name)
        return found

    def fetch(self, name: str, path: Path) -> None:
        """Copy a file of an address to a local path.

        Raises
        ------
        PathNotFoundError, SourceError, OutputError
        """
        system, there = open_system(self.place(name))
        try:
            with_retries(lambda: system.get_file(there, str(path)))
        except Exception as error:
            if isinstance(error, OSError) and error.filename == str(path):
                raise explain(error, path) from error
            raise self._unreadable(name, error) from error

    def put(self, name: str, path: Path) -> None:
        """Have a local file be the one of that name; it appears whole, or not at all.

        The file at `path` is gone then if it was in this folder.

        Raises
        ------
        OutputError
        """
        folder = self.folder
        if folder is None:
            self._upload(name, path)
            return
        try:
            if path.parent.resolve() != folder.resolve():  # which may be a relative one
                with self.writing(name) as copy:
                    copy.write_bytes(path.read_bytes())
                return
            with path.open("rb") as file:
                os.fsync(file.fileno())
            replace_file(path, folder / name)
            sync_folder(folder)
        except PenultError:
            raise
        except OSError as error:
            raise explain(error, folder / name) from error

    def put_bytes(self, name: str, data: bytes) -> None:
        """Write a small file, whole or not at all.

        Raises
        ------
        OutputError
        """
        with self.writing(name) as path:
            path.write_bytes(data)

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """Yield a local path to write to, which is put under that name if the block ends well.

        Raises
        ------
        OutputError
            Also of an `OSError` from inside, such as a full disk.
        """
        folder = self.folder
        try:
            if folder is None:
                handle, created = tempfile.mkstemp(suffix=_SCRATCH)
                os.close(handle)
                temporary = Path(created)
            else:
                sweep(folder, name)
                temporary = scratch_file(folder, name)
        except OSError as error:
            raise explain(
                error, folder / name if folder else Path(tempfile.gettempdir())
            ) from error
        try:
            try:
                yield temporary
            except PenultError:
                raise
            except OSError as error:
                raise explain(error, Path(self.place(name)) if folder else temporary) from error
            self.put(name, temporary)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()

    def remove(self, name: str) -> None:
        """Remove a file, if it is there.

        Raises
        ------
        OutputError
        """
        folder = self.folder
        if folder is not None:
            try:
                (folder / name).unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(
                    f"{folder / name} cannot be removed: {error.strerror or error}"
                ) from error
            return
        system, path = open_system(self.place(name))
        try:
            with_retries(lambda: system.rm_file(path))
        except Exception as error:
            if not is_missing(error):
                raise OutputError(
                    f"{self.place(name)} cannot be removed ({cause(error)})"
                ) from error

    def _upload(self, name: str, path: Path) -> None:
        system, there = open_system(self.place(name))
        if self._is_object_store():
            self._write(name, lambda: system.put_file(str(path), there))
            return
        parent, _, last = there.rpartition("/")
        scratch = f"{parent}/.{last}.{os.urandom(4).hex()}{_SCRATCH}"
        try:
            self._write(name, lambda: system.put_file(str(path), scratch))
            self._write(name, lambda: system.mv(scratch, there))
        except OutputError:
            with suppress(Exception):
                system.rm_file(scratch)
            raise

    def _is_object_store(self) -> bool:
        return self.address.partition("://")[0].lower() in _WHOLE_AT_ONCE

    def _write(self, name: str, call: Callable[[], _T]) -> _T:
        try:
            return with_retries(call)
        except Exception as error:  # whatever the library of that address raises
            place = self.place(name) if name else self.address
            raise OutputError(
                f"{place} cannot be written ({cause(error)}); nothing was left under that name"
            ) from error

    def _unreadable(self, name: str, error: BaseException) -> Any:
        place = self.place(name) if name else self.address
        if is_missing(error):
            return PathNotFoundError(f"no such file: {place}")
        why = cause(error)
        return SourceError(f"{place} cannot be read: {why}")
