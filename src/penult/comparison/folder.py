"""The folder of a comparison: what is finished lies there, and is never computed again."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from penult.comparison.image_scores import ImageScores
from penult.comparison.splits import Splits
from penult.errors import FileFormatError, OutputExistsError
from penult.interface import option
from penult.messages import printable
from penult.output import atomic_output, atomic_text, check_folder
from penult.parsing import read_json, to_record
from penult.records import ComparedModel, Comparison, Features, ModelCost, RunScores
from penult.suffixes import require_folder_name
from penult.tabular import comparison_table

__all__ = ["ComparisonFolder", "Result", "file_stem", "read_result"]

PAGE = "index.html"
_LONGEST = 100  # characters of a name that becomes a file's


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

    def is_of(self, features: Features, splits: Splits) -> bool:
        """Whether it is of these rows, scored on these parts."""
        return self.splits == splits.digest and self.recipe == features.recipe.to_json()


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

    def prepare(self, *, overwrite: bool) -> None:
        """Make the folder, or refuse one that holds something else.

        Parameters
        ----------
        overwrite : bool
            Whether to begin anew in one that holds a comparison; rows that were made are kept.

        Raises
        ------
        OutputExistsError, OutputError, UsageError
        """
        require_folder_name(self.path, f"the page {PAGE}")
        if self.path.exists() and not self.path.is_dir():
            raise OutputExistsError(f"{self.path} is a file; give the name of a folder to write")
        check_folder(self.path)
        ours = (self.settings, self.path / "features")
        if self.path.is_dir() and not any(one.exists() for one in ours):
            others = next((one for one in self.path.iterdir()), None)
            if others is not None:
                raise OutputExistsError(
                    f"{self.path} holds {printable(others.name)}, and no comparison; give the "
                    "name of a folder to make"
                )
        if overwrite:
            for file in (self.settings, self.table, self.similarities, *self.result_files()):
                file.unlink(missing_ok=True)
        for folder in (self.path, self.path / "features", self.path / "results"):
            folder.mkdir(parents=True, exist_ok=True)

    def splits(self) -> Splits | None:
        """How the images were divided; None where they have not been.

        Raises
        ------
        FileFormatError
        """
        if not (self.table.is_file() and self.settings.is_file()):
            return None
        return Splits.read(self.table, self.settings)

    def result(self, name: str) -> Result | None:
        """What is finished of one network; None where it is not.

        Raises
        ------
        FileFormatError
        """
        file = self.result_file(name)
        return read_result(file) if file.is_file() else None

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


def read_result(path: Path) -> Result:
    """Read what `ComparisonFolder.write_result` wrote.

    Raises
    ------
    FileFormatError
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        known = read_json(arrays.pop("known").tobytes())
        same = {name[5:]: one for name, one in arrays.items() if name.startswith("same ")}
        some = {name[4:]: one for name, one in arrays.items() if name.startswith("any ")}
        row = _row(known["row"])
        whole = {name: one for name, one in row.scores.items() if name not in same}
        return Result(
            row=row,
            images=ImageScores(same=same, any_label=some, whole=whole),
            recipe=str(known["recipe"]),
            splits=str(known["splits"]),
            measured=bool(known["measured"]),
        )
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise FileFormatError(
            f"{path} is damaged, and is not what penult wrote ({error}); remove it, and it is "
            f"made anew, or give {option('overwrite', True)} to score all networks anew"
        ) from error


def _row(known: Mapping[str, Any]) -> ComparedModel:
    """Read what `ComparedModel.to_dict` wrote."""
    cost = {field.name: known[field.name] for field in fields(ModelCost)}
    rest = {
        field.name: known[field.name]
        for field in fields(ComparedModel)
        if field.name not in ("scores", "any_label", "cost")
    }
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
