"""What an extraction writes: a feature file, or a folder of rows, at a path or an address."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penult.distributed.connection import require_ray
from penult.distributed.options import RayOptions
from penult.distributed.rows_folder import RUN, RunRecord
from penult.errors import OutputExistsError, PathNotFoundError, UsageError, WrongFileError
from penult.features.parts.entry import PartEntry, is_of_parts
from penult.features.parts.header import require_part_images
from penult.features.parts.manifest import MANIFEST
from penult.features.parts.store import PartsStore
from penult.features.places import rows_address
from penult.features.resume.store import parts_folder, require_place
from penult.images.sources.remote.connection import is_url, require_writable
from penult.interface import option
from penult.output import already_there
from penult.output_names import refuse_output_name
from penult.suffixes import ROWS_FOLDER

__all__ = ["Target", "require_no_output_options"]

_LOCKS = frozenset(["driver.json", "lock", "lock.file", "owner"])


@dataclass(frozen=True)
class Target:
    """Where the rows go.

    Attributes
    ----------
    path : Path
        Of the file, or of the folder; of an address, as `penult.load` takes it.
    store : PartsStore or None
        Of a folder of rows.
    """

    path: Path
    store: PartsStore | None = None

    @classmethod
    def of(cls, output: str | Path, *, offline: bool = False) -> Target:
        """Tell a folder of rows from a file by its name.

        Raises
        ------
        UsageError
            If it is on the network, and the network is not to be touched.
        OutputExistsError
            If it has the name of a folder of rows, and is a file.
        """
        address = rows_address(output)
        if address is None:
            path = Path(output)
            if path.suffix.lower() in ROWS_FOLDER.suffixes:
                raise OutputExistsError(f"{path} is a file; a folder of rows needs another name")
            return cls(path)
        if is_url(address):
            require_writable(address)
        store = PartsStore.at(address, offline=offline)
        return cls(store.folder or Path(address), store)

    @property
    def leave_out(self) -> tuple[Path, ...]:
        """What is no image, even if it lies among them."""
        if self.store is None:
            return (self.path, parts_folder(self.path))
        return () if self.store.folder is None else (self.path,)

    def require_run(
        self, cluster: RayOptions | None, *, part_images: int | None, part_format: str | None
    ) -> None:
        """Refuse a way of making the rows that cannot be that of such an output.

        Raises
        ------
        MissingExtraError
            If Ray is not installed, and is to compute.
        UsageError
            If parts of a file are asked for; or if it lies where no other process could write, as
            the workers of a cluster are.
        """
        if cluster is not None:
            require_ray()
            self._require_shared()
        if self.store is None:
            _require_no_parts(self.path, part_images=part_images, part_format=part_format)
        elif part_images is not None:
            require_part_images(part_images)

    def _require_shared(self) -> None:
        if self.store is not None and "memory://" in self.store.address:
            raise UsageError(
                f"{option('output', self.store.address)} lies in the memory of this process, and "
                "the workers of a cluster are other processes; give a folder, or an address that "
                "they reach, such as s3://BUCKET/photos.rows"
            )

    def unfinished(self) -> tuple[RunRecord, dict[int, PartEntry]] | None:
        """What an unfinished run has left in a folder of rows: its record, and the parts done.

        Raises
        ------
        ResumeError, SourceError
        """
        record = None if self.store is None else RunRecord.read(self.store)
        if self.store is None or record is None:
            return None
        return record, record.entries(self.store)

    def exists(self) -> bool:
        """Whether there is one already, and whole."""
        return self.path.exists() if self.store is None else MANIFEST in self.store.names()

    def require(self, *, overwrite: bool, update: bool) -> None:
        """Refuse one that an extraction with these options could not write.

        Raises
        ------
        UsageError, OutputExistsError, PathNotFoundError, WrongFileError, OutputError, SourceError
        """
        if self.store is None:
            require_place(self.path, overwrite=overwrite, update=update)
            return
        folder = self.store.folder
        if folder is not None:
            refuse_output_name(folder)
        if folder is not None and folder.is_symlink() and not folder.exists():
            raise PathNotFoundError(
                f"{folder} is a link to {folder.readlink()}, which does not exist; make that "
                "folder, or give another name"
            )
        if folder is not None and not folder.absolute().parent.is_dir():
            parent = folder.absolute().parent
            raise PathNotFoundError(f"{folder} cannot be written: there is no folder {parent}")
        names = self.store.names()
        if MANIFEST in names and not (overwrite or update or RUN in names):
            raise already_there(self.store.address, has_update=True)
        others = [name for name in names if not _is_ours(name)]
        if others and not {MANIFEST, RUN} & {*names}:
            raise WrongFileError(
                f"{self.store.address} is no folder of rows, and holds other files ({others[0]}); "
                "give another name"
            )


def require_no_output_options(
    cluster: RayOptions | None, *, update: bool, part_images: int | None, part_format: str | None
) -> None:
    """Refuse, of an extraction that writes nothing, what is about its output.

    Raises
    ------
    UsageError
    """
    if cluster is not None:
        raise UsageError(
            f"a run on a cluster needs an output, which all of its machines reach; give "
            f"{option('output', 'rows.h5')}"
        )
    if update:
        raise UsageError("an update needs an output to bring up to date")
    _require_no_parts(Path("photos.h5"), part_images=part_images, part_format=part_format)


def _require_no_parts(output: Path, *, part_images: int | None, part_format: str | None) -> None:
    for name, value in (("part_images", part_images), ("part_format", part_format)):
        if value is not None:
            folder = output.with_suffix(".rows").name
            raise UsageError(
                f"{option(name, value)} is for a folder of rows; give {option('output', folder)} "
                "for one"
            )


def _is_ours(name: str) -> bool:
    return name in _LOCKS or name.startswith(".") or is_of_parts(name) is not None
