"""The folder of a comparison: what is finished lies there, and is never computed again."""

from __future__ import annotations

import csv
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.comparison.image_scores import PER_IMAGE, ImageScores
from penult.comparison.splits import Splits
from penult.errors import FileFormatError, OutputExistsError
from penult.features.resume.lock import RunLock
from penult.interface import option
from penult.messages import first_line, printable
from penult.output import atomic_output, atomic_text, check_folder, explain
from penult.parsing import read_json, to_record
from penult.records import ComparedModel, Comparison, Features, ModelCost, RunScores
from penult.suffixes import require_folder_name
from penult.tabular import comparison_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ComparisonFolder", "Result", "file_stem", "read_result"]

PAGE = "index.html"
_LONGEST = 100  # characters of a name that becomes a file's
_LOCK = ".run"
# What a run makes before it has divided the images; the last is what a killed one was writing.
_FIRST = re.compile(r"features|results|\.run|\.splits\.(csv|json)\..*\.partial")
_HEADER = 1 << 12  # bytes of an array in a file, before its numbers
_KNOWN = 1 << 24  # bytes of JSON, the recipe of many joined networks included
_LATER = {"images_per_second_low", "images_per_second_high", "processor_rate"}
"""What files of before do not have."""

_DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    EOFError,
    ArithmeticError,
    MemoryError,
    RuntimeError,  # encrypted, or packed in a way that Python does not know
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a file of others' making may raise."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """A network whose rows were scored.

    Attributes
    ----------
    row : ComparedModel
        What is said of it.
    images : ImageScores
        Its scores of each image.
    recipe : str
        How its rows were made, as JSON.
    splits : str
        Digest of the splits that it was scored on.
    measured : bool
        Whether its cost was measured.
    """

    row: ComparedModel
    images: ImageScores
    recipe: str
    splits: str
    measured: bool

    def is_of(self, features: Features) -> bool:
        """Whether it is of rows that were made as these were."""
        return self.recipe == features.recipe.to_json()


def file_stem(name: str) -> str:
    """What a network's files are called; other names give other stems."""
    stem = re.sub(r"[^A-Za-z0-9._+-]+", "-", name).strip("-.")
    if stem == name and len(stem) <= _LONGEST:
        return stem
    return f"{stem[:_LONGEST]}-{blake2b(name.encode(), digest_size=4).hexdigest()}"


