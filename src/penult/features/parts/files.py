"""The parts of a folder, of which a few are open at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from penult.errors import (
    FeatureFileError,
    FileFormatError,
    MissingExtraError,
    PathNotFoundError,
    UnreadableFileError,
)
from penult.features.column import Refused
from penult.features.parts.cache import MOST_BYTES, cached
from penult.features.parts.entry import PartEntry
from penult.features.parts.manifest import PartsManifest
from penult.features.parts.open_part import H5Part, OpenPart
from penult.features.parts.store import PartsStore
from penult.features.parts.write import digest_of
from penult.inputs import refuse_unread
from penult.interface import command
from penult.messages import first_line
from penult.wording import count, listed

__all__ = ["PartFiles"]

_MOST_OPEN = 8
_FETCHED_AT_ONCE = 8


class PartFiles:
    """The part files of a finished folder of rows; to be used by several threads.

    Parameters
    ----------
    address : str
        Of the folder, local or not.

    Raises
    ------
    PathNotFoundError, WrongFileError, FeatureFileError
        If there is no such folder, or it has no manifest to be trusted.
    """

    def __init__(self, address: str) -> None:
        self.store = PartsStore.at(address)
        self.address = self.store.address
        self.manifest = PartsManifest.read(self.store)
        self._open: OrderedDict[int, OpenPart] = OrderedDict()
        self._lock = RLock()

    @contextmanager
    def opened(self, number: int) -> Iterator[OpenPart]:
        """Open a part, or find it open; it stays so until the block ends, and maybe longer.

        Parameters
        ----------
        number : int
            Of the part, from 1.

        Raises
        ------
        FeatureFileError
            If it is missing, damaged, or another part than the manifest says; names it.
        """
        with self._lock:
            part = self._open.get(number)
            if part is None:
                part = self._opened(self.manifest.parts[number - 1])
                while len(self._open) >= _MOST_OPEN:
                    self._open.popitem(last=False)[1].close()
                self._open[number] = part
            self._open.move_to_end(number)
            with self._told(self.manifest.parts[number - 1]):
                yield part

    def fetch(self) -> None:
        """Copy the parts of an address to this disk, several at a time.

        Raises
        ------
        FeatureFileError, SourceError, OutputError
        """
        total = sum(part.nbytes for part in self.manifest.parts)
        # More than may be kept is fetched part by part, when it is read.
        if self.store.folder is None and total <= MOST_BYTES:
            with ThreadPoolExecutor(_FETCHED_AT_ONCE) as threads:
                for _ in threads.map(self.path, self.manifest.parts):
                    pass

    def path(self, entry: PartEntry, *, anew: bool = False) -> Path:
        """Return where a part can be read, having fetched it from an address if need be.

        Parameters
        ----------
        entry : PartEntry
        anew : bool
            Whether it is fetched even if there is a copy of it.

        Raises
        ------
        FeatureFileError, SourceError, OutputError
        """
        folder, place = self.store.folder, self.store.place(entry.name)
        try:
            if folder is None:
                return cached(self.store, entry, anew=anew)
        except PathNotFoundError as error:
            raise self._missing(place) from error
        except FeatureFileError as error:
            raise FeatureFileError(f"{error}; {self._again()}") from error
        path = folder / entry.name
        try:
            found = path.stat().st_size
        except OSError as error:
            refuse_unread(place, error)
            raise self._missing(place) from error
        if found != entry.nbytes:
            raise FeatureFileError(
                f"{place} is damaged: it has {found:,} bytes of {entry.nbytes:,}; {self._again()}"
            )
        return path

    def require_undamaged(self) -> None:
        """Read every part, and compare it with the digest that the manifest has of it.

        Raises
        ------
        FeatureFileError
            Names those that are missing, or others.
        """
        wrong = []
        for entry in self.manifest.parts:
            try:
                if digest_of(self.path(entry, anew=True)) != entry.digest:
                    wrong.append(f"{entry.name} has other bytes")
            except FeatureFileError as error:
                said = str(error).partition(";")[0]
                wrong.append(said.replace(self.store.place(entry.name), entry.name))
            except OSError as error:
                wrong.append(f"{entry.name} cannot be read: {error.strerror or error}")
        if wrong:
            parts = count(len(self.manifest.parts), "part")
            raise FeatureFileError(
                f"{self.address}: {len(wrong):,} of {parts} "
                f"{'is' if len(wrong) == 1 else 'are'} not as the manifest says "
                f"({listed(wrong, 3)}); {self._again()}"
            )

    def _opened(self, entry: PartEntry) -> OpenPart:
        path, place = self.path(entry), self.store.place(entry.name)
        with self._told(entry):
            part: OpenPart
            if self.manifest.part_format == "h5":
                part = H5Part(path, place)
            else:
                from penult.features.parts.parquet import ParquetPart

                part = ParquetPart(path, place)
            try:
                self._require(part, entry)
            except BaseException:
                part.close()
                raise
        return part

    def _require(self, part: OpenPart, entry: PartEntry) -> None:
        """Refuse a part that is not the one of its name, or does not fit the others."""
        run, number = part.mark
        if (run, number) != (self.manifest.run, entry.number):
            raise Refused(
                f"is another part: number {number} of run {run[:8]}, in the place of number "
                f"{entry.number} of run {self.manifest.run}"
            )
        if part.label_names != self.manifest.columns.label_names:
            raise Refused("has other labels than the manifest says")
        if len(part.failures) != entry.failures:
            raise Refused(f"has {len(part.failures)} failures of {entry.failures}")
        if bool(part.layers) != bool(entry.rows):
            raise Refused(f"has no rows, and should have {entry.rows}")
        if not entry.rows:
            return
        if tuple(part.layers) != self.manifest.names:
            raise Refused(f"has rows of {listed(part.layers, 3)}, not of the manifest's names")
        for (recipe, rows), wanted in zip(part.layers.values(), self.manifest.recipes, strict=True):
            if recipe != wanted:
                differ = listed(wanted.difference(recipe), 3)
                raise Refused(f"has rows of another recipe than the manifest says ({differ})")
            if len(rows) != entry.rows or rows.dtype != self.manifest.dtype:
                raise Refused(
                    f"has {len(rows)} rows of {rows.dtype}; the manifest says {entry.rows} of "
                    f"{self.manifest.dtype}"
                )

    @contextmanager
    def _told(self, entry: PartEntry) -> Iterator[None]:
        """Name the part whatever is raised over it."""
        place = self.store.place(entry.name)
        try:
            yield
        except (MissingExtraError, UnreadableFileError):
            raise  # the part is as good as it was
        except Refused as refused:
            raise FeatureFileError(f"{place} {refused}; {self._again()}") from refused
        except FileFormatError as error:
            said = str(error).partition(";")[0]
            named = said if place in said else f"{place}: {said}"
            raise FeatureFileError(f"{named}; {self._again()}") from error
        except (KeyError, RuntimeError, OSError, ValueError) as error:
            refuse_unread(place, error)
            raise FeatureFileError(
                f"{place} is damaged: {first_line(error)[:200]}; {self._again()}"
            ) from error

    def _missing(self, place: str) -> FeatureFileError:
        parts = count(len(self.manifest.parts), "part")
        return FeatureFileError(
            f"{place} is missing, one of {parts} that the manifest names; {self._again()}"
        )

    def _again(self) -> str:
        anew = command("extract", "IMAGES", output=self.address, overwrite=True)
        return f"put the right file there, or make the folder anew: {anew}"
