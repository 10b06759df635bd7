"""Which images train and which are held out in each run: drawn once, and the same for all."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import FileFormatError, UsageError
from penult.interface import option
from penult.machine import free_memory
from penult.output import atomic_text
from penult.parsing import read_json, to_record
from penult.partition.near_duplicates import join_near_duplicates
from penult.partition.row_groups import find_groups, index_groups
from penult.partition.splits import Split, hold_out
from penult.tabular import text_columns
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["RUNS", "SplitOptions", "Splits"]

RUNS = 3
"""How often another part is held out, where the images have no splits of their own."""

_PARTS = ("", "train", "test")
_COLUMNS = ("id", "label", "digest", "unit")


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """How images are divided; `penult.compare` says what each means.

    Attributes
    ----------
    test_size : float
    runs : int or None
    seed : int
    folds : int
    min_per_class : int
    near_duplicates : float or None
    ignore_splits : bool
    """

    test_size: float = 0.2
    runs: int | None = None
    seed: int = 0
    folds: int = 3
    min_per_class: int = 0
    near_duplicates: float | None = None
    ignore_splits: bool = False

    def require_same(self, stored: SplitOptions, folder: Path) -> None:
        """Refuse what was asked for where images have been divided otherwise.

        What has its default was not asked for.

        Raises
        ------
        UsageError
        """
        default = asdict(SplitOptions())
        for name, value in asdict(self).items():
            if value not in (default[name], there := getattr(stored, name)):
                raise UsageError(
                    f"{option(name, value)} was given, but the images of {folder} were divided "
                    f"with {option(name, there)}, and all networks are compared on the same "
                    f"parts; leave it out, write to another folder, or give "
                    f"{option('overwrite', True)} to begin anew"
                )


@dataclass(frozen=True, kw_only=True)
class Splits:
    """Which of N images train, and which are held out, in each of R runs.

    Attributes
    ----------
    options : SplitOptions
        With which they were drawn; its ``runs`` is R.
    description : str
        How they were drawn, in words.
    left_out : mapping of str to int
        Reason to the number of images that are in neither part.
    failed : tuple of str
        Ids of images of which there was no row.
    ids, labels, digests : tuple of str, length N
        Of the images; several labels are joined by ``|``.
    units : int64 array, shape (N,)
        The same number to images that belong together, and tell no more than one.
    parts : int8 array, shape (R, N)
        1 where an image trains, 2 where it is held out, 0 where it is in neither part.
    """

    options: SplitOptions
    description: str
    left_out: Mapping[str, int]
    failed: tuple[str, ...] = ()
    ids: tuple[str, ...] = field(default=(), repr=False)
    labels: tuple[str, ...] = field(default=(), repr=False)
    digests: tuple[str, ...] = field(default=(), repr=False)
    units: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64), repr=False)
    parts: NDArray[np.int8] = field(default_factory=lambda: np.empty((0, 0), np.int8), repr=False)

    @property
    def runs(self) -> int:
        """R."""
        return len(self.parts)

    @classmethod
    def draw(cls, features: Features, options: SplitOptions) -> Splits:
        """Draw them for labelled images.

        The same images are held out for every network, so that one difference between two is left.
        Images of one group, identical ones, and near-duplicates where that is asked for, are in one
        part (see `penult.partition.splits.hold_out`). Near-duplicates are those of these rows.

        Raises
        ------
        UsageError, TrainingError
        """
        joined = features
        if options.near_duplicates is not None:
            joined = join_near_duplicates(features, options.near_duplicates, free_memory() // 2)

        def drawn(run: int) -> Split:
            return hold_out(
                joined,
                test_size=options.test_size,
                seed=options.seed + run,
                folds=options.folds,
                stored=not options.ignore_splits,
                min_per_class=options.min_per_class,
            )

        first = drawn(0)
        if not first.drawn and options.runs not in (None, 1):
            raise UsageError(
                f"{option('runs', options.runs)} was given, and would hold out the same images "
                f"each time: the held-out part is {first.description}; leave it out, or give "
                f"{option('ignore_splits', True)}"
            )
        runs = options.runs or (RUNS if first.drawn else 1)
        every = [first, *map(drawn, range(1, runs))]
        parts = np.zeros((runs, len(features)), np.int8)
        for part, split in zip(parts, every, strict=True):
            part[split.train], part[split.held_out] = 1, 2
        description = first.description
        if runs > 1:
            seeds = f"seeds {options.seed} to {options.seed + runs - 1}"
            description = description.replace(f"seed {options.seed}", seeds)
        columns = text_columns(features)
        return cls(
            options=replace(options, runs=runs),
            description=description,
            left_out=dict(first.left_out),
            failed=tuple(failure.id for failure in features.failures),
            ids=tuple(str(one) for one in columns["id"]),
            labels=tuple(one or "" for one in columns["label"]),
            digests=tuple(map(str, features.content or [""] * len(features))),
            units=index_groups(find_groups(joined), len(features))[1].astype(np.int64),
            parts=parts,
        )

    @property
    def digest(self) -> str:
        """What tells them from others."""
        text = json.dumps([self.ids, self.labels, self.digests, asdict(self.options)])
        return blake2b(text.encode() + self.parts.tobytes(), digest_size=16).hexdigest()

    def of(self, features: Features, run: int) -> Features:
        """The same rows, with the parts of one run as their splits.

        What belongs together is one image, as identical files are.
        """
        place = {name: k for k, name in enumerate(self.ids)}
        places = [place.get(str(one), -1) for one in features.ids]
        part = [_PARTS[self.parts[run, k]] if k >= 0 else "" for k in places]
        # Those that are in no part belong to none that is.
        units = [str(self.units[k]) if k >= 0 else f"other {n}" for n, k in enumerate(places)]
        return replace(features, splits=part, content=units, groups=None)

    def require_listed(self, ids: Sequence[str], labels: Sequence[str], folder: Path) -> None:
        """Refuse images that are not those that were divided.

        Parameters
        ----------
        ids, labels : sequence of str
            Of all images, those of which there is no row included.

        Raises
        ------
        UsageError
        """
        there, known = set(ids), {*self.ids, *self.failed}
        added = [one for one in ids if one not in known]
        gone = [one for one in self.ids if one not in there]
        label_of = dict(zip(self.ids, self.labels, strict=True))
        others = [
            one for one, label in zip(ids, labels, strict=True) if label_of.get(one, label) != label
        ]
        self._require(folder, added=added, gone=gone, relabelled=others)

    def require_same(self, features: Features, folder: Path) -> None:
        """Refuse rows of images that are not those that were divided.

        Raises
        ------
        UsageError
        """
        columns = text_columns(features)
        failed = [failure.id for failure in features.failures]
        ids, labels = [str(one) for one in columns["id"]], [one or "" for one in columns["label"]]
        known = dict(zip(self.ids, self.labels, strict=True))
        self.require_listed(
            [*ids, *failed], [*labels, *(known.get(one, "") for one in failed)], folder
        )
        digest_of = dict(zip(self.ids, self.digests, strict=True))
        changed = [
            one
            for one, digest in zip(ids, features.content or (), strict=False)
            if digest and digest_of.get(one, digest) not in ("", digest)
        ]
        self._require(folder, changed=changed)

    def _require(self, folder: Path, **found: Sequence[str]) -> None:
        told = [
            f"{count(len(ids), 'image')} {what.replace('_', ' ')} ({ids[0]}"
            f"{', …' if len(ids) > 1 else ''})"
            for what, ids in found.items()
            if ids
        ]
        if told:
            raise UsageError(
                f"these are not the images that {folder} was made of: {', '.join(told)}; networks "
                "are compared on the same images: write to another folder, or give "
                f"{option('overwrite', True)} to begin anew"
            )

    def to_dict(self) -> dict[str, Any]:
        """What ``comparison.json`` says of them."""
        options, held = self.options, (self.parts == 2).sum(axis=1)
        used = np.flatnonzero((self.parts > 0).any(axis=0)).tolist()
        classes = {name for k in used for name in self.labels[k].split("|")}
        return {
            "description": self.description,
            "runs": self.runs,
            "seed": options.seed,
            "test_size": options.test_size,
            "images": len(used),
            "classes": len(classes),
            "held_out": held.tolist(),
            "left_out": dict(self.left_out),
        }

    def write(self, table: Path, settings: Path) -> None:
        """Keep them: the table is written last, and says that both are there."""
        known = {
            "options": asdict(self.options),
            "description": self.description,
            "left_out": dict(self.left_out),
            "failed": list(self.failed),
        }
        with atomic_text(settings, overwrite=True) as file:
            json.dump(known, file, indent=1)
        with atomic_text(table, overwrite=True) as file:
            writer = csv.writer(file)
            writer.writerow([*_COLUMNS, *(f"run_{k + 1}" for k in range(self.runs))])
            parts = ([_PARTS[one] for one in row] for row in self.parts.T.tolist())
            for row in zip(
                self.ids, self.labels, self.digests, self.units.tolist(), parts, strict=True
            ):
                writer.writerow([*row[:-1], *row[-1]])

    @classmethod
    def read(cls, table: Path, settings: Path) -> Splits:
        """Read what `write` wrote.

        Raises
        ------
        FileFormatError
            If either was changed or damaged.
        """
        try:
            known = read_json(settings.read_bytes())
            with table.open(encoding="utf-8", newline="") as file:
                header, *rows = csv.reader(file)
            columns = dict(zip(header, zip(*rows, strict=True), strict=True))
            ids, labels, digests, units = (columns.pop(name) for name in _COLUMNS)
            place = {name: k for k, name in enumerate(_PARTS)}
            parts = [[place[one] for one in part] for part in columns.values()]
            return cls(
                options=to_record(SplitOptions, known["options"]),
                description=str(known["description"]),
                left_out={str(name): int(n) for name, n in known["left_out"].items()},
                failed=tuple(map(str, known["failed"])),
                ids=tuple(ids),
                labels=tuple(labels),
                digests=tuple(digests),
                units=np.array(units, np.int64),
                parts=np.array(parts, np.int8),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, FileFormatError) as error:
            raise FileFormatError(
                f"{table} and {settings.name} are not as penult wrote them ({error}); give "
                f"{option('overwrite', True)} to begin anew"
            ) from error