@dataclass(frozen=True)
class ComparisonFolder:
    """Where a comparison lies.

    Attributes
    ----------
    path : Path
        The folder.
    """

    path: Path

    @property
    def table(self) -> Path:
        """Which images train and which are held out."""
        return self.path / "splits.csv"

    @property
    def settings(self) -> Path:
        """How they were divided."""
        return self.path / "splits.json"

    @property
    def similarities(self) -> Path:
        """How alike each two networks are."""
        return self.path / "similarities.json"

    @property
    def page(self) -> Path:
        """The page about it."""
        return self.path / PAGE

    def feature_file(self, name: str) -> Path:
        """Where the rows of a network lie."""
        return self.path / "features" / f"{file_stem(name)}.h5"

    def result_file(self, name: str) -> Path:
        """Where the scores of a network lie."""
        return self.path / "results" / f"{file_stem(name)}.npz"

    def require_usable(self) -> None:
        """Refuse a folder that cannot be made or written, or that holds something else.

        Raises
        ------
        OutputExistsError, OutputError, UsageError
        """
        require_folder_name(self.path, f"the page {PAGE}")
        if self.path.exists() and not self.path.is_dir():
            raise OutputExistsError(f"{self.path} is a file; give the name of a folder to write")
        check_folder(self.path)
        if self.path.is_dir() and (other := self._of_others()) is not None:
            raise OutputExistsError(
                f"{self.path} holds {printable(other)}, and no comparison; give the name of a "
                "folder to make"
            )

    def prepare(self, *, overwrite: bool) -> list[Path]:
        """Make the folder, or refuse one that holds something else.

        Parameters
        ----------
        overwrite : bool
            Whether to begin anew in one that holds a comparison; rows that were made are kept.

        Returns
        -------
        list of Path
            The folders that were not there before.

        Raises
        ------
        OutputExistsError, OutputError, UsageError
        """
        self.require_usable()
        made = [folder for folder in self._folders if not folder.exists()]
        for folder in self._folders:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise explain(error, folder) from error
        if overwrite:
            # The settings stay, by which the folder is known for a comparison; without the table
            # they count for nothing, and are replaced before there is another.
            for file in (self.table, self.similarities, *self.result_files()):
                try:
                    file.unlink(missing_ok=True)
                except OSError as error:
                    raise explain(error, file, kept=True) from error
        return made

    def remove_empty(self, made: Sequence[Path]) -> None:
        """Remove the folders that `prepare` made, if nothing was put into any of them."""
        if any(one not in made for folder in made if folder.is_dir() for one in folder.iterdir()):
            return  # by this run, or by another that goes on
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()

    @property
    def _folders(self) -> tuple[Path, ...]:
        return (self.path, self.path / "features", self.path / "results")

    @contextmanager
    def dividing(self) -> Iterator[None]:
        """Keep other runs from dividing the images at the same time.

        Raises
        ------
        OutputExistsError
            If another run is about to.
        OutputError
        """
        try:
            lock = RunLock(self.path / _LOCK, self.path)
        except OutputExistsError:
            raise
        except OSError as error:
            raise explain(error, self.path) from error
        try:
            yield
        finally:
            lock.release(remove=True)

    def _of_others(self) -> str | None:
        """Name something in the folder, if it is not the folder of a comparison."""
        names = sorted(one.name for one in self.path.iterdir())
        others = [one for one in names if not _FIRST.fullmatch(one)]
        if others and not (
            _is_ours(self.settings, {"digest", "options", "failed"})
            or _is_ours(self.path / "comparison.json", {"rows", "splits", "differences"})
        ):
            return others[0]
        return None

    def splits(self) -> Splits | None:
        """How the images were divided; None where they have not been.

        Raises
        ------
        FileFormatError
        """
        if not (self.table.is_file() and self.settings.is_file()):
            return None
        return Splits.read(self.table, self.settings)

    def result(self, name: str, splits: Splits) -> Result | None:
        """What is finished of one network on these parts; None where it is not.

        Raises
        ------
        FileFormatError
        """
        file = self.result_file(name)
        return read_result(file, splits) if file.is_file() else None

    def write_result(self, result: Result) -> None:
        """Keep what is finished of one network: it is there whole, or not at all."""
        known = {
            "row": result.row.to_dict(),
            "recipe": result.recipe,
            "splits": result.splits,
            "measured": result.measured,
        }
        arrays = {f"same {name}": one for name, one in result.images.same.items()}
        arrays |= {f"any {name}": one for name, one in result.images.any_label.items()}
        text = np.frombuffer(json.dumps(known).encode(), np.uint8)
        with (
            atomic_output(self.result_file(result.row.name), overwrite=True) as path,
            path.open("wb") as file,
        ):
            np.savez_compressed(file, allow_pickle=False, known=text, **arrays)

    def write_tables(self, comparison: Comparison) -> None:
        """Write ``comparison.json`` and ``comparison.csv``, in place of those of before."""
        with atomic_text(self.path / "comparison.json", overwrite=True) as file:
            json.dump(comparison.to_dict(), file, indent=1, ensure_ascii=False)
            file.write("\n")
        columns, rows = comparison_table(comparison)
        with atomic_text(self.path / "comparison.csv", overwrite=True) as file:
            csv.writer(file).writerows([columns, *rows])

    def result_files(self) -> list[Path]:
        """The files of all that are finished."""
        return sorted((self.path / "results").glob("*.npz"))


def read_result(path: Path, splits: Splits) -> Result | None:
    """Read what `ComparisonFolder.write_result` wrote; None where it is of other parts.

    Raises
    ------
    FileFormatError
        If it is damaged, or somebody else's.
    """
    try:
        with path.open("rb") as opened, zipfile.ZipFile(opened) as file:
            known = read_json(_array(file, "known", _KNOWN).tobytes())
            if known["splits"] != splits.digest:
                return None
            shape = splits.parts.shape
            names = [one.filename.removesuffix(".npy") for one in file.infolist()]
            tables = {name: _table(file, name, shape) for name in names if name.partition(" ")[1]}
        same = {name[5:]: one for name, one in tables.items() if name.startswith("same ")}
        some = {name[4:]: one for name, one in tables.items() if name.startswith("any ")}
        row = _row(known["row"])
        if path.name != f"{file_stem(row.name)}.npz":
            raise ValueError(f"it holds {row.name}, whose file is another")
        for name, one in (*row.scores.items(), *row.any_label.items()):
            if len(one.runs) != splits.runs:
                raise ValueError(f"{name} is of {len(one.runs)} runs")
        if {*same} != {*row.scores}.intersection(PER_IMAGE):
            raise ValueError("the scores of images are others than those of all")
        whole = {name: one for name, one in row.scores.items() if name not in same}
        return Result(
            row=row,
            images=ImageScores(same=same, any_label=some, whole=whole),
            recipe=str(known["recipe"]),
            splits=str(known["splits"]),
            measured=bool(known["measured"]),
        )
    except _DAMAGE as error:
        raise FileFormatError(
            f"{path} is damaged, and is not what penult wrote ({first_line(error)}); remove "
            f"it, and it is made anew, or give {option('overwrite', True)} to score all "
            "networks anew"
        ) from error


def _array(file: zipfile.ZipFile, name: str, most: int) -> NDArray[Any]:
    """Read an array of at most so many bytes, whatever the file says of its size."""
    entry = file.getinfo(f"{name}.npy")
    if entry.file_size > most:
        raise ValueError(f"{name} has {entry.file_size:,} bytes")
    with file.open(entry) as opened:
        return np.lib.format.read_array(opened, allow_pickle=False)


def _table(file: zipfile.ZipFile, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Read the scores of each image in each run."""
    found = _array(file, name, _HEADER + 8 * int(np.prod(shape)))
    if found.shape != shape or found.dtype != np.float64:
        raise ValueError(f"{name} is of {found.shape}, {found.dtype}, and not of {shape}")
    return found


def _is_ours(file: Path, names: set[str]) -> bool:
    """Whether penult wrote a file of that name: it has these keys."""
    with suppress(OSError, ValueError):
        known = read_json(file.read_bytes())
        return isinstance(known, dict) and names <= known.keys()
    return False


def _row(known: Mapping[str, Any]) -> ComparedModel:
    """Read what `ComparedModel.to_dict` wrote."""
    cost = {
        field.name: known.get(field.name) if field.name in _LATER else known[field.name]
        for field in fields(ModelCost)
    }
    rest = {
        field.name: known[field.name]
        for field in fields(ComparedModel)
        if field.name not in ("scores", "any_label", "cost", "trained_network")
    }
    rest["trained_network"] = known.get("trained_network")  # which files of before lack
    scores = {
        name: _runs(one)
        for name, one in known.items()
        if isinstance(one, Mapping) and "runs" in one
    }
    return to_record(
        ComparedModel,
        {
            **rest,
            "scores": scores,
            "any_label": {name: _runs(one) for name, one in known["any_label"].items()},
            "cost": to_record(ModelCost, cost),
        },
    )


def _runs(known: Mapping[str, Any]) -> RunScores:
    return RunScores(tuple(float("nan") if one is None else float(one) for one in known["runs"]))
